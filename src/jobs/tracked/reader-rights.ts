/**
 * What a caller of `track` may see by its own rights. The agent may run as root: without these checks a member of the
 * socket's group could have it read files, and watch processes, that the caller cannot. Permission bits decide; an
 * access control list that grants more is not counted.
 */
import { readFileSync, statSync } from 'node:fs';
import { lstat, readlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ReaderIdentity } from '../../core/model/job.ts';

/** As the kernel's own limit of symbolic links in a path (ELOOP). */
const LINKS_MAX = 40;
const READ = 4;
const SEARCH = 1;

interface Permissions {
  readonly uid: number | bigint;
  readonly gid: number | bigint;
  readonly mode: number | bigint;
}

/** Whether the permission bits of a file let the reader read it. */
export function mayRead(reader: ReaderIdentity, file: Permissions): boolean {
  return allows(reader, file, READ);
}

/**
 * Whether the reader may search every directory on the way to `path`. Each is checked before the next is looked at, so
 * that the answer does not depend on what lies in a directory that the reader cannot enter.
 */
export async function mayReach(reader: ReaderIdentity, path: string): Promise<boolean> {
  let current = '/';
  let links = 0;
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
    if (!allows(reader, await lstat(current), SEARCH)) return false;
    if (part === '..') {
      current = dirname(current);
      continue;
    }
    const next = join(current, part);
    // The last part is the file itself: whoever opens it follows no link there.
    if (parts.length > 0 && (await lstat(next)).isSymbolicLink()) {
      links += 1;
      if (links > LINKS_MAX) return false;
      const target = await readlink(next);
      parts.unshift(...target.split('/').filter((name) => name !== '' && name !== '.'));
      if (target.startsWith('/')) current = '/';
    } else {
      current = next;
    }
  }
  return true;
}

/** Whether the reader may see this process: everybody may, unless /proc is mounted with `hidepid`. */
export function maySeeProcess(reader: ReaderIdentity, pid: number): boolean {
  try {
    return statSync(`/proc/${pid}`).uid === reader.uid || !hidesProcesses();
  } catch {
    return false;
  }
}

function hidesProcesses(): boolean {
  return /^(?:\S+ ){4}\/proc .* - proc \S+ \S*\bhidepid=(?!0|off)/m.test(mounts());
}

/** Those of the host if the agent may read them: the agent's own /proc may hide more (ProtectProc=). */
function mounts(): string {
  try {
    return readFileSync('/proc/1/mountinfo', 'utf8');
  } catch {
    return readFileSync('/proc/self/mountinfo', 'utf8');
  }
}

function allows({ uid, groups }: ReaderIdentity, of: Permissions, bit: number): boolean {
  const mode = Number(of.mode);
  if (uid === Number(of.uid)) return (mode & (bit << 6)) !== 0;
  if (groups.includes(Number(of.gid))) return (mode & (bit << 3)) !== 0;
  return (mode & bit) !== 0;
}
