/**
 * Reads /proc: which processes there are, who started them, when, and with which environment. A pid alone
 * names nobody for long; with the boot and the start time it does (field 22 of /proc/PID/stat, in clock ticks,
 * untouched by clock steps and suspend).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setImmediate as yieldToLoop } from 'node:timers/promises';
import type { ProcessIdentity } from '../../core/model/job.ts';

export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** One letter, as ps shows it: R, S, D, T, Z … */
  readonly state: string;
  readonly startTicks: string;
}

/** The loop is never held longer than this by a scan: hosts with many thousand processes exist. */
const HOLD_MS_MAX = 3;

/** Absent: there is no such process. */
export function readProcess(pid: number): ProcessEntry | undefined {
  const stat = readProcFile(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The name in parentheses may itself hold blanks and parentheses: fields count from after the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, parent, group, session] = fields;
  const startTicks = fields[19];
  if (state === undefined || startTicks === undefined) return undefined;
  return {
    pid,
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    state,
    startTicks,
  };
}

/** A zombie has ended and only waits to be fetched by its parent. */
export function isAlive(entry: ProcessEntry): boolean {
  return entry.state !== 'Z' && entry.state !== 'X';
}

/** True while exactly this process lives: not one that was given its pid since. */
export function lives(identity: ProcessIdentity, bootId: string): boolean {
  if (identity.bootId !== bootId) return false;
  const entry = readProcess(identity.pid);
  return entry?.startTicks === identity.startTicks && isAlive(entry);
}

/**
 * Every process, newest pid first (what is being forked now is seen before it is gone again). `visit` sees each
 * one within microseconds of its being read.
 */
export async function readProcesses(visit: (entry: ProcessEntry) => void): Promise<ProcessEntry[]> {
  const pids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .reverse();
  const entries: ProcessEntry[] = [];
  let heldSince = performance.now();
  for (const pid of pids) {
    const entry = readProcess(Number(pid));
    if (entry !== undefined) {
      entries.push(entry);
      visit(entry);
    }
    if (performance.now() - heldSince > HOLD_MS_MAX) {
      await yieldToLoop();
      heldSince = performance.now();
    }
  }
  return entries;
}

/** True where the process was started with all of these entries. False also where the kernel does not show them. */
export function hasEnvironment(pid: number, entries: readonly string[]): boolean {
  const environment = readProcFile(`/proc/${pid}/environ`);
  if (environment === undefined || environment === '') return false;
  const bounded = `\0${environment}\0`;
  return entries.every((entry) => bounded.includes(`\0${entry}\0`));
}

/** A process may end while it is being read (ENOENT, ESRCH), and may not be ours to look into (EACCES). */
function readProcFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
