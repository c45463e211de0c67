/**
 * The plain back end: the shim of a run (shim-script.ts) is a child of the agent, in a session of its own and, where the
 * kernel allows it, in a control group of its own. It outlives the agent.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { SETPRIV } from '../../core/lib/privileges.ts';
import type { Cgroups } from '../process/cgroups.ts';
import { errorCode, errorText } from '../lib/error-code.ts';
import { PATH_DEFAULT } from '../process/environment.ts';
import { StartRefused } from './launch.ts';
import type { Shim, ShimStart } from './launch.ts';
import type { Launch } from '../process/launch-spec.ts';
import { readProcess } from '../process/process-table.ts';
import { writeCgroup } from '../files/run-directory.ts';
import { AWAIT_PLACE, BECOME_SUBREAPER, SHIM } from './shim-script.ts';

/** Throws `StartRefused` where nothing was started. */
export async function startShimProcess(start: ShimStart, cgroups?: Cgroups): Promise<Shim> {
  const logs = await Promise.all([open(start.logs.stdout, 'a'), open(start.logs.stderr, 'a')]);
  try {
    return await spawnShim(start, [logs[0].fd, logs[1].fd], cgroups);
  } catch (error) {
    if (error instanceof StartRefused) throw error;
    throw new StartRefused(reasonOf(error, start.run.definition.user), { cause: error });
  } finally {
    // The shim has its own descriptors: a failing close of ours takes nothing from it.
    await Promise.allSettled(logs.map((file) => file.close()));
  }
}

async function spawnShim(
  { run, directory, launch, bootId }: ShimStart,
  [stdout, stderr]: readonly [number, number],
  cgroups: Cgroups | undefined,
): Promise<Shim> {
  const { cwd, env } = launch;
  const cgroup = cgroups?.create(run);
  const shell = ['/bin/sh', '-c', AWAIT_PLACE + SHIM, 'migration-agent'];
  const message = [String(run.spawn), cwd, env['PATH'] ?? PATH_DEFAULT, ...run.definition.command];
  const reaper = cgroup === undefined ? subreaper(env) : undefined;
  const user = otherUser(launch);
  const [program = '', ...args] = [
    ...(user?.command ?? []),
    ...(reaper?.command ?? []),
    ...shell,
    ...message,
  ];
  const child = spawn(program, args, {
    cwd: directory,
    // The shim needs its own tools (mkdir, mv), whatever PATH the job is given.
    env: {
      ...env,
      ...reaper?.env,
      PATH: `${process.env['PATH'] ?? ''}:${PATH_DEFAULT}`.replace(/^:/, ''),
    },
    // A session and group of its own: it outlives the agent and its terminal. Output goes to files: pipes would die
    // with the agent. The one pipe is for the first moment (AWAIT_PLACE).
    detached: true,
    stdio: ['ignore', stdout, stderr, 'pipe'],
    ...user?.ids,
  });
  const ended = new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? code ?? 0));
  });
  // Read before the loop turns: until then even an ended child keeps its entry.
  const startTicks = child.pid === undefined ? undefined : readProcess(child.pid)?.startTicks;
  await new Promise((started, failed) => {
    child.once('spawn', started).once('error', failed);
  });
  child.unref();
  if (child.pid === undefined || startTicks === undefined) {
    // Without /proc no process could be told from a stranger later on; the shim cannot begin without it either.
    throw new StartRefused('/proc does not show the started process');
  }
  try {
    if (cgroup?.place(child.pid) === true) await writeCgroup(directory, run.spawn, bootId, cgroup);
  } catch (error) {
    // On a full disk, say: it waits to be released, and ends when nobody will.
    child.stdio[3]?.destroy();
    throw error;
  }
  release(child);
  return { process: { pid: child.pid, bootId, startTicks }, ended };
}

/**
 * How a shim becomes the job's user. setpriv (util-linux) gives it all groups of that user, which Node has no word
 * for, and none of the agent's capabilities; a host without it gives the main group alone.
 */
function otherUser({
  uid,
  gid,
}: Launch): { command?: readonly string[]; ids?: { uid: number; gid: number } } | undefined {
  if (uid === undefined || gid === undefined) return undefined;
  if (!isExecutable(SETPRIV)) return { ids: { uid, gid } };
  const drop = ['--init-groups', '--inh-caps=-all', '--ambient-caps=-all', '--'];
  return { command: [SETPRIV, `--reuid=${uid}`, `--regid=${gid}`, ...drop] };
}

/** Lets the shim begin. */
function release(child: ChildProcess): void {
  const [, , , place] = child.stdio;
  if (place === null || place === undefined || !('end' in place)) return;
  // EPIPE: it has been killed meanwhile, which its exit tells.
  place.on('error', () => undefined);
  place.end('\n');
}

/** How to make a shim that adopts orphans, where this host can (BECOME_SUBREAPER). */
function subreaper(
  env: Readonly<Record<string, string>>,
): { command: readonly string[]; env: Readonly<Record<string, string>> } | undefined {
  const prctl = { x64: '157', arm64: '167' }[process.arch as string];
  // What is meant for the job's perl could change what ours does.
  const isForPerl = Object.keys(env).some((name) => name.startsWith('PERL'));
  if (prctl === undefined || isForPerl || !isExecutable('/usr/bin/perl')) return undefined;
  // No warnings about a locale that the host does not have: the job's stderr is the job's.
  return {
    command: ['/usr/bin/perl', '-e', BECOME_SUBREAPER, prctl],
    env: { PERL_BADLANG: '0' },
  };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function reasonOf(error: unknown, user: string | undefined): string {
  switch (errorCode(error) ?? '') {
    case 'EPERM':
      return `the agent may not run programs as user ${user ?? 'of the job'}: it needs CAP_SETUID and CAP_SETGID`;
    case 'ENOENT':
      return 'there is no /bin/sh on this host';
    case 'E2BIG':
      return 'the command and its environment are too long for the kernel';
    case 'EAGAIN':
    case 'ENOMEM':
      return `the host has no room for another process (${errorText(error)})`;
    default:
      return `the command cannot be started: ${errorText(error)}`;
  }
}
