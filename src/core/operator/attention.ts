/** The order of jobs on every screen: first those that need attention, then live ones by nearest deadline, then the rest. */
import { wallMsOf } from '../lib/time.ts';
import type { JobStatus } from '../model/status.ts';

/** In the order of attention. `stalled` and `refused` are conditions of a job in another state. */
export const CONDITIONS = [
  'lost',
  'failed',
  'fenced',
  'stalled',
  'refused',
  'canceling',
  'running',
  'starting',
  'queued',
  'canceled',
  'succeeded',
  'idle',
] as const;

export type Condition = (typeof CONDITIONS)[number];

/** A copy, most urgent first. */
export function byAttention(jobs: readonly JobStatus[]): JobStatus[] {
  const keys = new Map(jobs.map((job) => [job, [rank(job), urgency(job)] as const]));
  return jobs.toSorted((a, b) => {
    const [rankA, urgencyA] = keys.get(a) ?? [0, 0];
    const [rankB, urgencyB] = keys.get(b) ?? [0, 0];
    return rankA - rankB || urgencyA - urgencyB;
  });
}

/** Every condition that holds: a run that failed may have been refused too. */
export function hasCondition(job: JobStatus, condition: Condition): boolean {
  if (condition === 'stalled') return job.state === 'running' && job.stalled === true;
  if (condition === 'refused') return isRefused(job);
  return job.state === condition;
}

/** Each job once, by what it is shown for; what needs attention first. */
export function countByCondition(jobs: readonly JobStatus[]): (readonly [Condition, number])[] {
  const counts = new Map<Condition, number>();
  for (const job of jobs) {
    const condition = shownFor(job);
    counts.set(condition, (counts.get(condition) ?? 0) + 1);
  }
  return CONDITIONS.flatMap((condition) => {
    const count = counts.get(condition) ?? 0;
    return count === 0 ? [] : [[condition, count] as const];
  });
}

function shownFor(job: JobStatus): Condition {
  return CONDITIONS.find((condition) => hasCondition(job, condition)) ?? 'idle';
}

/** True if an operator has to look at the job. */
export function needsAttention(job: JobStatus): boolean {
  return rank(job) < CONDITIONS.indexOf('canceling');
}

/** Ranks of what runs, and of what has ended well or not begun, are equal: there time decides. */
function rank(job: JobStatus): number {
  // Processes that outlived SIGKILL are as bad as a lost run.
  if (job.cancelIncomplete === true) return 0;
  const condition = shownFor(job);
  const place = CONDITIONS.indexOf(condition);
  if (place < CONDITIONS.indexOf('canceling')) return place;
  if (condition === 'queued' || condition === 'idle') return CONDITIONS.length;
  if (condition === 'canceled' || condition === 'succeeded') return CONDITIONS.length - 1;
  return CONDITIONS.indexOf('canceling');
}

/** Of what runs the least slack, of what has ended the latest, of the others the next to start. */
function urgency(job: JobStatus): number {
  const { migrationHub, dataPipeline } = job.destinations;
  if (job.endedAt !== undefined) return -wallMsOf(job.endedAt);
  if (job.nextStartAt !== undefined && job.startedAt === undefined) {
    return wallMsOf(job.nextStartAt);
  }
  return Math.min(migrationHub?.slackSeconds ?? 1e15, dataPipeline?.slackSeconds ?? 1e15);
}

function isRefused({ destinations: { migrationHub, dataPipeline } }: JobStatus): boolean {
  return migrationHub?.delivery === 'refused' || dataPipeline?.delivery === 'refused';
}
