/**
 * Opens files of the agent. They lie where only the agent's user writes, but its jobs may be of that user too: so no link is
 * followed, no FIFO is waited for, and what is opened must be a regular file of the agent's user.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { errorCode } from './error-code.ts';
import { UNFOLLOWED } from './open-unfollowed.ts';

/** For files of the agent: nobody else's business. */
export const OWN_MODE = 0o600;

/** Something else lies where a file of the agent should. */
export class NotOwnFile extends Error {}

/** `flags` beside those that make it safe; rejects with `NotOwnFile` and as `open` does. */
export async function openOwn(
  path: string,
  flags: number = constants.O_RDONLY,
): Promise<FileHandle> {
  const file = await open(path, flags | UNFOLLOWED, OWN_MODE).catch((error: unknown) => {
    throw explained(path, error);
  });
  try {
    check(path, await file.stat());
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Absent: there is nothing. */
export async function openOwnIfThere(path: string): Promise<FileHandle | undefined> {
  return openOwn(path).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  });
}

export function openOwnSync(path: string, flags: number): number {
  let file: number;
  try {
    file = openSync(path, flags | UNFOLLOWED, OWN_MODE);
  } catch (error) {
    throw explained(path, error);
  }
  try {
    check(path, fstatSync(file));
    return file;
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

/** The beginning of a small file. Synchronous: what a cancel needs must not wait for a thread. Absent: there is nothing. */
export function readOwnSync(path: string, bytesMax: number): string | undefined {
  let file: number;
  try {
    file = openOwnSync(path, constants.O_RDONLY);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const buffer = Buffer.alloc(bytesMax);
    return buffer.toString('utf8', 0, readSync(file, buffer, 0, bytesMax, 0));
  } finally {
    closeSync(file);
  }
}

function check(path: string, stats: Stats): void {
  if (!stats.isFile()) throw new NotOwnFile(`${path} is not a regular file`);
  if (stats.uid !== process.geteuid?.()) {
    throw new NotOwnFile(`${path} belongs to uid ${stats.uid}, not to the agent`);
  }
}

function explained(path: string, error: unknown): unknown {
  // ENXIO: a FIFO without a reader, or a socket. ELOOP: a link.
  const code = errorCode(error) ?? '';
  if (!['ELOOP', 'ENXIO', 'EISDIR'].includes(code)) return error;
  return new NotOwnFile(`${path} is not a regular file (${code})`, { cause: error });
}
