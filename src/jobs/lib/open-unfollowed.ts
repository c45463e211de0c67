/**
 * Opens a file at a place where another user may write: a link at the end of the path is not followed, and opening a FIFO
 * or a device does not wait.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

export const UNFOLLOWED = constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Rejects as `open` does: ENOENT if there is nothing, ELOOP if there is a link. */
export function openUnfollowed(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | UNFOLLOWED);
}
