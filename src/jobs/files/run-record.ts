/**
 * `run.json` in a run's directory: the run as it was when it was started. The store is the agent's memory; this is for an agent
 * whose store was lost, or is an old copy, while the job lives on.
 */
import { closeSync, constants, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Run } from '../../core/model/job.ts';
import { NotOwnFile, openOwnSync, readOwnSync } from '../lib/own-file.ts';

/** A command line and its environment have at most 2 MiB in Linux; a definition holds little more. */
const BYTES_MAX = 4 * 1024 * 1024;

export function writeRunRecord(directory: string, run: Run): void {
  const { O_CREAT, O_TRUNC, O_WRONLY } = constants;
  const file = openOwnSync(join(directory, 'run.json'), O_WRONLY | O_CREAT | O_TRUNC);
  try {
    writeFileSync(file, JSON.stringify(run));
  } finally {
    closeSync(file);
  }
}

/** Absent: there is none, or not a whole one, or that of another run. Throws if the disk does not answer. */
export function readRunRecord(directory: string, id: string, spawn: number): Run | undefined {
  try {
    const text = readOwnSync(join(directory, 'run.json'), BYTES_MAX);
    const run = text === undefined ? undefined : (JSON.parse(text) as Run | null);
    return run?.id === id && run.spawn === spawn && isWhole(run) ? run : undefined;
  } catch (error) {
    if (error instanceof NotOwnFile || error instanceof SyntaxError || error instanceof TypeError) {
      return undefined;
    }
    throw error;
  }
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
