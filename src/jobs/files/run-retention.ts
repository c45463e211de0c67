/**
 * Takes away what is left of runs that ended long ago. A run that is watched is never touched, nor one whose files have
 * changed since: also the record of an end that nobody has read yet is that young.
 */
import type { Dirent } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../lib/error-code.ts';

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
    // `<job>/<number>`, where a long job has several pieces: only the start lock tells a run from a piece.
    const names = (await entriesOf(path)).map(({ name }) => name);
    if (!names.some((name) => /^start-lock\.\d+$/.test(name))) {
      await sweep(path, beforeMs, watched);
    } else if (!watched.has(path) && (await newestMs(path, names)) < beforeMs) {
      await removeRun(path);
    }
  }
}

async function newestMs(directory: string, names: readonly string[]): Promise<number> {
  const paths = [directory, ...names.map((name) => join(directory, name))];
  const times = await Promise.all(paths.map(async (path) => (await stat(path)).mtimeMs));
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
