/** Who may run a program as another user: root, or a process with CAP_SETUID and CAP_SETGID (capabilities(7)). */

/** Bits of capability sets (linux/capability.h). */
const CAP_SETGID = 1n << 6n;
const CAP_SETUID = 1n << 7n;

/** What such an agent needs, for a sentence. */
export const SWITCHING_NEEDS = 'it must be root, or have CAP_SETUID and CAP_SETGID';

/** Gives a job's process all groups of its user, which Node has no word for, and none of the agent's capabilities. */
export const SETPRIV = '/usr/bin/setpriv';

/** `status`: /proc/self/status, whose CapEff counts for root as well: a service may have it taken away. */
export function maySwitchUsers(status: string): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  const needed = CAP_SETUID | CAP_SETGID;
  return effective !== undefined && (BigInt(`0x${effective}`) & needed) === needed;
}
