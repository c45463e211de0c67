/**
 * The environment of a job: a clean base, the definition's own variables, and the marks by which the processes of the run
 * are found again. Nothing else of the agent's environment goes in: no AWS credentials, no NOTIFY_SOCKET.
 */
import { userInfo } from 'node:os';
import { defined } from '../../core/lib/defined.ts';
import type { Run } from '../../core/model/job.ts';
import type { JobUser } from './user.ts';

/** What a login would give, if the agent itself has no PATH. */
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
    ...defined({ TZ }),
    ...run.pipeline?.task.environment,
    ...run.definition.environment,
    ...marks(run, socketPath),
  };
}

/** The entries that together belong to this run and to no other. */
export function runMark(run: Run, socketPath: string): RunMark {
  return Object.entries(marks(run, socketPath)).map(([name, value]) => `${name}=${value}`);
}

export function isRunMark(name: string): boolean {
  return (MARKS as readonly string[]).includes(name);
}

const MARKS = ['MIGRATION_JOB', 'MIGRATION_RUN', 'MIGRATION_AGENT_SOCKET'] as const;

function marks(run: Run, socketPath: string): Record<(typeof MARKS)[number], string> {
  return {
    MIGRATION_JOB: run.job,
    MIGRATION_RUN: String(run.number),
    MIGRATION_AGENT_SOCKET: socketPath,
  };
}

/** systemd sets no HOME for a service of root; a uid without an account has none at all. */
export function ownAccount(): { readonly homedir: string; readonly username: string } {
  try {
    return userInfo();
  } catch {
    return { homedir: '/', username: String(process.getuid?.() ?? '') };
  }
}
