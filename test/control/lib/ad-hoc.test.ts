/** Who may do what: root and the agent's own user everything, others what `agent.adHoc` lets them, a caller without a name nothing. */
import { describe, expect, test } from 'vitest';
import { adHocRefusal, controlRefusal, isAgentOrRoot } from '../../../src/control/lib/ad-hoc.ts';
import type { AdHocPolicy } from '../../../src/control/lib/ad-hoc.ts';
import type { Peer } from '../../../src/control/lib/peer.ts';

const AGENT_UID = 990;
const CALLERS: Readonly<Record<string, Peer | undefined>> = {
  root: { pid: 1, uid: 0, groups: [0] },
  agent: { pid: 1, uid: AGENT_UID, groups: [] },
  member: { pid: 1, uid: 1000, groups: [] },
  unknown: undefined,
};
const POLICIES: readonly AdHocPolicy[] = ['self', 'group', 'off'];

/** Names of the callers that are let through, by policy. */
function allowed(
  refusal: (policy: AdHocPolicy, peer: Peer | undefined) => string | undefined,
): unknown {
  return Object.fromEntries(
    POLICIES.map((policy) => [
      policy,
      Object.keys(CALLERS).filter((name) => refusal(policy, CALLERS[name]) === undefined),
    ]),
  );
}

test('commands that the configuration does not name', () => {
  expect(allowed((policy, peer) => adHocRefusal({ policy, agentUid: AGENT_UID }, peer))).toEqual({
    self: ['root', 'agent'],
    group: ['root', 'agent', 'member', 'unknown'],
    off: [],
  });
});

test('changes of the agent as a whole', () => {
  expect(
    allowed((policy, peer) => controlRefusal('drain', { policy, agentUid: AGENT_UID }, peer)),
  ).toEqual({
    self: ['root', 'agent'],
    group: ['root', 'agent', 'member', 'unknown'],
    off: ['root', 'agent'],
  });
});

test("on a host without users nobody is the agent's user, and an absent caller is not", () => {
  expect(isAgentOrRoot(CALLERS['agent'], undefined)).toBe(false);
  expect(isAgentOrRoot(undefined, undefined)).toBe(false);
});

describe('a refusal', () => {
  test.each([
    ['self', AGENT_UID, 'member', /\(uid 990\).*; this request came from uid 1000$/],
    ['self', undefined, 'member', /the user of the agent may/],
    ['self', AGENT_UID, 'unknown', /; who sent this request cannot be read on this host/],
    ['off', AGENT_UID, 'root', /agent\.adHoc is "off"/],
  ] as const)('of a command with %s, uid %s, to %s', (policy, agentUid, who, text) => {
    expect(adHocRefusal({ policy, agentUid }, CALLERS[who])).toMatch(text);
  });

  test('of a change names the request, the policy and the caller', () => {
    const rights = { policy: 'off', agentUid: AGENT_UID } as const;
    expect(controlRefusal('POST /v1/drain', rights, CALLERS['member'])).toMatch(
      /^POST \/v1\/drain is for root and the user of the agent \(uid 990\): with agent\.adHoc "off" .*; this request came from uid 1000$/,
    );
    expect(controlRefusal('drain', rights, undefined)).toMatch(/koffi is missing\)$/);
  });
});
