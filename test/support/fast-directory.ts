/** Where a store does not wait for a disk: whether fsync reaches a platter shows in no test. */
import { accessSync, constants } from 'node:fs';
import { tmpdir } from 'node:os';

/** In memory if the host has such a place, and this user may write there. */
export const FAST_DIRECTORY = isWritable('/dev/shm') ? '/dev/shm' : tmpdir();

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
