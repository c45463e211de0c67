/** The job that a request names, or the problem that there is none. */
import type { JobDetail, JobStatus } from '../../core/model/status.ts';
import type { Operator } from '../../ports.ts';
import { Problem } from './problem.ts';

export function findJob(operator: Operator, name: string): JobStatus {
  return operator.job(name) ?? refuse(name);
}

/** As `findJob`, in full. */
export function findJobDetail(operator: Operator, name: string): JobDetail {
  return operator.jobDetail(name) ?? refuse(name);
}

function refuse(name: string): never {
  throw new Problem('no-such-job', `there is no job ${JSON.stringify(name)}`);
}
