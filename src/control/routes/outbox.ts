/** The outbox over the socket: read it, retry it now, drop what it holds. */
import { defined } from '../../core/lib/defined.ts';
import type { DestinationName, OutboxEntry } from '../../core/model/outbox.ts';
import type { Operator, OperatorRequest } from '../../ports.ts';
import { nameOf } from '../lib/peer.ts';
import { replyBody } from '../lib/reply.ts';
import { noQuery, outboxBody, outboxQuery } from './requests.ts';
import { route } from '../lib/route.ts';
import type { Route } from '../lib/route.ts';

export function outboxRoutes(operator: Operator): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/outbox',
      summary: 'Final reports and links that AWS has not accepted yet, with the reason',
      query: outboxQuery,
      status: 200,
      reply: 'outbox',
      handle: ({ query }) =>
        Promise.resolve({
          schema: 1,
          outbox: operator.outbox().filter((entry) => isChosen(entry, query)),
        }),
    }),
    route({
      method: 'POST',
      path: '/v1/outbox/retry',
      summary: 'Retry everything pending now, quarantined reports included',
      audited: true,
      privileged: true,
      query: noQuery,
      body: outboxBody,
      status: 200,
      reply: 'reply',
      handle: ({ body, peer }) =>
        replyBody(operator.ask(action('retry', body, nameOf(peer, body.by)))),
    }),
    route({
      method: 'POST',
      path: '/v1/outbox/drop',
      summary: 'Discard the pending reports of a job; without a job only quarantined ones',
      audited: true,
      privileged: true,
      query: noQuery,
      body: outboxBody,
      status: 200,
      reply: 'reply',
      handle: ({ body, peer }) =>
        replyBody(operator.ask(action('drop', body, nameOf(peer, body.by)))),
    }),
  ];
}

interface Asked {
  readonly job?: string | undefined;
  readonly destination?: DestinationName | undefined;
}

function action(what: 'retry' | 'drop', { job, destination }: Asked, by: string): OperatorRequest {
  return { type: 'outbox', action: what, choice: defined({ job, destination }), by };
}

function isChosen(entry: OutboxEntry, { job, destination }: Asked): boolean {
  return (
    (job === undefined || entry.job === job) &&
    (destination === undefined || entry.destination === destination)
  );
}
