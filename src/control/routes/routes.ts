/**
 * The endpoints of the socket (DESIGN.md, section 5) and what each does with the operator port. How requests
 * are read and answered is the business of server.ts and route.ts.
 */
import { z } from 'zod';

import type { Reply } from '../../core/model/action.ts';
import type { JobDefinition } from '../../core/model/job.ts';
import type { JobStatus } from '../../core/model/status.ts';
import { iso, SECOND_MS } from '../../core/lib/time.ts';
import type { Operator } from '../../ports.ts';
import {
  historyDocument,
  jobDocument,
  jobsDocument,
  replyDocument,
  statusDocument,
  timelineDocument,
} from './documents.ts';
import type { HistoryDocument } from './documents.ts';
import { parseDuration } from '../../core/lib/duration.ts';
import { streamEvents } from './event-stream.ts';
import { streamLog } from './job-log.ts';
import type { LogReader } from './job-log.ts';
import { openApiDocument } from './openapi.ts';
import { outboxRoutes } from './outbox.ts';
import { nameOf } from '../lib/peer.ts';
import { Problem } from '../lib/problem.ts';
import type { RecentEvents } from './recent-events.ts';
import type { AdHocJob } from './requests.ts';
import {
  adHocJob,
  cancelBody,
  emptyBody,
  eventsQuery,
  historyQuery,
  logsQuery,
  noQuery,
  timelineQuery,
} from './requests.ts';
import { replyBody } from '../lib/reply.ts';
import { route } from '../lib/route.ts';
import type { Route } from '../lib/route.ts';
import { timelineEntryDocument } from './timeline-entry.ts';
import { trackedRoutes } from './tracked.ts';
import type { TrackedRoutesOptions } from './tracked.ts';

export interface RoutesOptions extends TrackedRoutesOptions {
  readonly version: string;
  /** Reads what a run wrote to one of its streams. */
  readonly openLog: (job: string, run: number, stream: 'stdout' | 'stderr') => LogReader;
  /** Makes a definition of an ad hoc job, the defaults filled in, or says what is wrong with it. */
  readonly makeDefinition: (body: AdHocJob) => JobDefinition | string;
}

export function createRoutes(options: RoutesOptions, events: RecentEvents): readonly Route[] {
  const { operator } = options;

  const routes: readonly Route[] = [
    route({
      method: 'GET',
      path: '/v1/openapi.json',
      summary: 'This interface, described',
      query: noQuery,
      status: 200,
      reply: z.unknown(),
      handle: () => Promise.resolve(openApiDocument(routes, options.version)),
    }),
    route({
      method: 'GET',
      path: '/v1/status',
      summary: 'The agent, its jobs and its budgets',
      query: noQuery,
      status: 200,
      reply: statusDocument,
      handle: () => Promise.resolve(operator.status()),
    }),
    route({
      method: 'GET',
      path: '/v1/jobs',
      summary: 'All jobs',
      query: noQuery,
      status: 200,
      reply: jobsDocument,
      handle: () => Promise.resolve({ schema: 1, jobs: operator.status().jobs }),
    }),
    route({
      method: 'POST',
      path: '/v1/jobs',
      summary: 'Start an ad hoc job',
      audited: true,
      query: noQuery,
      body: adHocJob,
      status: 201,
      reply: replyDocument,
      handle: ({ body }) => {
        const definition = options.makeDefinition(body);
        if (typeof definition === 'string') throw new Problem('invalid', `body: ${definition}`);
        return replyBody(operator.ask({ type: 'submit', definition }));
      },
    }),
    ...trackedRoutes(options),
    route({
      method: 'GET',
      path: '/v1/jobs/{name}',
      summary: 'One job',
      query: noQuery,
      status: 200,
      reply: jobDocument,
      handle: ({ name }) => Promise.resolve(findJob(operator, name)),
    }),
    route({
      method: 'POST',
      path: '/v1/jobs/{name}/start',
      summary: 'Start a configured job',
      audited: true,
      query: noQuery,
      body: emptyBody,
      status: 202,
      reply: replyDocument,
      handle: ({ name }) => replyBody(operator.ask({ type: 'start', job: name })),
    }),
    route({
      method: 'POST',
      path: '/v1/jobs/{name}/cancel',
      summary: 'Stop the whole process tree of a job',
      audited: true,
      query: noQuery,
      body: cancelBody,
      status: 202,
      reply: replyDocument,
      handle: ({ name, body, peer }) => {
        const graceMs = body.grace === undefined ? undefined : parseDuration(body.grace);
        return replyBody(
          operator.ask({
            type: 'cancel',
            job: name,
            by: nameOf(peer, body.by),
            ...(graceMs === undefined ? {} : { graceMs }),
          }),
        );
      },
    }),
    route({
      method: 'GET',
      path: '/v1/jobs/{name}/events',
      summary: 'The timeline of a job, oldest first',
      query: timelineQuery,
      status: 200,
      reply: timelineDocument,
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
      status: 200,
      reply: historyDocument,
      handle: async ({ name, query }) => {
        const { run, token } = query;
        const reply = await operator.ask({
          type: 'history',
          job: name,
          ...(run === undefined ? {} : { run }),
          ...(token === undefined ? {} : { token }),
        });
        return historyPage(reply);
      },
    }),
    route({
      method: 'GET',
      path: '/v1/jobs/{name}/logs',
      summary: 'What a run of a job wrote',
      query: logsQuery,
      status: 200,
      mediaType: 'text/plain',
      stream: true,
      handle: ({ name, query, response, signal }) => {
        const job = findJob(operator, name);
        const run = chooseRun(job, query.run);
        if (job.origin === 'tracked' && run === job.run) {
          throw new Problem('conflict', `${name} is only tracked: what it writes lies elsewhere`);
        }
        return streamLog({
          log: options.openLog(name, run, query.stream),
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
      path: '/v1/events',
      summary: 'New entries of all timelines, as server-sent events',
      query: eventsQuery,
      status: 200,
      mediaType: 'text/event-stream',
      stream: true,
      handle: ({ query, headers, response, signal }) =>
        streamEvents({
          events,
          job: query.job,
          after: query.after ?? headers['last-event-id']?.toString(),
          response,
          signal,
        }),
    }),
    ...outboxRoutes(operator),
    route({
      method: 'POST',
      path: '/v1/drain',
      summary: 'Take no more pipeline tasks',
      audited: true,
      query: noQuery,
      body: emptyBody,
      status: 200,
      reply: replyDocument,
      handle: () => replyBody(operator.ask({ type: 'drain' })),
    }),
    route({
      method: 'POST',
      path: '/v1/claim',
      summary: 'The state was moved to this host: what was withheld goes on here',
      audited: true,
      query: noQuery,
      body: emptyBody,
      status: 200,
      reply: replyDocument,
      handle: ({ peer }) => replyBody(operator.ask({ type: 'claim', by: nameOf(peer, undefined) })),
    }),
    route({
      method: 'POST',
      path: '/v1/resume',
      summary: 'Take pipeline tasks again',
      audited: true,
      query: noQuery,
      body: emptyBody,
      status: 200,
      reply: replyDocument,
      handle: () => replyBody(operator.ask({ type: 'resume' })),
    }),
    route({
      method: 'POST',
      path: '/v1/reload',
      summary: 'Read the configuration again; a bad one changes nothing',
      audited: true,
      query: noQuery,
      body: emptyBody,
      status: 200,
      reply: replyDocument,
      handle: () => replyBody(operator.reload()),
    }),
  ];
  return routes;
}

function historyPage(reply: Reply): HistoryDocument {
  if (!reply.ok) throw new Problem(reply.code, reply.message);
  const { updates = [], ...page } = reply.page ?? { region: '', stream: '', task: '' };
  return {
    schema: 1,
    ...page,
    updates: updates.map(({ stampS, ...update }) => ({
      ...(stampS === undefined ? {} : { at: iso(stampS * SECOND_MS) }),
      ...update,
    })),
  };
}

function findJob(operator: Operator, name: string): JobStatus {
  const job = operator.status().jobs.find((candidate) => candidate.name === name);
  if (job === undefined)
    throw new Problem('no-such-job', `there is no job ${JSON.stringify(name)}`);
  return job;
}

function chooseRun(job: JobStatus, wanted: number | undefined): number {
  if (job.run === undefined) throw new Problem('conflict', `${job.name} has never run`);
  if (wanted !== undefined && (wanted < 1 || wanted > job.run)) {
    throw new Problem('invalid', `query.run: ${job.name} has runs 1 to ${job.run}`);
  }
  return wanted ?? job.run;
}

/** Nothing more will be written by this run. */
function isOver(operator: Operator, name: string, run: number): boolean {
  const job = operator.status().jobs.find((candidate) => candidate.name === name);
  return job?.run !== run || job.endedAt !== undefined;
}
