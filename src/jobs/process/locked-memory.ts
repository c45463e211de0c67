/**
 * The environment of a process whose memory may be locked. The kernel reads /proc/PID/environ from the memory of the process,
 * and waits while one of its threads holds that memory's lock, which a thread that maps a file of a dead file system does
 * without an end. The agent must not wait with it, so another process reads, for a short while.
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { isMarked } from './process-table.ts';
import type { ProcessEntry } from './process-table.ts';

/** The kernel answers within microseconds, if it answers at all; a loaded host needs longer to start cat. */
const READ_MS_MAX = 1000;

/** Room for every environment: the kernel allows an exec no more (ARG_MAX, with the default stack). */
const ENVIRONMENT_BYTES_MAX = 8 * 1024 * 1024;

/** True: a thread of it sleeps in the kernel and cannot be interrupted, perhaps while it holds the lock. */
export function mayBeLocked({ pid, state, threads }: ProcessEntry): boolean {
  if (state === 'D') return true;
  if (threads <= 1) return false;
  try {
    return readdirSync(`/proc/${pid}/task`).some((thread) => {
      const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1');
      return stat.startsWith('D', stat.lastIndexOf(')') + 2);
    });
  } catch {
    // It has just ended, or one of its threads has.
    return true;
  }
}

/** Whether the process was started with all of these entries; absent: it cannot be seen just now. */
export function readsMarked(pid: number, entries: readonly string[]): Promise<boolean | undefined> {
  const options = {
    encoding: 'utf8',
    env: {},
    cwd: '/',
    killSignal: 'SIGKILL',
    maxBuffer: ENVIRONMENT_BYTES_MAX,
  } as const;
  return new Promise((resolve) => {
    // Old kernels do not let go of the reader that was killed: it is not waited for.
    const tooLong = setTimeout(() => {
      reader.kill('SIGKILL');
      resolve(undefined);
    }, READ_MS_MAX);
    const reader = execFile('/bin/cat', [`/proc/${pid}/environ`], options, (error, stdout) => {
      clearTimeout(tooLong);
      // It has ended, or is hidden.
      resolve(error === null ? isMarked(stdout, entries) : false);
    });
    reader.unref();
  });
}
