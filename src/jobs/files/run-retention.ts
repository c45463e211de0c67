/**
 * Removes the files of runs that ended long ago. A run that is watched is never touched, nor one whose files have changed
 * since: a new record of an end that nobody has read yet is such a change.
 */
import type { Dirent } from 'node:fs';
import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../lib/error-code.ts';
import { recordDirectory } from './run-directory.ts';

const RECORDS = recordDirectory('');

export async function removeRun(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
}

/** Removes the directories of runs in which nothing has changed since `beforeMs`, but none of `watched`. */
export async function removeOldRuns(
  stateDirectory: string,
  beforeMs: number,
  watched: ReadonlySet<string>,
): Promise<void> {
  await sweep(join(stateDirectory, 'runs'), beforeMs, watched);
}

async function sweep(
  directory: string,
  beforeMs: number,
  watched: ReadonlySet<string>,
): Promise<void> {
  for (const entry of await entriesOf(directory)) {
    if (!entry.isDirectory()) continue;
    const path = join(directory, entry.name);
    // `<job>/<number>`, and a long job name has several pieces: only a run has a record directory.
    const names = (await entriesOf(path)).map(({ name }) => name);
    if (!names.includes(RECORDS)) {
      await sweep(path, beforeMs, watched);
    } else if (!watched.has(path) && (await newestMs(path, names)) < beforeMs) {
      await removeRun(path);
    }
  }
}

async function newestMs(directory: string, names: readonly string[]): Promise<number> {
  const records = (await entriesOf(join(directory, RECORDS))).map(({ name }) => name);
  const paths = [
    directory,
    ...[...names, ...records.map((name) => join(RECORDS, name))].map((name) =>
      join(directory, name),
    ),
  ];
  const times = await Promise.all(paths.map(async (path) => (await lstat(path)).mtimeMs));
  return Math.max(...times);
}

async function entriesOf(directory: string): Promise<Dirent[]> {
  try {
    return await readdir(directory, { withFileTypes: true });
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
