/**
 * The plain back end: the shim of a run (shim-script.ts) is a child of the agent, in a session of its own and, if the kernel
 * allows it, in a control group of its own. It outlives the agent.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import type { ProcessIdentity } from '../../core/model/job.ts';
import { openLogSync, recordDirectory, writeCgroup } from '../files/run-directory.ts';
import { errorCode, errorText } from '../lib/error-code.ts';
import type { Cgroups, RunCgroup } from '../process/cgroups.ts';
import { enterJobFromShell, isExecutable, SCRIPT_NAME } from '../process/enter-job.ts';
import { readProcess } from '../process/process-table.ts';
import { StartRefused } from './launch.ts';
import type { Shim, ShimStart } from './launch.ts';
import { AWAIT_PLACE, BECOME_SUBREAPER, shim } from './shim-script.ts';

const PERL = '/usr/bin/perl';

/** The number of prctl(2), which perl must know. */
const PRCTL: Partial<Record<NodeJS.Architecture, string>> = { x64: '157', arm64: '167' };

/** Throws `StartRefused` if nothing was started. */
export async function startShimProcess(start: ShimStart, cgroups?: Cgroups): Promise<Shim> {
  const logs: number[] = [];
  try {
    for (const path of [start.logs.stdout, start.logs.stderr]) logs.push(openLogSync(path));
    const cgroup = cgroups?.create(start.run);
    // What was prepared when the start was asked for lasts a few milliseconds only.
    cgroups?.prepare();
    return await startInPlace(start, logs, cgroup).catch((error: unknown) => {
      if (error instanceof StartRefused) throw error;
      throw new StartRefused(reasonOf(error), { cause: error });
    });
  } finally {
    // The shim has its own descriptors.
    for (const file of logs) closeSync(file);
  }
}

async function startInPlace(
  start: ShimStart,
  logs: readonly number[],
  cgroup: RunCgroup | undefined,
): Promise<Shim> {
  const { run, directory, bootId } = start;
  const child = spawnShim(start, logs, cgroup !== undefined);
  const ended = new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? code ?? 0));
  });
  // Read before the loop turns: until then even an ended child keeps its entry.
  const identity = identify(child, bootId);
  await new Promise((started, failed) => {
    child.once('spawn', started).once('error', failed);
  });
  child.unref();
  try {
    if (identity === undefined) throw new StartRefused('/proc does not show the started process');
    if (cgroup?.place(identity.pid) === true) writeCgroup(directory, run.spawn, bootId, cgroup);
  } catch (error) {
    // On a full disk, for example. The shim waits to be released, and ends if nobody will.
    child.stdio[3]?.destroy();
    throw error;
  }
  release(child);
  return { process: identity, ended };
}

function spawnShim(
  { run, directory, launch }: ShimStart,
  [stdout, stderr]: readonly number[],
  hasCgroup: boolean,
): ChildProcess {
  const { become, args: given, env } = enterJobFromShell(launch, run.definition.command);
  const [program = '', ...args] = [
    ...(hasCgroup ? [] : subreaper()),
    ...['/bin/sh', '-c', AWAIT_PLACE + shim(become), SCRIPT_NAME, String(run.spawn)],
    ...given,
  ];
  return spawn(program, args, {
    cwd: recordDirectory(directory),
    env,
    // A session and group of its own: it outlives the agent and its terminal. Output goes to files: pipes would die
    // with the agent. The one pipe is for the first moment (AWAIT_PLACE).
    detached: true,
    stdio: ['ignore', stdout, stderr, 'pipe'],
  });
}

function identify({ pid }: ChildProcess, bootId: string): ProcessIdentity | undefined {
  const startTicks = pid === undefined ? undefined : readProcess(pid)?.startTicks;
  return pid === undefined || startTicks === undefined ? undefined : { pid, bootId, startTicks };
}

/** Lets the shim begin. */
function release(child: ChildProcess): void {
  const [, , , place] = child.stdio;
  if (place === null || place === undefined || !('end' in place)) return;
  // EPIPE: it has been killed meanwhile, which its exit shows.
  place.on('error', () => undefined);
  place.end('\n');
}

/** How to start a shim that adopts orphans, if this host can (BECOME_SUBREAPER). */
function subreaper(): readonly string[] {
  const prctl = PRCTL[process.arch];
  if (prctl === undefined || !isExecutable(PERL)) return [];
  return [PERL, '-e', BECOME_SUBREAPER, prctl];
}

function reasonOf(error: unknown): string {
  switch (errorCode(error) ?? '') {
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
