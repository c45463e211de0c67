/**
 * A control group for each run (cgroup v2: Documentation/admin-guide/cgroup-v2.rst of the kernel). No process leaves one by
 * itself: a process that calls setsid, loses its parent and drops its environment is still in it, and `cgroup.kill` ends all
 * at one stroke. A group that is empty proves that the run's tree is.
 *
 * Where groups are made is detected, not configured: below the agent's own group, which systemd hands over with
 * `Delegate=yes`. No controller is turned on there, so systemd can put the next agent into the same group.
 */
import { createHash } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  write,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Run } from '../../core/model/job.ts';
import { errorCode, errorText } from '../lib/error-code.ts';
import { CannotSee } from './process-table.ts';

/** There is no such group (any more): ENODEV is what the files of a removed group answer. */
const GONE = ['ENOENT', 'ENODEV'];

/** Looks at a group whose processes all ended between the two files that were read. */
const LOOKS_MAX = 3;

/** A file name has 255 bytes at most; the rest is for the numbers. */
const JOB_CHARACTERS_MAX = 100;

/** The agent's own place in a service that systemd has handed over: inner groups hold no processes. */
const AGENT_LEAF = 'agent';

export class Cgroups {
  readonly #base: string;
  readonly #owner: string;
  /** The agent's own group: what /proc says, and where that is. */
  #own: { readonly found: string; readonly path: string | undefined } | undefined;
  #isPreparing = false;

  /** `socketPath` distinguishes the groups of this agent from those of another one in the same place. */
  constructor(base: string, socketPath: string) {
    this.#base = base;
    this.#owner = createHash('sha256').update(socketPath).digest('hex').slice(0, 8);
  }

  nameOf({ job, number, spawn }: Run): string {
    const readable = job.replace(/[^A-Za-z0-9_.@=+-]/g, '_').slice(0, JOB_CHARACTERS_MAX);
    return `run-${this.#owner}-${readable}-${number}.${spawn}`;
  }

  /**
   * Call when a process will be placed soon. Before the kernel moves a process, it waits ten milliseconds (a grace period of RCU,
   * cgroup_threadgroup_rwsem), but not if it has just done so for another move. So the agent moves itself to where it is, by the
   * thread pool, while the start is prepared. If that is refused or late, a start only takes longer.
   */
  prepare(): void {
    const path = this.#ownPath();
    if (path === undefined || this.#isPreparing) return;
    const file = tryOpen(join(path, 'cgroup.procs'));
    if (file === undefined) return;
    this.#isPreparing = true;
    // A single request to the thread pool: the answer of a first one would wait for the loop, which is busy with the start.
    write(file, String(process.pid), () => {
      this.#isPreparing = false;
      closeSync(file);
    });
  }

  /** The table of mounts can be long: it is read again only if the agent was moved. */
  #ownPath(): string | undefined {
    const found = tryRead('/proc/self/cgroup') ?? '';
    if (this.#own?.found !== found) {
      this.#own = { found, path: ownCgroup(found, tryRead('/proc/self/mountinfo') ?? '') };
    }
    return this.#own.path;
  }

  /** Absent: the kernel refused it. */
  create(run: Run): RunCgroup | undefined {
    const path = join(this.#base, this.nameOf(run));
    try {
      mkdirSync(path, { recursive: true });
      return new RunCgroup(path);
    } catch {
      return undefined;
    }
  }

  /** Removes the groups of runs that ended while no agent ran. */
  removeEmpty(): void {
    for (const name of namesIn(this.#base)) {
      if (name.startsWith(`run-${this.#owner}-`)) new RunCgroup(join(this.#base, name)).remove();
    }
  }
}

export class RunCgroup {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  get name(): string {
    return basename(this.path);
  }

  /** False: the kernel refused it. */
  place(pid: number): boolean {
    return tryWrite(join(this.path, 'cgroup.procs'), String(pid));
  }

  /**
   * True: no process is in it or below it. A removed group was empty, since the kernel removes no other. False also if the
   * group is out of sight (another mount), which proves nothing. Throws `CannotSee`.
   */
  isEmpty(): boolean {
    const events = read(join(this.path, 'cgroup.events'));
    if (events !== undefined) return /^populated 0$/m.test(events);
    for (let above = dirname(this.path); above !== dirname(above); above = dirname(above)) {
      if (read(join(above, 'cgroup.procs')) !== undefined) return true;
    }
    return false;
  }

  /** The processes in it and below it. Throws `CannotSee`, also if it is populated by processes without a number here. */
  members(): number[] {
    for (let looks = 0; looks < LOOKS_MAX; looks++) {
      const events = read(join(this.path, 'cgroup.events'));
      if (events === undefined || /^populated 0$/m.test(events)) return [];
      const members = membersBelow(this.path);
      if (members.length > 0) return members;
    }
    throw new CannotSee(`${this.path} holds processes that cannot be seen from here`);
  }

  /** SIGKILL to all at one stroke, also to what is being forked. False before Linux 5.14. */
  kill(): boolean {
    return tryWrite(join(this.path, 'cgroup.kill'), '1');
  }

  /** False while a process is in it. systemd removes the groups that it has made itself. */
  remove(): boolean {
    if (this.name.endsWith('.service')) return true;
    for (const name of namesIn(this.path)) new RunCgroup(join(this.path, name)).remove();
    try {
      rmdirSync(this.path);
      return true;
    } catch (error) {
      return errorCode(error) === 'ENOENT';
    }
  }
}

/** Where groups of runs can be made; in a service of systemd the agent moves into a group beside them. Absent: nowhere. */
export function findCgroupBase(): string | undefined {
  const base = ownCgroup(tryRead('/proc/self/cgroup') ?? '', tryRead('/proc/self/mountinfo') ?? '');
  if (base === undefined) return undefined;
  try {
    accessSync(base, constants.W_OK);
    accessSync(join(base, 'cgroup.procs'), constants.W_OK);
  } catch {
    return undefined;
  }
  if (base.endsWith('.service')) {
    try {
      mkdirSync(join(base, AGENT_LEAF), { recursive: true });
    } catch {
      return undefined;
    }
    if (!tryWrite(join(base, AGENT_LEAF, 'cgroup.procs'), String(process.pid))) return undefined;
  }
  return base;
}

/** The directory of a process's group, from its /proc/PID/cgroup and the mounts of this process (proc(5)). */
export function ownCgroup(cgroup: string, mountinfo: string): string | undefined {
  const path = /^0::(\/.*)$/m.exec(cgroup)?.[1];
  // A path out of the namespace's sight begins with /.. and names nothing here.
  if (path === undefined || path.startsWith('/..')) return undefined;
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    if (!after.startsWith('cgroup2 ')) continue;
    const [, , , root = '', point = ''] = before.split(' ').map((field) => unescapeOctal(field));
    const isBelow = root === '/' || path === root || path.startsWith(`${root}/`);
    if (!isBelow) continue;
    const directory = join(point, root === '/' ? path : path.slice(root.length));
    return directory.replace(/(.)\/$/, '$1');
  }
  return undefined;
}

/** The group that a process is in, if it can be seen. */
export function cgroupOf(pid: number): RunCgroup | undefined {
  const cgroup = tryRead(`/proc/${pid}/cgroup`);
  if (cgroup === undefined) return undefined;
  const path = ownCgroup(cgroup, tryRead('/proc/self/mountinfo') ?? '');
  return path === undefined ? undefined : new RunCgroup(path);
}

function membersBelow(path: string): number[] {
  const pids = (read(join(path, 'cgroup.procs')) ?? '').split('\n').map(Number);
  // 0: a process of another pid namespace, which has no number here.
  const own = pids.filter((pid) => pid > 0);
  return [...own, ...groupsIn(path).flatMap((name) => membersBelow(join(path, name)))];
}

/** Names of the groups in a group. Throws `CannotSee`. */
function groupsIn(path: string): string[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch (error) {
    if (GONE.includes(errorCode(error) ?? '')) return [];
    throw new CannotSee(`${path} cannot be listed: ${errorText(error)}`, { cause: error });
  }
}

/** As `groupsIn`, for what may be left undone. */
function namesIn(path: string): string[] {
  try {
    return groupsIn(path);
  } catch {
    return [];
  }
}

/** Absent: there is no such group. Throws `CannotSee`. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    // ENOTDIR: a part of the path is no group at all.
    if ([...GONE, 'ENOTDIR'].includes(errorCode(error) ?? '')) return undefined;
    throw new CannotSee(`${path} cannot be read: ${errorText(error)}`, { cause: error });
  }
}

function tryRead(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function tryOpen(path: string): number | undefined {
  try {
    return openSync(path, constants.O_WRONLY);
  } catch {
    return undefined;
  }
}

/** Only into files that exist: the kernel makes them. */
function tryWrite(path: string, text: string): boolean {
  try {
    const file = openSync(path, constants.O_WRONLY);
    try {
      writeSync(file, text);
    } finally {
      closeSync(file);
    }
    return true;
  } catch (error) {
    // ESRCH: the process has just ended, and needs no place any more.
    return errorCode(error) === 'ESRCH';
  }
}

/** Blanks and the like in the mount table (proc(5)): \040. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
