/**
 * `POST /v1/tracked` and `POST /v1/reports`: one or an array. An invalid item refuses the whole request, so that
 * nothing is half done. An item that the agent refuses (no such job, tracked already) concerns that item alone.
 */
import { defined } from '../../core/lib/defined.ts';
import type { Reply } from '../../core/model/action.ts';
import type { JobDefinition, ReaderIdentity } from '../../core/model/job.ts';
import type { Operator } from '../../ports.ts';
import { isAgentOrRoot } from '../lib/ad-hoc.ts';
import type { AdHocRights } from '../lib/ad-hoc.ts';
import type { Peer } from '../lib/peer.ts';
import { listed, Problem } from '../lib/problem.ts';
import { noQuery } from './requests.ts';
import { route } from '../lib/route.ts';
import type { Route } from '../lib/route.ts';
import { ITEMS_BYTES_MAX, manyReply, reportsBody, trackedBody } from './tracked-requests.ts';
import type { TrackedJob } from './tracked-requests.ts';

export interface TrackedRoutesOptions {
  readonly operator: Operator;
  /**
   * Makes a definition of each tracked job, its source found on this host, or returns what is wrong with it. `reader`:
   * whose rights must allow the reading; absent: the agent's own.
   */
  readonly makeTracked: (
    bodies: readonly TrackedJob[],
    reader: ReaderIdentity | undefined,
  ) => Promise<readonly (JobDefinition | string)[]>;
  /** Makes one plain line without secrets, short enough for every destination. */
  readonly plainDetail: (text: string) => string;
  readonly adHoc: () => AdHocRights;
}

export function trackedRoutes({
  operator,
  makeTracked,
  plainDetail,
  adHoc,
}: TrackedRoutesOptions): readonly Route[] {
  return [
    route({
      method: 'POST',
      path: '/v1/tracked',
      needsPeer: true,
      summary: 'Track work that somebody else runs: one or an array',
      query: noQuery,
      body: trackedBody,
      bodyBytesMax: ITEMS_BYTES_MAX,
      status: 201,
      reply: manyReply,
      handle: async ({ body, peer }) => {
        const reader = readerOf(peer, adHoc().agentUid);
        const bodies = Array.isArray(body) ? body : [body];
        const definitions = checked(await makeTracked(bodies, reader), Array.isArray(body));
        return outcomes(await operator.ask({ type: 'track', definitions }), Array.isArray(body));
      },
    }),
    route({
      method: 'POST',
      path: '/v1/reports',
      summary: 'Report percent, detail or end of jobs: one or an array',
      query: noQuery,
      body: reportsBody,
      bodyBytesMax: ITEMS_BYTES_MAX,
      status: 200,
      reply: manyReply,
      handle: async ({ body }) => {
        const reports = (Array.isArray(body) ? body : [body]).map(({ detail, ...report }) => ({
          ...defined(report),
          ...defined({ detail: detail === undefined ? undefined : plainDetail(detail) }),
        }));
        return outcomes(await operator.ask({ type: 'report', reports }), Array.isArray(body));
      },
    }),
  ];
}

/** Root and the agent's user read with the agent's rights, everybody else with their own. */
function readerOf(
  peer: Peer | undefined,
  agentUid: number | undefined,
): ReaderIdentity | undefined {
  if (isAgentOrRoot(peer, agentUid)) return undefined;
  return { uid: peer?.uid ?? UNKNOWN_UID, groups: peer?.groups ?? [] };
}

/** No file belongs to it: only what everybody may read is read. */
const UNKNOWN_UID = -1;

function checked(
  made: readonly (JobDefinition | string)[],
  isArray: boolean,
): readonly JobDefinition[] {
  const problems = made.flatMap((one, index) =>
    typeof one === 'string' ? `${isArray ? `body[${index}]` : 'body'}.${one}` : [],
  );
  if (problems.length > 0) throw new Problem('invalid', listed(problems, '; '));
  return made.filter((one) => typeof one !== 'string');
}

function outcomes(reply: Reply, isArray: boolean): unknown {
  if (!reply.ok) throw new Problem(reply.code, reply.message);
  const { message, run, refused = [] } = reply;
  const [first] = refused;
  if (!isArray && first !== undefined) throw new Problem(first.code, first.message);
  return isArray ? { message, refused } : defined({ run, message });
}
