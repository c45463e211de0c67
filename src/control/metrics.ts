/**
 * The agent's state as Prometheus metrics. Most come from the operator port at each scrape, so that a scrape shows what
 * `status` shows. Broken promises are counted from the timeline, call durations in call-latency.ts; prom-client itself
 * measures the process.
 */
import { Counter, Gauge, Registry, type Histogram } from 'prom-client';

import type { EventName } from '../core/model/timeline.ts';
import type { Status } from '../core/model/status.ts';
import type { Operator } from '../ports.ts';
import { everyJob } from './lib/every-job.ts';
import { registerProcessMetrics } from './lib/process-metrics.ts';

interface Row {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

type Scrape = Pick<Status, 'agent' | 'jobs' | 'budgets'>;

interface Metric {
  readonly kind: 'gauge' | 'counter';
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  readonly rows: (scrape: Scrape) => readonly Row[];
}

const METRICS: readonly Metric[] = [
  {
    kind: 'gauge',
    name: 'migration_agent_build_info',
    help: 'Always 1; the labels show what is running',
    labels: ['version', 'node', 'host'],
    rows: ({ agent }) => [
      { labels: { version: agent.version, node: process.version, host: agent.host }, value: 1 },
    ],
  },
  {
    kind: 'gauge',
    name: 'migration_agent_start_time_seconds',
    help: 'When the agent started, in seconds since 1970',
    rows: ({ agent }) => [{ value: Date.parse(agent.startedAt) / 1000 }],
  },
  {
    kind: 'gauge',
    name: 'migration_agent_nearest_deadline_seconds',
    help: 'Time to the nearest deadline; negative: a promise is broken; absent: nothing is promised',
    rows: ({ agent }) =>
      agent.nearestDeadlineSeconds === undefined ? [] : [{ value: agent.nearestDeadlineSeconds }],
  },
  {
    kind: 'gauge',
    name: 'migration_agent_jobs_waiting_for_budget',
    help: 'Live jobs that are not reported to Migration Hub because the budget could not keep a promise for them',
    rows: ({ agent }) => [{ value: agent.waitingForBudget }],
  },
  {
    kind: 'gauge',
    name: 'migration_agent_outbox_reports',
    help: 'Reports that a destination has not accepted yet',
    rows: ({ agent }) => [{ value: agent.outbox }],
  },
  {
    kind: 'gauge',
    name: 'migration_agent_outbox_age_seconds',
    help: 'How long the oldest final report has been pending; 0: none is',
    rows: ({ agent }) => [{ value: agent.outboxAgeSeconds ?? 0 }],
  },
  {
    kind: 'gauge',
    name: 'migration_agent_credentials_expiry_timestamp_seconds',
    help: 'When the credentials in use end, in seconds since 1970; absent: they do not, or are not known yet',
    rows: ({ agent }) =>
      agent.credentialsExpireAt === undefined
        ? []
        : [{ value: Date.parse(agent.credentialsExpireAt) / 1000 }],
  },
  {
    kind: 'gauge',
    name: 'migration_agent_clock_offset_seconds',
    help: "The service's clock less the clock of this host",
    rows: ({ agent }) => [{ value: agent.clockOffsetSeconds }],
  },
  {
    kind: 'gauge',
    name: 'migration_agent_problems',
    help: 'Problems that degrade the agent now; status lists them',
    rows: ({ agent }) => [{ value: agent.problems.length }],
  },
  {
    kind: 'gauge',
    name: 'migration_agent_fleet_joined',
    help: "1 while budgets are shared through the fleet's Redis, 0 while this host keeps to its share; absent without Redis",
    rows: ({ agent }) =>
      agent.fleet === undefined ? [] : [{ value: agent.fleet.state === 'joined' ? 1 : 0 }],
  },
  {
    kind: 'gauge',
    name: 'migration_agent_fleet_hosts',
    help: "Hosts that the fleet's Redis knows of; absent while it is away",
    rows: ({ agent }) => (agent.fleet?.hosts === undefined ? [] : [{ value: agent.fleet.hosts }]),
  },
  {
    kind: 'gauge',
    name: 'migration_agent_draining',
    help: '1 while no pipeline tasks are taken',
    rows: ({ agent }) => [{ value: agent.state === 'draining' ? 1 : 0 }],
  },
  {
    kind: 'gauge',
    name: 'migration_agent_jobs',
    help: 'Jobs by the state of their latest run',
    labels: ['state'],
    rows: jobsByState,
  },
  {
    kind: 'gauge',
    name: 'migration_agent_job_progress_percent',
    help: 'Progress of the latest run; absent if unknown',
    labels: ['name'],
    rows: ({ jobs }) =>
      jobs.flatMap(({ name, percent }) =>
        percent === undefined ? [] : [{ labels: { name }, value: percent }],
      ),
  },
  {
    kind: 'gauge',
    name: 'migration_agent_job_failed',
    help: '1 for each job whose latest run failed, was lost or fenced; 0 for others that have run',
    labels: ['name'],
    rows: ({ jobs }) =>
      jobs.flatMap(({ name, state }) =>
        state === 'idle'
          ? []
          : [{ labels: { name }, value: /^(?:failed|lost|fenced)$/.test(state) ? 1 : 0 }],
      ),
  },
  {
    kind: 'gauge',
    name: 'migration_agent_job_slack_seconds',
    help: 'Time to the deadline of a job at a destination; negative: it has passed',
    labels: ['name', 'destination'],
    rows: ({ jobs }) =>
      jobs.flatMap(({ name, destinations }) =>
        Object.entries(destinations).flatMap(([destination, { slackSeconds }]) =>
          slackSeconds === undefined
            ? []
            : [{ labels: { name, destination }, value: slackSeconds }],
        ),
      ),
  },
  {
    kind: 'counter',
    name: 'migration_agent_calls_total',
    help: 'Calls since the agent started, by operation and outcome',
    labels: ['operation', 'outcome'],
    rows: ({ budgets }) =>
      budgets.flatMap(({ operation, accepted, throttled, failed }) => [
        { labels: { operation, outcome: 'accepted' }, value: accepted },
        { labels: { operation, outcome: 'throttled' }, value: throttled },
        { labels: { operation, outcome: 'failed' }, value: failed },
      ]),
  },
  {
    kind: 'gauge',
    name: 'migration_agent_budget_calls_per_second',
    help: 'The rate that an operation is given',
    labels: ['operation'],
    rows: ({ budgets }) =>
      budgets.map(({ operation, perSecond }) => ({ labels: { operation }, value: perSecond })),
  },
  {
    kind: 'gauge',
    name: 'migration_agent_budget_burst_calls',
    help: 'The most calls that a budget holds',
    labels: ['operation'],
    rows: ({ budgets }) =>
      budgets.map(({ operation, burst }) => ({ labels: { operation }, value: burst })),
  },
  {
    kind: 'gauge',
    name: 'migration_agent_budget_available_calls',
    help: 'Calls that could be made at once; 0: the budget is used up',
    labels: ['operation'],
    rows: ({ budgets }) =>
      budgets.flatMap(({ operation, available }) =>
        available === undefined ? [] : [{ labels: { operation }, value: available }],
      ),
  },
  {
    kind: 'gauge',
    name: 'migration_agent_operation_paused',
    help: '1 while no call of the operation is made',
    labels: ['operation'],
    rows: ({ budgets }) =>
      budgets.map(({ operation, pausedUntil }) => ({
        labels: { operation },
        value: pausedUntil === undefined ? 0 : 1,
      })),
  },
];

/** Counters of what must not happen, by the timeline events that report it. */
const BROKEN: readonly { name: string; help: string; events: readonly EventName[] }[] = [
  {
    name: 'migration_agent_promises_broken_total',
    help: 'Reports that were accepted later than promised, since the agent started',
    events: ['promise.broken'],
  },
  {
    name: 'migration_agent_leases_lost_total',
    help: 'Pipeline tasks that were lost or fenced, since the agent started',
    events: ['lease.fenced', 'lease.gone'],
  },
  {
    name: 'migration_agent_reports_refused_total',
    help: 'Reports that a service refused for good, since the agent started',
    events: ['report.refused'],
  },
];

/** A registry of its own, apart from the global one of prom-client. */
export function createRegistry(operator: Operator, callLatency?: Histogram): Registry {
  const registry = new Registry();
  const scrape = onceForEachScrape(operator);
  for (const { kind, name, help, labels = [], rows } of METRICS) {
    const configuration = { name, help, labelNames: labels, registers: [registry] };
    // prom-client calls `collect` at each scrape, with the metric as `this`.
    if (kind === 'gauge') {
      new Gauge({
        ...configuration,
        async collect() {
          const found = rows(await scrape());
          // `remove`: a metric without labels would come back from `reset` as a zero.
          this.reset();
          if (labels.length === 0) this.remove();
          for (const row of found) this.set({ ...row.labels }, row.value);
        },
      });
    } else {
      new Counter({
        ...configuration,
        async collect() {
          const found = rows(await scrape());
          this.reset();
          for (const row of found) this.inc({ ...row.labels }, row.value);
        },
      });
    }
  }
  for (const { name, help, events } of BROKEN) {
    const counter = new Counter({ name, help, registers: [registry] });
    operator.watch(({ event }) => {
      if (events.some((one) => one === event)) counter.inc();
    });
  }
  if (callLatency !== undefined) registry.registerMetric(callLatency);
  registerProcessMetrics(registry);
  return registry;
}

/** All metrics of a scrape show the same values, and ten thousand jobs are gone through once, in slices. */
function onceForEachScrape(operator: Operator): () => Promise<Scrape> {
  let taken: Promise<Scrape> | undefined;
  return () => {
    if (taken === undefined) {
      const [agent, budgets] = [operator.agent(), operator.budgets()];
      taken = everyJob(operator).then((jobs) => ({ agent, budgets, jobs }));
      const forget = (): void => {
        taken = undefined;
      };
      taken.then(() => setImmediate(forget), forget);
    }
    return taken;
  };
}

function jobsByState({ jobs }: Scrape): Row[] {
  const counts = new Map<string, number>();
  for (const { state } of jobs) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].map(([state, value]) => ({ labels: { state }, value }));
}
