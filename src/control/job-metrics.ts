/**
 * The metrics that have a row for each job, as text: ten thousand jobs are gone through once, in slices, and no row is kept as
 * an object.
 */
import type { JobStatus } from '../core/model/status.ts';
import type { Operator } from '../ports.ts';
import { eachJob } from './lib/every-job.ts';

interface JobMetric {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** `name`: the label, escaped. */
  readonly rows: (job: JobStatus, name: string) => readonly (readonly [string, number])[];
}

export const JOB_METRICS: readonly JobMetric[] = [
  {
    name: 'migration_agent_job_progress_percent',
    help: 'Progress of the latest run; absent if unknown',
    labels: ['name'],
    rows: ({ percent }, name) => (percent === undefined ? [] : [[name, percent]]),
  },
  {
    name: 'migration_agent_job_failed',
    help: '1 for each job whose latest run failed, was lost or fenced; 0 for others that have run',
    labels: ['name'],
    rows: ({ state }, name) =>
      state === 'idle' ? [] : [[name, /^(?:failed|lost|fenced)$/.test(state) ? 1 : 0]],
  },
  {
    name: 'migration_agent_job_slack_seconds',
    help: 'Time to the deadline of a job at a destination; negative: it has passed',
    labels: ['name', 'destination'],
    rows: ({ destinations }, name) =>
      Object.entries(destinations).flatMap(([destination, { slackSeconds }]) =>
        slackSeconds === undefined
          ? []
          : [[`${name},destination="${destination}"`, slackSeconds] as const],
      ),
  },
];

export interface JobsScraped {
  /** How many jobs are in each state. */
  readonly states: ReadonlyMap<string, number>;
  /** What each metric of `JOB_METRICS` is in the exposition format, by name. */
  readonly texts: ReadonlyMap<string, string>;
}

export async function scrapeJobs(operator: Operator): Promise<JobsScraped> {
  const states = new Map<string, number>();
  const lines = JOB_METRICS.map(({ name, help }) => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} gauge`,
  ]);
  await eachJob(operator, (job) => {
    states.set(job.state, (states.get(job.state) ?? 0) + 1);
    const label = `name="${escaped(job.name)}"`;
    JOB_METRICS.forEach(({ name, rows }, index) => {
      for (const [labels, value] of rows(job, label)) {
        lines[index]?.push(`${name}{${labels}} ${value}`);
      }
    });
  });
  const texts = JOB_METRICS.map(
    ({ name }, index) => [name, (lines[index] ?? []).join('\n')] as const,
  );
  return { states, texts: new Map(texts) };
}

/** https://prometheus.io/docs/instrumenting/exposition_formats: backslash, line feed and quote. */
function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}
