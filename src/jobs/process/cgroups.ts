/**
 * A control group for each run (cgroup v2: Documentation/admin-guide/cgroup-v2.rst of the kernel). Nobody leaves
 * one by itself: whoever calls setsid, loses its parent and drops its environment is still in it, and `cgroup.kill`
 * ends all at one stroke.
 *
 * Where they are made is found out, not configured: below the agent's own group, which systemd hands over with
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
  writeSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import type { Run } from '../../core/model/job.ts';
import { errorCode } from '../lib/error-code.ts';

/** A file name has 255 bytes at most; the rest is for the numbers. */
const JOB_CHARACTERS_MAX = 100;

/** The agent's own place in a service that systemd has handed over: inner groups hold no processes. */
const AGENT_LEAF = 'agent';

export class Cgroups {
  readonly #base: string;
  readonly #owner: string;

  /** `socketPath` tells the groups of this agent apart from those of another one in the same place. */
  constructor(base: string, socketPath: string) {
    this.#base = base;
    this.#owner = createHash('sha256').update(socketPath).digest('hex').slice(0, 8);
  }

  nameOf({ job, number, spawn }: Run): string {
    const message = job.replace(/[^A-Za-z0-9_.@=+-]/g, '_').slice(0, JOB_CHARACTERS_MAX);
    return `run-${this.#owner}-${message}-${number}.${spawn}`;
  }

  /** Absent: the kernel does not let us. */
  create(run: Run): RunCgroup | undefined {
    const path = join(this.#base, this.nameOf(run));
    try {
      mkdirSync(path, { recursive: true });
      return new RunCgroup(path);
    } catch {
      return undefined;
    }
  }

  /** Takes away the groups of runs that ended while nobody watched. */
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

  /** The living processes in it and below it. */
  members(): number[] {
    const events = tryRead(join(this.path, 'cgroup.events'));
    if (events === undefined || /^populated 0$/m.test(events)) return [];
    return membersBelow(this.path);
  }

  /** SIGKILL to all at one stroke, also to what is being forked. False before Linux 5.14. */
  kill(): boolean {
    return tryWrite(join(this.path, 'cgroup.kill'), '1');
  }

  /** False while somebody lives in it. What systemd has made, it looks after itself. */
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

/** Where groups of runs can be made; in a service of systemd the agent moves aside for them. Absent: nowhere here. */
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
    const [, , , root = '', point = ''] = before.split(' ').map((word) => unescapeOctal(word));
    const isBelow = root === '/' || path === root || path.startsWith(`${root}/`);
    if (!isBelow) continue;
    const directory = join(point, root === '/' ? path : path.slice(root.length));
    return directory.replace(/(.)\/$/, '$1');
  }
  return undefined;
}

/** The group that a process is in, where it is to be seen. */
export function cgroupOf(pid: number): RunCgroup | undefined {
  const cgroup = tryRead(`/proc/${pid}/cgroup`);
  if (cgroup === undefined) return undefined;
  const path = ownCgroup(cgroup, tryRead('/proc/self/mountinfo') ?? '');
  return path === undefined ? undefined : new RunCgroup(path);
}

function membersBelow(path: string): number[] {
  const pids = (tryRead(join(path, 'cgroup.procs')) ?? '').split('\n').map(Number);
  // 0: a process of another pid namespace, which has no number here.
  const own = pids.filter((pid) => pid > 0);
  return [...own, ...namesIn(path).flatMap((name) => membersBelow(join(path, name)))];
}

/** Names of the groups in a group. */
function namesIn(path: string): string[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch {
    return [];
  }
}

function tryRead(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Only into what is there: the kernel makes these files, we never do. */
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
