/** Whether the state directory can be used: its owner, its room, and how long a write takes to be on disk. */
import { open, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { checkTrustedPath, makeDirectory, UntrustedPath } from '../../system/trusted-path.ts';
import type { Finding } from './finding.ts';

/** Less does not hold the store and the logs of jobs for a day. */
const SPACE_BYTES_MIN = 100e6;
const SPACE_BYTES_LEAST = 10e6;
/** Each commit waits for the disk: if it is slower than this, reports queue behind it. */
const SYNC_MS_MAX = 500;

export async function checkStateDirectory(directory: string): Promise<Finding> {
  const file = join(directory, `doctor-${process.pid}.tmp`);
  try {
    makeDirectory(directory, 0o700);
    checkTrustedPath(directory);
    const { bavail, bsize } = await statfs(directory);
    const sinceMs = performance.now();
    const handle = await open(file, 'wx', 0o600);
    try {
      await handle.write('doctor');
      await handle.sync();
    } finally {
      await handle.close();
    }
    const syncMs = Math.round(performance.now() - sinceMs);
    const { mode } = await stat(directory);
    return judged(directory, { freeBytes: bavail * bsize, syncMs, mode });
  } catch (error) {
    if (error instanceof UntrustedPath) return { verdict: 'failed', message: error.message };
    const { code, message } = error as NodeJS.ErrnoException;
    return {
      verdict: 'failed',
      message: `${directory}: ${message}`,
      remedy:
        code === 'EACCES' || code === 'EPERM'
          ? 'run doctor as the user of the service, who must own the directory'
          : code === 'EROFS' || code === 'ENOSPC'
            ? 'the disk accepts no writes: make room, or mount it writable'
            : 'agent.stateDirectory must be a directory that can be written to',
    };
  } finally {
    await rm(file, { force: true }).catch(() => undefined);
  }
}

/** What was measured of a directory that can be written to. */
interface Measured {
  readonly freeBytes: number;
  readonly syncMs: number;
  readonly mode: number;
}

/** What keeps the agent from working comes first, then who may read, then what may become a problem. */
export function judged(directory: string, { freeBytes, syncMs, mode }: Measured): Finding {
  const room = `${(freeBytes / 1e9).toFixed(1)} GB free`;
  const message = `${directory}: ${room}, on disk in ${syncMs} ms`;
  if (freeBytes < SPACE_BYTES_LEAST) {
    return {
      verdict: 'failed',
      message,
      remedy: 'make room: without it nothing can be started or reported',
    };
  }
  if ((mode & 0o007) !== 0) {
    const remedy = `chmod o-rwx ${directory}: it holds command lines and the output of jobs`;
    return { verdict: 'warning', message: `${message}; others may enter it`, remedy };
  }
  if (freeBytes < SPACE_BYTES_MIN) return { verdict: 'warning', message, remedy: 'make room soon' };
  return syncMs > SYNC_MS_MAX
    ? { verdict: 'warning', message, remedy: 'a slow disk delays every report: use another one' }
    : { verdict: 'ok', message };
}
