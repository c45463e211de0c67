/**
 * Starts the keeper of a run (shim.ts): everything that can be known to be wrong is found before anything
 * runs, and told in words. Watching what was started is the watch's business.
 */
import { spawn } from 'node:child_process';
import { access, chmod, chown, constants, mkdir, open, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { ProcessIdentity, Run } from '../core/job.ts';
import { errorCode, errorWords } from './error-code.ts';
import { jobEnvironment, PATH_DEFAULT } from './job-environment.ts';
import { findUser } from './job-user.ts';
import { readProcess } from './process-table.ts';
import { SHIM } from './shim.ts';

/** How the job's programs see the host. */
export interface Launch {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Only where the job's user is not the agent's own. */
  readonly uid?: number;
  readonly gid?: number;
}

/** A keeper that this agent started. */
export interface Keeper {
  readonly process: ProcessIdentity;
  /** Resolves when it has ended, to its exit code or the signal that killed it. */
  readonly ended: Promise<number | string>;
}

/** The start cannot be made and nothing runs. The message is for the operator. */
export class StartRefused extends Error {}

/** Throws `StartRefused` where the user is unknown. */
export async function resolveLaunch(run: Run, socketPath: string): Promise<Launch> {
  const { definition } = run;
  const user = definition.user === undefined ? undefined : await findUser(definition.user);
  if (definition.user !== undefined && user === undefined) {
    throw new StartRefused(`there is no user ${definition.user} on this host`);
  }
  const env = jobEnvironment(run, socketPath, user);
  const isOther = user !== undefined && user.uid !== process.getuid?.();
  return {
    cwd: resolve(definition.workingDirectory ?? '/'),
    env,
    ...(isOther ? { uid: user.uid, gid: user.gid } : {}),
  };
}

/** Starts the keeper in `directory`, which nobody else uses. Throws `StartRefused` where nothing was started. */
export async function launchKeeper(
  run: Run,
  directory: string,
  launch: Launch,
  bootId: string,
): Promise<Keeper> {
  await checkWorkingDirectory(launch.cwd);
  await prepareDirectory(directory, launch);
  const logs = await Promise.all([
    open(join(directory, 'stdout.log'), 'a', 0o640),
    open(join(directory, 'stderr.log'), 'a', 0o640),
  ]);
  try {
    return await spawnKeeper(run, directory, launch, [logs[0].fd, logs[1].fd], bootId);
  } finally {
    // The keeper has its own descriptors: a failing close of ours takes nothing from it.
    await Promise.allSettled(logs.map((file) => file.close()));
  }
}

async function checkWorkingDirectory(path: string): Promise<void> {
  try {
    if (!(await stat(path)).isDirectory()) {
      throw new StartRefused(`the working directory ${path} is not a directory`);
    }
    await access(path, constants.X_OK);
  } catch (error) {
    if (error instanceof StartRefused) throw error;
    const words = errorCode(error) === 'ENOENT' ? 'does not exist' : 'cannot be entered';
    throw new StartRefused(`the working directory ${path} ${words}`, { cause: error });
  }
}

/**
 * Another user's keeper writes its records here through its group. The sticky bit keeps that user from
 * putting a file of its own in the place of a log that the agent reads.
 */
async function prepareDirectory(directory: string, { gid }: Launch): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if (gid === undefined) return;
  try {
    await chown(directory, -1, gid);
    await chmod(directory, 0o1770);
  } catch (error) {
    throw new StartRefused(
      `the run directory cannot be given to group ${gid}: ${errorWords(error)}`,
      {
        cause: error,
      },
    );
  }
}

async function spawnKeeper(
  run: Run,
  directory: string,
  { cwd, env, uid, gid }: Launch,
  [stdout, stderr]: readonly [number, number],
  bootId: string,
): Promise<Keeper> {
  const { command, user } = run.definition;
  const jobPath = env['PATH'] ?? PATH_DEFAULT;
  const args = ['-c', SHIM, 'migration-agent', String(run.spawn), cwd, jobPath, ...command];
  try {
    const child = spawn('/bin/sh', args, {
      cwd: directory,
      // The keeper needs its own tools (mkdir, mv), whatever PATH the job is given.
      env: { ...env, PATH: `${process.env['PATH'] ?? ''}:${PATH_DEFAULT}`.replace(/^:/, '') },
      // A session and group of its own: it outlives the agent and its terminal. Never pipes: they die with it.
      detached: true,
      stdio: ['ignore', stdout, stderr],
      ...(uid === undefined || gid === undefined ? {} : { uid, gid }),
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
      // Without /proc no process could be told from a stranger later on; the keeper cannot begin without it either.
      throw new StartRefused('/proc does not show the started process');
    }
    return { process: { pid: child.pid, bootId, startTicks }, ended };
  } catch (error) {
    if (error instanceof StartRefused) throw error;
    throw new StartRefused(reasonOf(error, user), { cause: error });
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
      return `the host has no room for another process (${errorWords(error)})`;
    default:
      return `the command cannot be started: ${errorWords(error)}`;
  }
}
