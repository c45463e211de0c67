/** What is known of a job beside its status: its timeline, its output, and what Migration Hub recorded. */
import { defined } from '../../core/lib/defined.ts';
import { iso, SECOND_MS } from '../../core/lib/time.ts';
import type { Reply } from '../../core/model/action.ts';
import type { JobStatus } from '../../core/model/status.ts';
import type { Operator } from '../../ports.ts';
import { findJob } from '../lib/find-job.ts';
import { outputTail } from '../lib/output-tail.ts';
import { Problem } from '../lib/problem.ts';
import { route } from '../lib/route.ts';
import type { Route } from '../lib/route.ts';
import type { HistoryDocument } from './documents.ts';
import { streamLog } from './job-log.ts';
import type { LogReader } from '../lib/log-reader.ts';
import { historyQuery, logsQuery, outputQuery, timelineQuery } from './requests.ts';
import { timelineEntryDocument } from './timeline-entry.ts';

export interface JobRecordRoutesOptions {
  readonly operator: Operator;
  /** Reads what a run wrote to one of its streams. */
  readonly openLog: (job: string, run: number, stream: 'stdout' | 'stderr') => LogReader;
}

export function jobRecordRoutes({ operator, openLog }: JobRecordRoutesOptions): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/jobs/{name}/events',
      summary: 'The timeline of a job, oldest first',
      query: timelineQuery,
      status: 200,
      reply: 'timeline',
      handle: ({ name, query }) => {
        const entries = operator.timeline(name, query.limit);
        if (entries.length === 0) findJob(operator, name);
        return Promise.resolve({ schema: 1, events: entries.map(timelineEntryDocument) });
      },
    }),
    route({
      method: 'GET',
      path: '/v1/jobs/{name}/history',
      summary: 'What Migration Hub recorded of a run: one page, in the order of the service',
      query: historyQuery,
      problems: ['expired', 'unavailable'],
      status: 200,
      reply: 'history',
      handle: async ({ name, query: { run, token } }) =>
        historyPage(await operator.ask({ type: 'history', job: name, ...defined({ run, token }) })),
    }),
    route({
      method: 'GET',
      path: '/v1/jobs/{name}/logs',
      summary: 'The output of a run',
      query: logsQuery,
      status: 200,
      mediaType: 'text/plain',
      stream: true,
      handle: ({ name, query, response, signal }) => {
        const run = runWithOutput(findJob(operator, name), query.run);
        return streamLog({
          log: openLog(name, run, query.stream),
          tailLines: query.tail,
          follow: query.follow === '1',
          isOver: () => isOver(operator, name, run),
          response,
          signal,
        });
      },
    }),
    route({
      method: 'GET',
      path: '/v1/jobs/{name}/output',
      summary: 'The last lines of the output of a run, secrets masked',
      query: outputQuery,
      status: 200,
      reply: 'output',
      handle: async ({ name, query }) => {
        const run = runWithOutput(findJob(operator, name), query.run);
        const tail = (stream: 'stdout' | 'stderr'): Promise<string[]> =>
          outputTail(openLog(name, run, stream), query.lines);
        return { schema: 1, run, stdout: await tail('stdout'), stderr: await tail('stderr') };
      },
    }),
  ];
}

function historyPage(reply: Reply): HistoryDocument {
  if (!reply.ok) throw new Problem(reply.code, reply.message);
  const { updates = [], ...page } = reply.page ?? { region: '', stream: '', task: '' };
  return {
    schema: 1,
    ...page,
    updates: updates.map(({ stampS, ...update }) => ({
      ...defined({ at: stampS === undefined ? undefined : iso(stampS * SECOND_MS) }),
      ...update,
    })),
  };
}

function runWithOutput(job: JobStatus, wanted: number | undefined): number {
  const run = chooseRun(job, wanted);
  if (job.origin === 'tracked' && run === job.run) {
    throw new Problem('conflict', `${job.name} is only tracked: the agent has no output of it`);
  }
  return run;
}

function chooseRun(job: JobStatus, wanted: number | undefined): number {
  if (job.run === undefined) throw new Problem('conflict', `${job.name} has never run`);
  if (wanted !== undefined && (wanted < 1 || wanted > job.run)) {
    throw new Problem('invalid', `query.run: ${job.name} has runs 1 to ${job.run}`);
  }
  return wanted ?? job.run;
}

/** This run will write nothing more. */
function isOver(operator: Operator, name: string, run: number): boolean {
  const job = operator.job(name);
  return job?.run !== run || job.endedAt !== undefined;
}
