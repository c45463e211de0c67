/**
 * Who may run a program as another user and stop it again: root, or a process with CAP_SETUID, CAP_SETGID and CAP_KILL
 * (capabilities(7)).
 */

/** Bits of capability sets (linux/capability.h). */
const CAP_KILL = 1n << 5n;
const CAP_SETGID = 1n << 6n;
const CAP_SETUID = 1n << 7n;

/** What such an agent needs, for a sentence. */
export const SWITCHING_NEEDS = 'it must be root, or have CAP_SETUID, CAP_SETGID and CAP_KILL';

/**
 * util-linux: becomes another user with all groups of that user and without capabilities. Node can do neither, so
 * jobs of other users need this program.
 */
export const SETPRIV = '/usr/bin/setpriv';

/** `status`: /proc/self/status. Its CapEff counts for root as well: a service may have it taken away. */
export function maySwitchUsers(status: string): boolean {
  const needed = CAP_KILL | CAP_SETUID | CAP_SETGID;
  return (capabilities(status, 'CapEff') & needed) === needed;
}

/** True if a program that is started without further ado would have capabilities (ambient ones, of a user other than root). */
export function handsDownCapabilities(status: string): boolean {
  return (capabilities(status, 'CapAmb') | capabilities(status, 'CapInh')) !== 0n;
}

function capabilities(status: string, set: 'CapEff' | 'CapAmb' | 'CapInh'): bigint {
  const mask = new RegExp(`^${set}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1];
  return mask === undefined ? 0n : BigInt(`0x${mask}`);
}
