/**
 * Whether a file or directory is safe to rely on, as sshd asks of its files: it and every directory above it belong to root
 * or to the agent's user, and nobody else can write there. What another user can put into the state directory or the
 * configuration, the agent would run with its own rights.
 */
import { mkdirSync, realpathSync, statSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { dirname } from 'node:path';

/** Somebody else could change the path. The message names the remedy. */
export class UntrustedPath extends Error {
  override readonly name = 'UntrustedPath';
}

/** The directory cannot be created, and trying again will not help. */
export class UnusableDirectory extends Error {
  override readonly name = 'UnusableDirectory';
}

const GROUP_WRITE = 0o020;
const OTHER_WRITE = 0o002;
const STICKY = 0o1000;

/** Throws `UntrustedPath`. A path that does not exist, or cannot be looked at, is left to whoever opens it. */
export function checkTrustedPath(path: string, uid = process.geteuid?.() ?? 0): void {
  let at: string;
  try {
    at = realpathSync(path);
  } catch {
    return;
  }
  for (let isLeaf = true; ; isLeaf = false) {
    const problem = problemOf(at, isLeaf, uid);
    if (problem !== undefined) throw new UntrustedPath(problem);
    if (at === dirname(at)) return;
    at = dirname(at);
  }
}

function problemOf(path: string, isLeaf: boolean, uid: number): string | undefined {
  let found: Stats;
  try {
    found = statSync(path);
  } catch {
    return undefined;
  }
  if (found.uid !== 0 && found.uid !== uid) {
    const owner = uid === 0 ? 'root' : `root or uid ${uid}`;
    return `${path} belongs to uid ${found.uid}, who could make the agent run anything; it must belong to ${owner}: chown ${uid} ${path}`;
  }
  // In a directory like /tmp nobody can rename or remove what belongs to others.
  if (!isLeaf && (found.mode & STICKY) !== 0) return undefined;
  // Debian, Fedora and others give each user a group of the same number, with that user alone in it.
  const isPrivateGroup = found.gid === found.uid;
  const writers = [
    ...((found.mode & GROUP_WRITE) !== 0 && !isPrivateGroup ? ['g-w'] : []),
    ...((found.mode & OTHER_WRITE) !== 0 ? ['o-w'] : []),
  ];
  return writers.length === 0
    ? undefined
    : `${path} can be written by other users, who could make the agent run anything: chmod ${writers.join(',')} ${path}`;
}

/** Codes that a full or read-only disk does not have: the path itself is wrong. */
const PERMANENT = ['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG', 'EEXIST'];

/**
 * Creates a directory and those above it. Not by `recursive: true`, which never returns where a parent exists and takes no
 * directories, such as /proc (libuv asks for the parent again and again).
 */
export function makeDirectory(path: string, mode: number): void {
  if (isDirectory(path)) return;
  if (dirname(path) !== path) makeDirectory(dirname(path), mode);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (isDirectory(path)) return;
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (!PERMANENT.includes(code)) throw error;
    throw new UnusableDirectory(`${path} cannot be created: ${message}`, { cause: error });
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
