/**
 * Socket activation (sd_listen_fds(3)): systemd listens on the control socket and hands it to the agent. While the
 * agent restarts, clients wait in the socket's queue instead of being refused.
 */
import { defined } from '../core/lib/defined.ts';
import { readFileSync, readlinkSync } from 'node:fs';

/** SD_LISTEN_FDS_START: the first descriptor that is handed over. The unit has one. */
const FIRST_FD = 3;

export interface InheritedSocket {
  readonly fd: number;
  /** Where it listens; absent if /proc does not show it. */
  readonly path?: string;
}

/** The socket that systemd handed to this very process; `undefined`: none. */
export function inheritedSocket(environment: NodeJS.ProcessEnv): InheritedSocket | undefined {
  if (Number(environment['LISTEN_PID']) !== process.pid) return undefined;
  if (!(Number(environment['LISTEN_FDS']) >= 1)) return undefined;
  const path = pathOf(FIRST_FD);
  return defined({ fd: FIRST_FD, path });
}

/** The address of a Unix socket, by its inode (proc(5), /proc/net/unix). */
function pathOf(fd: number): string | undefined {
  try {
    const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1];
    if (inode === undefined) return undefined;
    const line = readFileSync('/proc/net/unix', 'utf8')
      .split('\n')
      .find((entry) => entry.split(/\s+/)[6] === inode);
    return line?.split(/\s+/).slice(7).join(' ');
  } catch {
    return undefined;
  }
}
