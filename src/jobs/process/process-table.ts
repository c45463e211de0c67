/**
 * Reads /proc: which processes there are, who started them, when, and with which environment. A pid alone names a process
 * for a short time only; with the boot and the start time it names one for ever (field 22 of /proc/PID/stat, in clock ticks,
 * untouched by clock steps and suspend).
 *
 * All reads are synchronous: the kernel answers from memory, and a cancel must not wait for the thread pool, which a dead
 * file system can fill. Only /proc/PID/environ may wait for another process (locked-memory.ts).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setImmediate as yieldToLoop } from 'node:timers/promises';
import type { ProcessIdentity } from '../../core/model/job.ts';
import { errorCode, errorText } from '../lib/error-code.ts';

/**
 * A process cannot be seen just now: no descriptors, no memory, an unreadable /proc. Whether it lives is unknown, and nobody
 * may conclude that it has ended.
 */
export class CannotSee extends Error {}

export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** One letter, as ps shows it: R, S, D, T, Z … */
  readonly state: string;
  readonly threads: number;
  readonly startTicks: string;
}

/** A scan never holds the loop longer than this: hosts with many thousand processes exist. */
const HOLD_MS_MAX = 3;

/** On a busy host some process ends during each look. */
const LISTS_MAX = 4;

/** The process has ended: not found, or ended while it was read. */
const GONE = ['ENOENT', 'ESRCH'];

/** It is somebody else's, and this host shows it to nobody else. */
const HIDDEN = ['EACCES', 'EPERM'];

/** Absent: there is no such process. Throws `CannotSee`. */
export function readProcess(pid: number): ProcessEntry | undefined {
  const stat = readProcFile(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The name in parentheses may itself hold blanks and parentheses: fields count from after the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, parent, group, session] = fields;
  const threads = fields[17];
  const startTicks = fields[19];
  if (state === undefined || startTicks === undefined) {
    throw new CannotSee(`/proc/${pid}/stat has an unknown form`);
  }
  return {
    pid,
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    state,
    threads: Number(threads),
    startTicks,
  };
}

/** A zombie has ended and only waits for its parent; but one whose first thread alone has ended works on in the others. */
export function isAlive({ state, threads }: ProcessEntry): boolean {
  return state !== 'X' && (state !== 'Z' || threads > 1);
}

/** True while exactly this process lives: not one that was given its pid since. Throws `CannotSee`. */
export function lives(identity: ProcessIdentity, bootId: string): boolean {
  if (identity.bootId !== bootId) return false;
  const entry = readProcess(identity.pid);
  if (entry === undefined) mustBeGone(identity.pid);
  return entry?.startTicks === identity.startTicks && isAlive(entry);
}

/** /proc may show processes of others as missing (hidepid=invisible). A process that refuses a signal is there. */
function mustBeGone(pid: number): void {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (errorCode(error) !== 'EPERM' || readProcess(pid) !== undefined) return;
    throw new CannotSee(
      `process ${pid} is hidden from this user (hidepid= of /proc): run the agent as its user or as root, or mount /proc with gid= of a group of the agent`,
      { cause: error },
    );
  }
}

/**
 * Every process, highest pid first (until pids begin anew, what is being forked now is seen before it is gone again), and then
 * those that were started by one that has ended meanwhile. `visit` gets each one within microseconds of its being read.
 * Throws `CannotSee`, also if a process that `isKnown` is hidden; other hidden ones are of other users (hidepid= of proc(5))
 * and are left out.
 */
export async function readProcesses(
  visit: (entry: ProcessEntry) => void,
  isKnown: (pid: number) => boolean = () => false,
): Promise<ProcessEntry[]> {
  const entries: ProcessEntry[] = [];
  const listed = new Set<number>();
  let heldSince = performance.now();
  let hasAnyEnded = true;
  // One that has ended since the list was made may have started another one, which the list does not have.
  for (let lists = 0; hasAnyEnded && lists < LISTS_MAX; lists++) {
    hasAnyEnded = false;
    for (const pid of listPids().filter((listedPid) => !listed.has(listedPid))) {
      listed.add(pid);
      const entry = readUnlessHidden(pid, isKnown);
      if (entry === undefined || !isAlive(entry)) hasAnyEnded = true;
      if (entry !== undefined) {
        entries.push(entry);
        visit(entry);
      }
      if (performance.now() - heldSince > HOLD_MS_MAX) {
        await yieldToLoop();
        heldSince = performance.now();
      }
    }
  }
  return entries;
}

/**
 * True if the process was started with all of these entries. False also if its environment is hidden from this user: then
 * it shows nothing. Throws `CannotSee`.
 */
export function hasEnvironment(pid: number, entries: readonly string[]): boolean {
  return isMarked(readUnlessRefused(`/proc/${pid}/environ`) ?? '', entries);
}

/** `environment` as /proc shows it; an empty one shows nothing. */
export function isMarked(environment: string, entries: readonly string[]): boolean {
  if (environment === '') return false;
  const bounded = `\0${environment}\0`;
  return entries.every((entry) => bounded.includes(`\0${entry}\0`));
}

/** The user who started the process (its real uid). Absent: it has ended, or is hidden. Throws `CannotSee`. */
export function userOf(pid: number): number | undefined {
  const uid = /^Uid:\s*(\d+)/m.exec(readUnlessRefused(`/proc/${pid}/status`) ?? '')?.[1];
  return uid === undefined ? undefined : Number(uid);
}

function listPids(): number[] {
  try {
    const names = readdirSync('/proc');
    return names
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .sort((a, b) => b - a);
  } catch (error) {
    throw new CannotSee(`/proc cannot be listed: ${errorText(error)}`, { cause: error });
  }
}

function readUnlessHidden(
  pid: number,
  isKnown: (pid: number) => boolean,
): ProcessEntry | undefined {
  try {
    return readProcess(pid);
  } catch (error) {
    const isHidden = error instanceof Error && HIDDEN.includes(errorCode(error.cause) ?? '');
    if (isHidden && !isKnown(pid)) return undefined;
    throw error;
  }
}

function readUnlessRefused(path: string): string | undefined {
  try {
    return readProcFile(path);
  } catch (error) {
    if (error instanceof Error && HIDDEN.includes(errorCode(error.cause) ?? '')) return undefined;
    throw error;
  }
}

/** Absent: the process has ended. */
function readProcFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (GONE.includes(errorCode(error) ?? '')) return undefined;
    throw new CannotSee(`${path} cannot be read: ${errorText(error)}`, { cause: error });
  }
}
