/** The status of all jobs, made in slices. A job that is forgotten meanwhile is left out. */
import type { JobStatus, Status } from '../../core/model/status.ts';
import type { Operator } from '../../ports.ts';
import { inSlices } from './slices.ts';

export async function everyJob(operator: Operator): Promise<JobStatus[]> {
  const jobs: JobStatus[] = [];
  await eachJob(operator, (job) => jobs.push(job));
  return jobs;
}

/** As `everyJob`, without keeping them all in memory. */
export async function eachJob(operator: Operator, take: (job: JobStatus) => void): Promise<void> {
  await inSlices(operator.jobNames(), (name) => {
    const job = operator.job(name);
    if (job !== undefined) take(job);
  });
}

/** The document of `status`. */
export async function wholeStatus(operator: Operator): Promise<Status> {
  const [agent, budgets] = [operator.agent(), operator.budgets()];
  return { schema: 1, agent, jobs: await everyJob(operator), budgets };
}
