/**
 * The environment of a job: a clean base, the definition's own, and the mark by which the run's processes are
 * found again. Nothing else of the agent's environment goes in: no AWS credentials, no NOTIFY_SOCKET.
 */
import { userInfo } from 'node:os';
import type { Run } from '../../core/model/job.ts';
import type { JobUser } from './user.ts';

/** What a login would give where the agent itself has no PATH. */
export const PATH_DEFAULT = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Names a run in the environment of each of its processes. */
export type RunMark = readonly string[];

export function jobEnvironment(
  run: Run,
  socketPath: string,
  user: JobUser | undefined,
): Record<string, string> {
  const { HOME, USER, PATH, LANG, TZ } = process.env;
  return {
    PATH: PATH ?? PATH_DEFAULT,
    HOME: user?.home ?? HOME ?? ownAccount().homedir,
    USER: user?.name ?? USER ?? ownAccount().username,
    LANG: LANG ?? 'C.UTF-8',
    // Absent means the host's own zone (/etc/localtime).
    ...(TZ === undefined ? {} : { TZ }),
    ...run.pipeline?.task.environment,
    ...run.definition.environment,
    ...mark(run, socketPath),
  };
}

/** The entries that together belong to this run and to no other. */
export function runMark(run: Run, socketPath: string): RunMark {
  return Object.entries(mark(run, socketPath)).map(([name, value]) => `${name}=${value}`);
}

/** systemd sets no HOME for a service of root; a uid without an account has none at all. */
function ownAccount(): { readonly homedir: string; readonly username: string } {
  try {
    return userInfo();
  } catch {
    return { homedir: '/', username: String(process.getuid?.() ?? '') };
  }
}

function mark(run: Run, socketPath: string): Record<string, string> {
  return {
    MIGRATION_JOB: run.job,
    MIGRATION_RUN: String(run.number),
    MIGRATION_AGENT_SOCKET: socketPath,
  };
}
