/** Requests to the agent as a whole: its status, draining, taking over moved state, reloading. */
import type { Status } from '../../core/model/status.ts';
import type { Operator } from '../../ports.ts';
import { wholeStatus } from '../lib/every-job.ts';
import { findJobDetail } from '../lib/find-job.ts';
import { nameOf } from '../lib/peer.ts';
import { replyBody } from '../lib/reply.ts';
import { route } from '../lib/route.ts';
import type { Route } from '../lib/route.ts';
import { emptyBody, noQuery, statusQuery } from './requests.ts';

export function agentRoutes(operator: Operator): readonly Route[] {
  const change = {
    method: 'POST',
    audited: true,
    privileged: true,
    status: 200,
    reply: 'reply',
  } as const;
  return [
    route({
      method: 'GET',
      path: '/v1/status',
      summary: 'The agent, its jobs and its budgets',
      query: statusQuery,
      status: 200,
      reply: 'status',
      handle: ({ query: { job } }) =>
        job === undefined ? wholeStatus(operator) : Promise.resolve(statusOfJob(operator, job)),
    }),
    route({
      ...change,
      path: '/v1/drain',
      summary: 'Take no more pipeline tasks',
      query: noQuery,
      body: emptyBody,
      handle: () => replyBody(operator.ask({ type: 'drain' })),
    }),
    route({
      ...change,
      path: '/v1/resume',
      summary: 'Take pipeline tasks again',
      query: noQuery,
      body: emptyBody,
      handle: () => replyBody(operator.ask({ type: 'resume' })),
    }),
    route({
      ...change,
      path: '/v1/claim',
      summary: 'The state was moved to this host: withheld runs continue here',
      query: noQuery,
      body: emptyBody,
      handle: ({ peer }) => replyBody(operator.ask({ type: 'claim', by: nameOf(peer, undefined) })),
    }),
    route({
      ...change,
      path: '/v1/reload',
      summary: 'Read the configuration again; an invalid one changes nothing',
      query: noQuery,
      body: emptyBody,
      handle: () => replyBody(operator.reload()),
    }),
  ];
}

function statusOfJob(operator: Operator, job: string): Status {
  const detail = findJobDetail(operator, job);
  return { schema: 1, agent: operator.agent(), jobs: [detail], budgets: operator.budgets() };
}
