/**
 * The files of a run: `<state>/runs/<job>/<number>/` with the start lock, the records and the logs of its
 * spawns. Who writes which is told in shim-script.ts; here they are found, locked and read.
 *
 * The job's user may write into the directory (the shim runs as that user), so nothing in it is followed
 * through a link, and what a record says of a process is believed only after a look at the process.
 */
import { access, lstat, mkdir, open, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessIdentity } from '../../core/model/job.ts';
import { RunCgroup } from '../process/cgroups.ts';
import { errorCode } from '../lib/error-code.ts';
import { openUnfollowedIfThere } from '../lib/open-unfollowed.ts';
import { RunLog } from './run-log.ts';

/** What the shim wrote before it ran the command. */
export interface StartedRecord {
  readonly process: ProcessIdentity;
  /** MIGRATION_AGENT_SOCKET of this spawn: part of the mark its processes carry. */
  readonly socketPath: string;
}

/** File names may have 255 bytes; the rest is room for the mark of a continued name. */
const NAME_BYTES_MAX = 200;

/** A record is one short line; a socket path has at most 107 bytes. */
const RECORD_BYTES_MAX = 4096;

export function runDirectory(stateDirectory: string, job: string, number: number): string {
  return join(stateDirectory, 'runs', ...encodeJob(job), String(number));
}

/** Where a run's output lies, for a reader. The files may not be there yet. */
export function runLogPaths(
  stateDirectory: string,
  job: string,
  number: number,
): { readonly stdout: string; readonly stderr: string } {
  const directory = runDirectory(stateDirectory, job, number);
  return { stdout: join(directory, 'stdout.log'), stderr: join(directory, 'stderr.log') };
}

/** What a run wrote to one of its streams. */
export function openRunLog(
  stateDirectory: string,
  job: string,
  number: number,
  stream: 'stdout' | 'stderr',
): RunLog {
  return new RunLog(runLogPaths(stateDirectory, job, number)[stream]);
}

/**
 * Takes the spawn's start lock for good, so that its shim can never begin. False: the shim has it. An agent's start lock is
 * a file and a shim's a directory: an agent that died right after it took one is not mistaken for a shim.
 * Throws where the disk does not say.
 */
export async function takeStartLock(directory: string, spawn: number): Promise<boolean> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const startLock = join(directory, `start-lock.${spawn}`);
  try {
    const file = await open(startLock, 'wx', 0o600);
    await file.close();
    return true;
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    return (await lstat(startLock)).isFile();
  }
}

/** The spawns that were locked in this directory; empty where it does not exist. */
export async function lockedSpawns(directory: string): Promise<number[]> {
  try {
    const names = await readdir(directory);
    return names.flatMap((name) => /^start-lock\.(\d+)$/.exec(name)?.[1] ?? []).map(Number);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Moves a directory that an older life of the state directory left out of the way. */
export async function moveAside(directory: string): Promise<void> {
  for (let count = 1; ; count += 1) {
    const aside = `${directory}.aside-${count}`;
    try {
      await access(aside);
    } catch {
      await rename(directory, aside);
      return;
    }
  }
}

export async function readStarted(
  directory: string,
  spawn: number,
): Promise<StartedRecord | undefined> {
  const record = await readRecord(join(directory, `started.${spawn}`));
  const [, pid, bootId, startTicks, socketPath] =
    /^(\d+) (\S+) (\d+) (.*)$/.exec(record ?? '') ?? [];
  if (pid === undefined || bootId === undefined || startTicks === undefined) return undefined;
  return { process: { pid: Number(pid), bootId, startTicks }, socketPath: socketPath ?? '' };
}

/** The command's exit code as its shell told it; absent where there is no (whole) record. */
export async function readExit(directory: string, spawn: number): Promise<number | undefined> {
  const record = await readRecord(join(directory, `exit.${spawn}`));
  return record !== undefined && /^\d{1,3}$/.test(record) ? Number(record) : undefined;
}

/** The agent writes down which control group the spawn is in, before anything runs in it. */
export async function writeCgroup(
  directory: string,
  spawn: number,
  bootId: string,
  cgroup: RunCgroup,
): Promise<void> {
  const path = join(directory, `cgroup.${spawn}`);
  await writeFile(path, `${bootId} ${cgroup.path}\n`, { flag: 'wx', mode: 0o600 });
}

/** The control group of the spawn; absent: it has none, or had it before the host was restarted. */
export async function readCgroup(
  directory: string,
  spawn: number,
  bootId: string,
): Promise<RunCgroup | undefined> {
  const record = await readRecord(join(directory, `cgroup.${spawn}`), { byAgent: true });
  const [, boot, path] = /^(\S+) (\/.*)$/.exec(record ?? '') ?? [];
  return path === undefined || boot !== bootId ? undefined : new RunCgroup(path);
}

/** Percent-encoded, in pieces that fit a file name; `+` says that the name goes on in the next one. */
function encodeJob(job: string): string[] {
  const encoded = Array.from(Buffer.from(job, 'utf8'), encodeByte).join('') || '%';
  const pieces: string[] = [];
  for (let at = 0; at < encoded.length; at += NAME_BYTES_MAX) {
    const more = at + NAME_BYTES_MAX < encoded.length ? '+' : '';
    pieces.push(encoded.slice(at, at + NAME_BYTES_MAX) + more);
  }
  return pieces;
}

function encodeByte(byte: number, index: number): string {
  const character = String.fromCharCode(byte);
  const safe = index === 0 ? /[A-Za-z0-9_-]/ : /[A-Za-z0-9_.-]/;
  return safe.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}

/** With `byAgent` only what the agent itself has written. */
async function readRecord(
  path: string,
  { byAgent = false }: { byAgent?: boolean } = {},
): Promise<string | undefined> {
  const file = await openUnfollowedIfThere(path);
  if (file === undefined) return undefined;
  try {
    if (byAgent && (await file.stat()).uid !== process.geteuid?.()) return undefined;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(RECORD_BYTES_MAX), 0);
    return buffer.toString('utf8', 0, bytesRead).replace(/\n$/, '');
  } finally {
    await file.close();
  }
}
