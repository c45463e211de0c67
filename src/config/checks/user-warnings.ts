/**
 * What this host lacks for jobs with a `user:`. Checked as the current user: `config check` may be run by another user than
 * the agent.
 */
import { accessSync, constants, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { maySwitchUsers, SETPRIV, SWITCHING_NEEDS } from '../../core/lib/privileges.ts';
import type { Finding } from './cross-checks.ts';
import type { ConfigurationFile } from '../schema/schema.ts';

/** What the current user may do here. */
interface Host {
  readonly name: string;
  readonly uid: number;
  readonly maySwitch: boolean;
  readonly hasSetpriv: boolean;
}

export function userWarnings(file: ConfigurationFile, own: Host = thisHost()): Finding[] {
  const message = own.maySwitch
    ? withoutSetpriv(own)
    : `${own.name} may not run jobs as another user; where that is the agent's user too, ${SWITCHING_NEEDS}`;
  if (message === undefined) return [];
  return Object.entries(file.jobs).flatMap(([name, { user }]) =>
    user === undefined || user === own.name || user === String(own.uid)
      ? []
      : { path: ['jobs', name, 'user'], message },
  );
}

/** Such a job is refused on a host without setpriv; undefined if the host has it. */
function withoutSetpriv({ hasSetpriv }: Host): string | undefined {
  return hasSetpriv
    ? undefined
    : `there is no ${SETPRIV} (util-linux) on this host: the job cannot start`;
}

function thisHost(): Host {
  const uid = process.getuid?.() ?? 0;
  let name = `uid ${uid}`;
  try {
    name = userInfo().username;
  } catch {
    // A user id without an account.
  }
  let maySwitch = true;
  try {
    maySwitch = maySwitchUsers(readFileSync('/proc/self/status', 'utf8'));
  } catch {
    // Not on Linux: the agent itself will not run there.
  }
  return { name, uid, maySwitch, hasSetpriv: isExecutable(SETPRIV) };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
