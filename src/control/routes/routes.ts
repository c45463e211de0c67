/** The endpoints of the socket, by resource. server.ts reads requests and writes answers. */
import * as z from 'zod';
import { route } from '../lib/route.ts';
import type { Route } from '../lib/route.ts';
import { agentRoutes } from './agent.ts';
import { streamEvents } from './event-stream.ts';
import { jobRecordRoutes } from './job-records.ts';
import type { JobRecordRoutesOptions } from './job-records.ts';
import { jobRoutes } from './jobs.ts';
import type { JobRoutesOptions } from './jobs.ts';
import { outboxRoutes } from './outbox.ts';
import type { RecentEvents } from './recent-events.ts';
import { eventsQuery, noQuery } from './requests.ts';
import { trackedRoutes } from './tracked.ts';
import type { TrackedRoutesOptions } from './tracked.ts';

export interface RoutesOptions
  extends TrackedRoutesOptions, JobRoutesOptions, JobRecordRoutesOptions {
  readonly version: string;
}

export function createRoutes(options: RoutesOptions, events: RecentEvents): readonly Route[] {
  const routes: readonly Route[] = [
    route({
      method: 'GET',
      path: '/v1/openapi.json',
      summary: 'The description of this interface',
      query: noQuery,
      status: 200,
      reply: z.record(z.string(), z.unknown()),
      handle: async () => {
        const { openApiDocument } = await import('./openapi.ts');
        return openApiDocument(routes, options.version);
      },
    }),
    ...agentRoutes(options.operator),
    ...jobRoutes(options),
    ...trackedRoutes(options),
    ...jobRecordRoutes(options),
    ...outboxRoutes(options.operator),
    route({
      method: 'GET',
      path: '/v1/events',
      summary: 'New entries of all timelines, as server-sent events',
      query: eventsQuery,
      status: 200,
      requestHeaders: {
        'Last-Event-ID': 'Id of the last entry that the client has, if the query has no `after`.',
      },
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
  ];
  return routes;
}
