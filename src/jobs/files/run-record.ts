/**
 * `run.json` in a run's directory: the run as it was when it was started. The store is the agent's memory; this is for an agent
 * whose store was lost, or is an old copy. It lies there until the run has ended and nothing of it is pending.
 */
import { closeSync, constants, lstatSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defined } from '../../core/lib/defined.ts';
import type { HostIdentity } from '../../core/model/host-identity.ts';
import type { Run } from '../../core/model/job.ts';
import { NotOwnFile, openOwnSync, readOwnSync } from '../lib/own-file.ts';

export interface RunRecord {
  readonly run: Run;
  /** Where it was started: state directories are copied. */
  readonly host?: HostIdentity;
}

/** A command line and its environment have at most 2 MiB in Linux; a definition holds little more. */
const BYTES_MAX = 4 * 1024 * 1024;

export function writeRunRecord(directory: string, run: Run, host?: HostIdentity): void {
  const { O_CREAT, O_TRUNC, O_WRONLY } = constants;
  const file = openOwnSync(pathOf(directory), O_WRONLY | O_CREAT | O_TRUNC);
  try {
    writeFileSync(file, JSON.stringify(defined({ run, host })));
  } finally {
    closeSync(file);
  }
}

/** Absent: there is none, or not a whole one, or that of another run. Throws if the disk does not answer. */
export function readRunRecord(directory: string, id: string, spawn: number): RunRecord | undefined {
  try {
    const text = readOwnSync(pathOf(directory), BYTES_MAX);
    const record = text === undefined ? undefined : (JSON.parse(text) as RunRecord | null);
    const run = record?.run;
    return run?.id === id && run.spawn === spawn && isWhole(run)
      ? (record ?? undefined)
      : undefined;
  } catch (error) {
    if (error instanceof NotOwnFile || error instanceof SyntaxError || error instanceof TypeError) {
      return undefined;
    }
    throw error;
  }
}

/** True if something lies there, a whole record or not. */
export function hasRunRecord(directory: string): boolean {
  return lstatSync(pathOf(directory), { throwIfNoEntry: false }) !== undefined;
}

/** Nothing of the run is pending. A disk that refuses leaves it: a lost store then means that the run is reported again. */
export function removeRunRecord(directory: string): void {
  rmSync(pathOf(directory), { force: true });
}

function pathOf(directory: string): string {
  return join(directory, 'run.json');
}

/** Throws `TypeError` if a part is missing. */
function isWhole({ definition, hub, pipeline, requestedAt, state }: Run): boolean {
  const texts: unknown[] = [
    ...[definition.name, ...definition.command, definition.stop.signal],
    ...(hub === undefined ? [] : [hub.task]),
    ...(pipeline === undefined ? [] : [pipeline.task.taskId]),
  ];
  const isText = (value: unknown): boolean => typeof value === 'string';
  return state === 'starting' && Number.isFinite(requestedAt.bootMs) && texts.every(isText);
}
