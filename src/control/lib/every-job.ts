/** The status of all jobs, made in slices: with ten thousand of them the loop must turn in between. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { JobStatus } from '../../core/model/status.ts';
import type { Operator } from '../../ports.ts';

/** The loop is not held longer at a time; a report or a cancel can come in between. */
const SLICE_MS = 5;
/** Jobs between two looks at the clock. */
const CHECK_EVERY = 50;

export async function everyJob(operator: Operator): Promise<JobStatus[]> {
  const jobs: JobStatus[] = [];
  let sliceEndsMs = performance.now() + SLICE_MS;
  let count = 0;
  for (const name of operator.jobNames()) {
    const job = operator.job(name);
    if (job !== undefined) jobs.push(job);
    count += 1;
    if (count % CHECK_EVERY !== 0 || performance.now() < sliceEndsMs) continue;
    await nextTurn();
    sliceEndsMs = performance.now() + SLICE_MS;
  }
  return jobs;
}
