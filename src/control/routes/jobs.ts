/** Jobs: list them, show one, start, run an ad hoc command, cancel. */
import { parseDuration } from '../../core/lib/duration.ts';
import { defined } from '../../core/lib/defined.ts';
import type { JobDefinition } from '../../core/model/job.ts';
import type { Operator } from '../../ports.ts';
import { adHocRefusal } from '../lib/ad-hoc.ts';
import type { AdHocRights } from '../lib/ad-hoc.ts';
import { everyJob } from '../lib/every-job.ts';
import { findJobDetail } from '../lib/find-job.ts';
import { nameOf } from '../lib/peer.ts';
import { Problem } from '../lib/problem.ts';
import { replyBody } from '../lib/reply.ts';
import { route } from '../lib/route.ts';
import type { Route } from '../lib/route.ts';
import { adHocJob, cancelBody, emptyBody, noQuery } from './requests.ts';
import type { AdHocJob } from './requests.ts';

export interface JobRoutesOptions {
  readonly operator: Operator;
  /** Makes a definition of an ad hoc job, the defaults filled in, or returns what is wrong with it. */
  readonly makeDefinition: (body: AdHocJob) => JobDefinition | string;
  /** Who may run what the configuration does not name, as it stands at this moment. */
  readonly adHoc: () => AdHocRights;
}

export function jobRoutes({ operator, makeDefinition, adHoc }: JobRoutesOptions): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/jobs',
      summary: 'All jobs',
      query: noQuery,
      status: 200,
      reply: 'jobs',
      handle: async () => ({ schema: 1, jobs: await everyJob(operator) }),
    }),
    route({
      method: 'GET',
      path: '/v1/names',
      summary: 'The names of all jobs',
      query: noQuery,
      status: 200,
      reply: 'names',
      handle: () => Promise.resolve({ schema: 1, names: operator.jobNames() }),
    }),
    route({
      method: 'GET',
      path: '/v1/jobs/{name}',
      summary: 'One job in full',
      query: noQuery,
      status: 200,
      reply: 'job',
      handle: ({ name }) => Promise.resolve(findJobDetail(operator, name)),
    }),
    route({
      method: 'POST',
      path: '/v1/jobs',
      summary: 'Run a command that the configuration does not name (agent.adHoc)',
      audited: true,
      query: noQuery,
      body: adHocJob,
      status: 201,
      reply: 'reply',
      handle: ({ body, peer }) => {
        const refusal = adHocRefusal(adHoc(), peer);
        if (refusal !== undefined) throw new Problem('forbidden', refusal);
        const definition = makeDefinition(body);
        if (typeof definition === 'string') throw new Problem('invalid', `body: ${definition}`);
        return replyBody(operator.ask({ type: 'submit', definition }));
      },
    }),
    route({
      method: 'POST',
      path: '/v1/jobs/{name}/start',
      summary: 'Start a job',
      audited: true,
      query: noQuery,
      body: emptyBody,
      status: 202,
      reply: 'reply',
      handle: ({ name, peer }) => {
        const refusal = adHocRefusal(adHoc(), peer);
        return replyBody(
          operator.ask({ type: 'start', job: name, ...defined({ adHocRefusal: refusal }) }),
        );
      },
    }),
    route({
      method: 'POST',
      path: '/v1/jobs/{name}/cancel',
      summary: 'Stop the whole process tree of a job',
      audited: true,
      query: noQuery,
      body: cancelBody,
      status: 202,
      reply: 'reply',
      handle: ({ name, body, peer }) => {
        const graceMs = body.grace === undefined ? undefined : parseDuration(body.grace);
        const by = nameOf(peer, body.by);
        return replyBody(operator.ask({ type: 'cancel', job: name, by, ...defined({ graceMs }) }));
      },
    }),
  ];
}
