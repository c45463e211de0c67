/**
 * Whether a file or directory is safe to rely on, as sshd asks of its files: it, every directory above it and every link
 * on the way belong to root or to the agent's user, and nobody else can write there. What another user can put into the state directory or the
 * configuration, the agent would run with its own rights.
 */
import { lstatSync, mkdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

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

/** Where this host lists its users and groups. */
type Accounts = Readonly<Record<'passwd' | 'group', string>>;
const ACCOUNTS: Accounts = { passwd: '/etc/passwd', group: '/etc/group' };

/** What is wrong with a directory, a link or a file on the way; absent: nothing. */
type ProblemAt = (path: string, found: Stats, isLeaf: boolean) => string | undefined;

/** A chain of links is followed so far, as by the kernel. */
const LINKS_MAX = 40;

/** Throws `UntrustedPath`. A path that does not exist, or cannot be looked at, is left to whoever opens it. */
export function checkTrustedPath(
  path: string,
  uid = process.geteuid?.() ?? 0,
  accounts = ACCOUNTS,
): void {
  checkComponents(path, true, (at, found, isLeaf) => problemOf(at, found, isLeaf, uid, accounts));
}

/**
 * As `checkTrustedPath`, for the place of a file that anybody may write to, such as a socket: nobody else can put another
 * one there. The file itself is not looked at.
 */
export function checkTrustedPlace(path: string): void {
  const uid = process.geteuid?.() ?? 0;
  checkComponents(dirname(resolve(path)), false, (at, found) =>
    problemOf(at, found, false, uid, ACCOUNTS),
  );
}

/**
 * Looks at every directory and every link that leads to the path, from the root on: the directory that holds a link
 * decides where the path leads, as much as the one at its end. Once all of them are trusted, nobody can exchange one between
 * this look and the use of the path.
 */
function checkComponents(path: string, isLeafStrict: boolean, problemAt: ProblemAt): void {
  const open = namesOf(resolve(path));
  let at = '/';
  for (let links = 0; ;) {
    const found = lookAt(at);
    if (found === undefined) return;
    const problem = problemAt(at, found, isLeafStrict && open.length === 0);
    if (problem !== undefined) throw new UntrustedPath(problem);
    if (found.isSymbolicLink()) {
      links += 1;
      const target = readLink(at);
      if (target === undefined || links > LINKS_MAX) return;
      open.unshift(...namesOf(resolve(dirname(at), target)));
      at = '/';
      continue;
    }
    const next = open.shift();
    if (next === undefined) return;
    at = join(at, next);
  }
}

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '');
}

function lookAt(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    return undefined;
  }
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function problemOf(
  path: string,
  found: Stats,
  isLeaf: boolean,
  uid: number,
  accounts: Accounts,
): string | undefined {
  if (found.uid !== 0 && found.uid !== uid) {
    const owner = uid === 0 ? 'root' : `root or uid ${uid}`;
    const option = found.isSymbolicLink() ? '-h ' : '';
    return `${path} belongs to uid ${found.uid}, who could make the agent run anything; it must belong to ${owner}: chown ${option}${uid} ${path}`;
  }
  // Everybody may "write" to a link, and nobody can.
  if (found.isSymbolicLink()) return undefined;
  // In a directory like /tmp nobody can rename or remove what belongs to others.
  if (!isLeaf && (found.mode & STICKY) !== 0) return undefined;
  const writers = [
    ...((found.mode & GROUP_WRITE) !== 0 && !isPrivateGroup(found, accounts) ? ['g-w'] : []),
    ...((found.mode & OTHER_WRITE) !== 0 ? ['o-w'] : []),
  ];
  return writers.length === 0
    ? undefined
    : `${path} can be written by other users, who could make the agent run anything: chmod ${writers.join(',')} ${path}`;
}

/**
 * Debian, Fedora and others give each user a group of the same number, with that user alone in it. The group of a service may
 * have the number of its user too, and have members: those of the agent's own group may use its socket.
 */
function isPrivateGroup({ uid, gid }: Stats, { passwd, group }: Accounts): boolean {
  if (gid !== uid) return false;
  const users = fieldsOf(passwd);
  const names = users.filter(([, , id]) => id === String(uid)).map(([name]) => name);
  const others = users.filter(([name, , , main]) => main === String(gid) && !names.includes(name));
  const members = fieldsOf(group)
    .filter(([, , id]) => id === String(gid))
    .flatMap(([, , , list]) => list?.split(',') ?? [])
    .filter((name) => name !== '' && !names.includes(name));
  return others.length === 0 && members.length === 0;
}

function fieldsOf(file: string): string[][] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => line.split(':'));
  } catch {
    return [];
  }
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
