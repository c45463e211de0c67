/**
 * The files of a run, in `<state>/runs/<job>/<number>/`: its logs, the control groups of its spawns, and in `.shim/` what the
 * shims write: start locks, started and exit records. Only the agent's user enters these directories.
 *
 * Everything here is synchronous and small: no cancel and no end of a run waits for the thread pool, which a dead file
 * system can fill.
 */
import {
  accessSync,
  constants,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import type { ProcessIdentity } from '../../core/model/job.ts';
import { RunCgroup } from '../process/cgroups.ts';
import { errorCode } from '../lib/error-code.ts';
import { NotOwnFile, openOwnSync, OWN_MODE, readOwnSync } from '../lib/own-file.ts';
import { RunLog } from './run-log.ts';

/** What the shim wrote before it ran the command. */
export interface StartedRecord {
  readonly process: ProcessIdentity;
  /** MIGRATION_AGENT_SOCKET of this spawn: part of the mark that its processes carry. */
  readonly socketPath: string;
}

/** File names may have 255 bytes; the rest is room for the mark of a continued name. */
const NAME_BYTES_MAX = 200;

/** A record is one short line; a socket path has at most 107 bytes. */
const RECORD_BYTES_MAX = 4096;

const DIRECTORY_MODE = 0o700;

export function runDirectory(stateDirectory: string, job: string, number: number): string {
  return join(stateDirectory, 'runs', ...encodeJob(job), String(number));
}

/** The job and the number of the run whose directory this is. */
export function jobOfDirectory(
  stateDirectory: string,
  directory: string,
): [job: string, number: number] {
  const pieces = relative(join(stateDirectory, 'runs'), directory).split('/');
  const number = Number(pieces.pop());
  const encoded = pieces.map((piece) => piece.replace(/\+$/, '')).join('');
  const job = encoded.replace(/%([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return [encoded === '%' ? '' : Buffer.from(job, 'latin1').toString('utf8'), number];
}

/** The shim's own directory. No piece of a job's name begins with a full stop (`encodeJob`). */
export function recordDirectory(directory: string): string {
  return join(directory, '.shim');
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

export function makeRunDirectory(directory: string): void {
  mkdirSync(recordDirectory(directory), { recursive: true, mode: DIRECTORY_MODE });
}

/** Makes or opens a log for a shim to append to. */
export function openLogSync(path: string): number {
  return openOwnSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT);
}

/**
 * Takes the start lock of a spawn for good, so that its shim can never begin. False: the shim has it. The lock of an agent is
 * a directory and that of a shim a file, so an agent that died right after it took one is not mistaken for a shim.
 * Throws if the disk does not answer.
 */
export function takeStartLock(directory: string, spawn: number): boolean {
  makeRunDirectory(directory);
  const lock = join(recordDirectory(directory), `start-lock.${spawn}`);
  try {
    mkdirSync(lock, { mode: DIRECTORY_MODE });
    return true;
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    return lstatSync(lock).isDirectory();
  }
}

/** The spawns whose start lock is taken; empty if the directory does not exist. */
export function lockedSpawns(directory: string): number[] {
  try {
    const names = readdirSync(recordDirectory(directory));
    return names.flatMap((name) => /^start-lock\.(\d+)$/.exec(name)?.[1] ?? []).map(Number);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Moves a directory of an older life of the state directory out of the way. */
export function moveAside(directory: string): void {
  for (let count = 1; ; count += 1) {
    const aside = `${directory}.aside-${count}`;
    try {
      accessSync(aside);
    } catch {
      renameSync(directory, aside);
      return;
    }
  }
}

export function readStarted(directory: string, spawn: number): StartedRecord | undefined {
  const record = readRecord(join(recordDirectory(directory), `started.${spawn}`));
  const [, pid, bootId, startTicks, socketPath] =
    /^(\d+) (\S+) (\d+) (.*)$/.exec(record ?? '') ?? [];
  if (pid === undefined || bootId === undefined || startTicks === undefined) return undefined;
  return { process: { pid: Number(pid), bootId, startTicks }, socketPath: socketPath ?? '' };
}

export function exitPath(directory: string, spawn: number): string {
  return join(recordDirectory(directory), `exit.${spawn}`);
}

/** The command's exit code as its shell reported it; absent if there is no (whole) record. */
export function readExit(directory: string, spawn: number): number | undefined {
  const record = readRecord(exitPath(directory, spawn));
  return record !== undefined && /^\d{1,3}$/.test(record) ? Number(record) : undefined;
}

/** The agent writes down which control group the spawn is in, before anything runs in it. */
export function writeCgroup(
  directory: string,
  spawn: number,
  bootId: string,
  cgroup: RunCgroup,
): void {
  const path = join(directory, `cgroup.${spawn}`);
  writeFileSync(path, `${bootId} ${cgroup.path}\n`, { flag: 'wx', mode: OWN_MODE });
}

/** The control group of the spawn; absent: it has none, or had it before the host was restarted. */
export function readCgroup(
  directory: string,
  spawn: number,
  bootId: string,
): RunCgroup | undefined {
  const record = readRecord(join(directory, `cgroup.${spawn}`));
  const [, boot, path] = /^(\S+) (\/.*)$/.exec(record ?? '') ?? [];
  return path === undefined || boot !== bootId ? undefined : new RunCgroup(path);
}

/** The agent writes down whose processes the spawn may have: after a restart the directory service may be away. */
export function writeJobUser(directory: string, spawn: number, uid: number): void {
  writeFileSync(join(directory, `user.${spawn}`), `${uid}\n`, { mode: OWN_MODE });
}

/** Absent: the job has the agent's own user. */
export function readJobUser(directory: string, spawn: number): number | undefined {
  const record = readRecord(join(directory, `user.${spawn}`));
  return record !== undefined && /^\d+$/.test(record) ? Number(record) : undefined;
}

/** Percent-encoded, in pieces that fit a file name; `+` means that the name goes on in the next one. */
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

/** Something else in the place of a record is no record. Throws if the disk does not answer. */
function readRecord(path: string): string | undefined {
  try {
    return readOwnSync(path, RECORD_BYTES_MAX)?.replace(/\n$/, '');
  } catch (error) {
    if (error instanceof NotOwnFile) return undefined;
    throw error;
  }
}
