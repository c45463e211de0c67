/**
 * Opens for reading where somebody else may write: what lies at the path is not followed through a link, and opening a
 * FIFO or a device waits for nobody.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { errorCode } from './error-code.ts';

/** Rejects as `open` does: ENOENT where there is nothing, ELOOP where there is a link. */
export function openUnfollowed(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
}

/** Undefined where there is nothing. */
export async function openUnfollowedIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await openUnfollowed(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
