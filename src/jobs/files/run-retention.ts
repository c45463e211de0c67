/**
 * Removes the files of runs that ended long ago. A run that is watched is never touched, nor one whose files have changed
 * since: a new record of an end that nobody has read yet is such a change.
 */
import type { Dirent } from 'node:fs';
import { lstat, readdir, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode } from '../lib/error-code.ts';
import { recordDirectory } from './run-directory.ts';

const RECORDS = recordDirectory('');

/** Removes the directory of a run, and that of its job if it was the last one. */
export async function removeRun(stateDirectory: string, directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  await removeEmpty(dirname(directory), join(stateDirectory, 'runs'));
}

/** Removes the directories of runs in which nothing has changed since `beforeMs`, but none of `watched`. */
export async function removeOldRuns(
  stateDirectory: string,
  beforeMs: number,
  watched: ReadonlySet<string>,
): Promise<void> {
  await sweep(stateDirectory, join(stateDirectory, 'runs'), beforeMs, watched);
}

async function sweep(
  stateDirectory: string,
  directory: string,
  beforeMs: number,
  watched: ReadonlySet<string>,
): Promise<void> {
  for (const entry of await entriesOf(directory)) {
    if (!entry.isDirectory()) continue;
    const path = join(directory, entry.name);
    // `<job>/<number>`, and a long job name has several pieces: only a run has a record directory.
    const names = (await entriesOf(path)).map(({ name }) => name);
    if (names.length === 0) {
      await removeEmpty(path, join(stateDirectory, 'runs'));
    } else if (!names.includes(RECORDS)) {
      await sweep(stateDirectory, path, beforeMs, watched);
    } else if (!watched.has(path) && (await newestMs(path, names)) < beforeMs) {
      await removeRun(stateDirectory, path);
    }
  }
}

/**
 * Removes a directory of `root` if nothing is in it, and then those above it. A run that starts meanwhile makes its own again:
 * `mkdir` with `recursive` goes on if a directory vanishes.
 */
async function removeEmpty(directory: string, root: string): Promise<void> {
  for (let path = directory; path !== root; path = dirname(path)) {
    try {
      await rmdir(path);
    } catch (error) {
      const code = errorCode(error);
      if (code === 'ENOTEMPTY' || code === 'EEXIST') return;
      if (code !== 'ENOENT') throw error;
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
