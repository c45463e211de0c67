/** The job that a request names, or the problem that there is none. */
import type { JobStatus } from '../../core/model/status.ts';
import type { Operator } from '../../ports.ts';
import { Problem } from './problem.ts';

export function findJob(operator: Operator, name: string): JobStatus {
  const job = operator.job(name);
  if (job === undefined) {
    throw new Problem('no-such-job', `there is no job ${JSON.stringify(name)}`);
  }
  return job;
}
