/** Where a store does not wait for a disk: whether fsync reaches a platter shows in no test. */
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';

/** In memory if the host has such a place. */
export const FAST_DIRECTORY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
