/**
 * What a caller of the socket may do. Everybody who can open it may read, `start`, `cancel`, `report` and `track` by name.
 * Root and the agent's own user may do everything. `agent.adHoc` decides who else may run commands that the configuration
 * does not name: those of `run`, and `start` of a name that was once run ad hoc. What counts is who the kernel says is at
 * the other end of the socket. A caller whom it does not name has the rights of the socket's group.
 */
import type { Peer } from './peer.ts';

/** The key `agent.adHoc`. */
export type AdHocPolicy = 'self' | 'group' | 'off';

export interface AdHocRights {
  readonly policy: AdHocPolicy;
  /** The agent's own user; absent on a host without users. */
  readonly agentUid: number | undefined;
}

/** Why the caller may not, with the key that decides it; `undefined` if it may. An unknown caller is not trusted. */
export function adHocRefusal(
  { policy, agentUid }: AdHocRights,
  peer: Peer | undefined,
): string | undefined {
  switch (policy) {
    case 'off':
      return 'agent.adHoc is "off": commands that the configuration does not name are refused; an administrator adds the job to `jobs`';
    case 'group':
      // A caller that could open the socket is root, the agent's user, or in the socket's group.
      return undefined;
    case 'self':
      if (isAgentOrRoot(peer, agentUid)) return undefined;
      return `agent.adHoc is "self": only root and the user of the agent${uidText(agentUid)} may run commands that the configuration does not name${callerText(peer)}`;
  }
}

/**
 * Why the caller may not change the agent as a whole; `undefined` if it may. With `agent.adHoc: group` the group runs any
 * command as the agent's user, and so has the rights of that user already.
 */
export function controlRefusal(
  request: string,
  { policy, agentUid }: AdHocRights,
  peer: Peer | undefined,
): string | undefined {
  if (policy === 'group' || isAgentOrRoot(peer, agentUid)) return undefined;
  return `${request} is for root and the user of the agent${uidText(agentUid)}: with agent.adHoc "${policy}" the socket's group may read, start, cancel, report and track by name${callerText(peer)}`;
}

/** Callers who may do whatever the agent may. */
export function isAgentOrRoot(peer: Peer | undefined, agentUid: number | undefined): boolean {
  return peer !== undefined && (peer.uid === 0 || peer.uid === agentUid);
}

function uidText(uid: number | undefined): string {
  return uid === undefined ? '' : ` (uid ${uid})`;
}

function callerText(peer: Peer | undefined): string {
  if (peer === undefined) {
    return '; who sent this request cannot be read on this host (the optional package koffi is missing)';
  }
  return `; this request came from uid ${peer.uid}`;
}
