/** The jobs of a host on hostile days, before a reload and after it. */
import type { JobDefinition, TrackedSource } from '../../src/core/model/job.ts';
import type { Settings } from '../../src/core/model/settings.ts';
import { HUB_JOB, PIPELINE, definition, settings } from '../support/settings.ts';

const SECOND_MS = 1_000;
const HOUR_MS = 3_600 * SECOND_MS;
/** Short, so that names are forgotten within a day. */
export const KEEP_RUNS_MS = 2 * HOUR_MS;

export const OPERATED = ['copy-0', 'copy-1', 'copy-2', 'copy-3'];
/** Three jobs with one Hub task. */
export const SHARING = ['share-0', 'share-1', 'share-2'];
export const PIPED = ['activity-0', 'activity-1', 'activity-2', 'activity-3'];
/** Its tasks run the job that a reload renames. */
export const PIPED_RENAMED = 'activity-renamed';
/** Jobs of the incidents alone, so that each finds its job idle. */
export const FENCED = 'fenced-0';
export const CANCELED = 'canceled-0';
/** An activity that a reload maps to another job, and the two jobs. */
export const REMAPPED = 'remapped-0';
const REMAPPED_TO = 'remapped-2';
/** They go on after SIGTERM. */
export const DEAF = [FENCED, CANCELED, REMAPPED, REMAPPED_TO];
export const ON_FULL_DISK = ['full-disk-1', 'full-disk-3'];
const SCHEDULED = ['hourly-0', 'hourly-1'];
export const TRACKED: readonly (readonly [string, TrackedSource])[] = [
  ['tracked-pid', { by: 'pid', process: { pid: 7, bootId: 'boot-1', startTicks: '1' } }],
  ['tracked-unit', { by: 'unit', unit: 'backup.service' }],
  ['tracked-file', { by: 'status-file', path: '/run/status.json' }],
];

/** `isChanged`: as after an edit that renames a job, removes one, adds one and maps an activity to another job. */
export function configuration(host: string, isChanged: boolean): Settings {
  const jobs = [
    ...OPERATED.map((name) => newJob(host, name)),
    ...SHARING.map((name) =>
      newJob(host, name, { migrationHub: { ...HUB_JOB, task: `${host}-shared` } }),
    ),
    ...[...PIPED, ...ON_FULL_DISK, ...DEAF].map((name) => newJob(host, name)),
    ...SCHEDULED.map((name, i) =>
      newJob(host, name, {
        schedule: { cron: '0 * * * *', missedStart: i === 0 ? 'skip' : 'once' },
      }),
    ),
  ];
  const changed = jobs
    .filter(({ name }) => name !== 'copy-1')
    .map((job) => (job.name === 'copy-0' ? { ...job, name: 'copy-0-renamed' } : job));
  const inForce = isChanged ? [...changed, newJob(host, 'added')] : jobs;
  const mapped = (name: string): string => {
    if (name === PIPED_RENAMED) return isChanged ? 'copy-0-renamed' : 'copy-0';
    if (name === REMAPPED) return isChanged ? REMAPPED_TO : REMAPPED;
    return isChanged && name === 'activity-0' ? 'activity-1' : name;
  };
  const activities = [...PIPED, PIPED_RENAMED, FENCED, REMAPPED];
  return settings({
    hostname: host,
    keepRunsMs: KEEP_RUNS_MS,
    jobs: new Map(inForce.map((one) => [one.name, one])),
    dataPipeline: {
      ...PIPELINE,
      taskRunnerId: host,
      concurrency: activities.length,
      activities: activities.map((name) => ({ match: { name }, job: mapped(name) })),
    },
  });
}

export function newJob(
  host: string,
  name: string,
  over: Partial<JobDefinition> = {},
): JobDefinition {
  const number = Number(/\d+$/.exec(name)?.[0] ?? 0);
  return definition(name, {
    command: [name],
    stop: { signal: 'SIGTERM', graceMs: graceOf(name) },
    waitFor: number % 2 === 0 ? 'leader' : 'tree',
    migrationHub: { ...HUB_JOB, task: `${host}-{job}` },
    ...(number === 3 ? { timeoutMs: HOUR_MS } : {}),
    ...over,
  });
}

/** Of some jobs longer than any window. */
export function graceOf(name: string): number {
  return /[02](-renamed)?$/.test(name) ? 2 * HOUR_MS : 30 * SECOND_MS;
}

export function multiplied(share: Settings['rates'], hosts: number): Settings['rates'] {
  const entries = Object.entries(share).map(([operation, { perSecond, burst }]) => [
    operation,
    { perSecond: perSecond * hosts, burst: burst * hosts },
  ]);
  return Object.fromEntries(entries) as Settings['rates'];
}
