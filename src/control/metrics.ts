/**
 * The agent's state as Prometheus metrics. Most come from the operator port at each scrape, so that a scrape shows what
 * `status` shows. Broken promises are counted from the timeline, call durations in call-latency.ts; prom-client itself
 * measures the process.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Counter, Gauge, Registry, type Histogram } from 'prom-client';

import type { EventName } from '../core/model/timeline.ts';
import type { Status } from '../core/model/status.ts';
import type { Operator } from '../ports.ts';
import { JOB_METRICS, scrapeJobs } from './job-metrics.ts';
import type { JobsScraped } from './job-metrics.ts';
import { registerProcessMetrics } from './lib/process-metrics.ts';

interface Row {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

type Scrape = Pick<Status, 'agent' | 'budgets'> & { readonly jobs: JobsScraped };

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
  const registry = new AgentRegistry(operator);
  for (const metric of METRICS) registry.add(metric);
  for (const { name, help, labels } of JOB_METRICS) {
    registry.registerMetric(new Gauge({ name, help, labelNames: [...labels], registers: [] }));
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

/**
 * All metrics of a scrape show the same values. prom-client makes the text of the small ones, one after the other; those with a
 * row for each job come from job-metrics.ts.
 */
class AgentRegistry extends Registry {
  readonly #operator: Operator;
  /** What the present scrape shows. */
  #scrape: Scrape | undefined;
  #text: Promise<string> | undefined;

  constructor(operator: Operator) {
    super();
    this.#operator = operator;
  }

  add({ kind, name, help, labels = [], rows }: Metric): void {
    const configuration = { name, help, labelNames: labels, registers: [this] };
    const present = (): readonly Row[] => (this.#scrape === undefined ? [] : rows(this.#scrape));
    // prom-client calls `collect` at each scrape, with the metric as `this`.
    if (kind === 'gauge') {
      new Gauge({
        ...configuration,
        collect() {
          // `remove`: a metric without labels would come back from `reset` as a zero.
          this.reset();
          if (labels.length === 0) this.remove();
          for (const row of present()) this.set({ ...row.labels }, row.value);
        },
      });
    } else {
      new Counter({
        ...configuration,
        collect() {
          this.reset();
          for (const row of present()) this.inc({ ...row.labels }, row.value);
        },
      });
    }
  }

  /** Who asks while a text is being made gets the same one. */
  override metrics(): Promise<string> {
    this.#text ??= this.#makeText().finally(() => {
      this.#text = undefined;
      this.#scrape = undefined;
    });
    return this.#text;
  }

  async #makeText(): Promise<string> {
    const [agent, budgets] = [this.#operator.agent(), this.#operator.budgets()];
    // The parts of a scrape of very many jobs have turns of the loop of their own.
    await nextTurn();
    const jobs = await scrapeJobs(this.#operator);
    await nextTurn();
    this.#scrape = { agent, budgets, jobs };
    const texts: string[] = [];
    for (const { name } of this.getMetricsAsArray()) {
      texts.push(jobs.texts.get(name) ?? (await this.getSingleMetricAsString(name)));
    }
    await nextTurn();
    return `${texts.join('\n\n')}\n`;
  }
}

function jobsByState({ jobs }: Scrape): Row[] {
  return [...jobs.states].map(([state, value]) => ({ labels: { state }, value }));
}
