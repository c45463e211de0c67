/**
 * Everything that one run has started, found again and signalled: the processes of its control group if it has one, of the
 * shim's group and session, their descendants, and those that carry the run's mark in their environment (which finds
 * processes that called setsid and whose parents have ended). What was found once is remembered with its start time.
 *
 * No stranger is ever signalled: each process is looked at again right before its signal, and a pid whose start time has
 * changed is skipped. A mark counts only for processes of the agent's or the job's user: every user can
 * write anything into the environment of their own processes. The planner decides when to signal, and what follows from survivors.
 *
 * A tree is empty only if it was seen empty: whatever cannot be seen makes a look fail (`CannotSee`).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessIdentity } from '../../core/model/job.ts';
import type { RunCgroup } from './cgroups.ts';
import type { RunMark } from './environment.ts';
import { mayBeLocked, readsMarked } from './locked-memory.ts';
import {
  CannotSee,
  hasEnvironment,
  isAlive,
  readProcess,
  readProcesses,
  userOf,
} from './process-table.ts';
import type { ProcessEntry } from './process-table.ts';

/** A sweep ends here: what lives then is in an uninterruptible sleep (usually a dead NFS server). */
const SWEEP_MS_MAX = 2000;

/** The shim is spared for this long, so that it can record how the command ended: it starts two programs, on a busy host too. */
const SHIM_SPARED_MS = 1500;

/** So many processes whose memory may be locked are read in one look; a host under load has some, for moments. */
const LOCKED_READS_MAX = 16;

/** One that did not show its environment is not read again for this long. */
const LOCKED_PAUSE_MS = 2000;

/** The kernel needs a moment to take a killed process apart. Twice as long after each look that shows the same. */
const RESCAN_MS = 5;
const RESCAN_MS_MAX = 200;

/** No process of the tree was seen alive, but these may be of it: they did not show their environment. */
export class MayBeAlive extends CannotSee {
  readonly pids: readonly number[];

  constructor(pids: readonly number[]) {
    super(
      `process ${pids.join(', ')} does not show its environment: it waits for a file system that does not answer`,
    );
    this.pids = pids;
  }
}

export interface TreeEvidence {
  /** Absent: the run has not recorded yet that it started. */
  readonly shim?: ProcessIdentity;
  readonly mark: RunMark;
  /** Whose processes may carry the mark. */
  readonly users: readonly number[];
  readonly bootId: string;
  readonly cgroup?: RunCgroup;
  /** Whether a process is known to be of another run. */
  readonly isElsewhere?: (entry: ProcessEntry) => boolean;
}

export class ProcessTree {
  readonly #shim: ProcessIdentity | undefined;
  readonly #mark: RunMark;
  readonly #users: readonly number[];
  readonly #cgroup: RunCgroup | undefined;
  readonly #isElsewhere: (entry: ProcessEntry) => boolean;
  /** Until when a process is not read again that did not show its environment, by pid and start time. */
  readonly #unshown = new Map<string, number>();
  /** Nothing outlives its boot: after a reboot, every pid is a stranger's. */
  readonly #isOfThisBoot: boolean;
  /** Start times of all processes ever found, by pid. */
  readonly #known = new Map<number, string>();
  /** Those of them that led a group or a session. */
  readonly #leaders = new Map<number, string>();

  constructor({ shim, mark, users, bootId, cgroup, isElsewhere }: TreeEvidence) {
    this.#shim = shim;
    this.#mark = mark;
    this.#users = users;
    this.#cgroup = cgroup;
    this.#isElsewhere = isElsewhere ?? (() => false);
    this.#isOfThisBoot = shim === undefined || shim.bootId === bootId;
    if (shim === undefined) return;
    this.#known.set(shim.pid, shim.startTicks);
    this.#leaders.set(shim.pid, shim.startTicks);
  }

  /** The processes that are alive, lowest pid first. Throws `CannotSee`, and `MayBeAlive` in place of none. */
  async members(): Promise<number[]> {
    const unseen: number[] = [];
    const members = await this.#scan(undefined, (pid) => unseen.push(pid));
    // In a control group the kernel names the members; without one, nothing else proves that this is none.
    if (members.length === 0 && unseen.length > 0 && this.#cgroup === undefined) {
      throw new MayBeAlive(unseen.sort((a, b) => a - b));
    }
    return members.map((entry) => entry.pid).sort((a, b) => a - b);
  }

  /** Whether this process was found in the tree. */
  knows({ pid, startTicks }: ProcessEntry): boolean {
    return this.#known.get(pid) === startTicks;
  }

  /**
   * Sends a signal that can be caught, to each process once. Resolves to how many got it. The kernel names those in the control
   * group, and none of them can leave it: they get it before others are looked for. Throws `CannotSee`.
   */
  async signal(signal: string): Promise<number> {
    const struck = new Set<string>();
    if (this.#isOfThisBoot) this.#strikeAll(this.#groupMembers().filter(isAlive), signal, struck);
    this.#strikeAll(await this.#scan(), signal, struck);
    return struck.size;
  }

  #strikeAll(members: readonly ProcessEntry[], signal: string, struck: Set<string>): void {
    const left = members.filter((entry) => !struck.has(identityOf(entry)));
    const shim = left.find((entry) => this.#isShim(entry));
    // The group at one stroke: no process forks between two signals. Its number is the run's while the shim lives.
    const isGroupStruck = shim !== undefined && isStillThere(shim) && send(-shim.pid, signal);
    for (const entry of left) {
      const inGroup = isGroupStruck && entry.group === shim.pid;
      if (!inGroup && !strike(entry, signal)) continue;
      struck.add(identityOf(entry));
      // A stopped process cannot act on a signal before it goes on; systemd does the same.
      if (entry.state === 'T') strike(entry, 'SIGCONT');
    }
  }

  /** Kills until two looks in a row find nothing alive. Resolves to how many were killed. Throws `CannotSee`. */
  async kill(): Promise<number> {
    const killed = new Set<string>();
    let spared = true;
    let isRecorder: (entry: ProcessEntry) => boolean = () => false;
    const kill = (entry: ProcessEntry): void => {
      if (spared && (this.#isShim(entry) || isRecorder(entry))) return;
      if (strike(entry, 'SIGKILL')) killed.add(identityOf(entry));
    };
    const begin = performance.now();
    // By the clock, not after a look: on a loaded host one look at all of /proc can take longer than that.
    const noLongerSpared = setTimeout(() => {
      spared = false;
      this.#cgroup?.kill();
    }, SHIM_SPARED_MS);
    try {
      // Nothing is killed before all are known: a child without the mark is only known by its living parent.
      isRecorder = this.#recorders(await this.#scan());
      let pauseMs = RESCAN_MS;
      let before = '';
      for (let empty = 0; empty < 2 && performance.now() - begin < SWEEP_MS_MAX;) {
        const members = await this.#scan(kill);
        members.forEach(kill);
        if (performance.now() - begin >= SHIM_SPARED_MS) this.#cgroup?.kill();
        empty = members.length === 0 ? empty + 1 : 0;
        // A look reads all of /proc: what sleeps in the kernel must not cost the host a processor.
        const seen = members.map(identityOf).join();
        pauseMs = seen === before && empty === 0 ? Math.min(2 * pauseMs, RESCAN_MS_MAX) : RESCAN_MS;
        before = seen;
        await sleep(pauseMs);
      }
    } catch (error) {
      // The group can be ended without a look at its processes.
      this.#cgroup?.kill();
      throw error;
    } finally {
      clearTimeout(noLongerSpared);
    }
    return killed.size;
  }

  /** What the shim starts after its command, to record how that ended: its only children that were not there before. */
  #recorders(before: readonly ProcessEntry[]): (entry: ProcessEntry) => boolean {
    const isChild = ({ parent }: ProcessEntry): boolean => parent === this.#shim?.pid;
    const there = new Set(before.map(identityOf));
    // Without a child, the shim has not started its command yet.
    const hasBegun = before.some(isChild);
    return (entry) => hasBegun && isChild(entry) && !there.has(identityOf(entry));
  }

  /**
   * All living members; `found` gets those with evidence of their own at once, while others are still read. `unseen` gets the
   * processes of which it cannot be seen whether they are.
   */
  async #scan(
    found?: (entry: ProcessEntry) => void,
    unseen?: (pid: number) => void,
  ): Promise<ProcessEntry[]> {
    if (!this.#isOfThisBoot || this.#cgroup?.isEmpty() === true) return [];
    const members = new Map(this.#groupMembers().map((entry) => [entry.pid, entry]));
    if (found !== undefined) members.forEach(found);
    const locked: ProcessEntry[] = [];
    const entries = await readProcesses(
      (entry) => {
        if (!this.#isOurs(entry, locked)) return;
        members.set(entry.pid, entry);
        found?.(entry);
      },
      (pid) => this.#known.has(pid),
    );
    this.#addGroupsAndSessions(entries, members);
    addDescendants(entries, members);
    const doubtful = locked.filter(({ pid }) => !members.has(pid));
    if (doubtful.length > 0) {
      await this.#readLocked(doubtful, entries, members, unseen);
      addDescendants(entries, members);
    }
    members.delete(process.pid);
    for (const entry of members.values()) this.#remember(entry);
    return [...members.values()].filter(isAlive);
  }

  #groupMembers(): ProcessEntry[] {
    const pids = this.#cgroup?.members() ?? [];
    return pids.flatMap((pid) => (pid === process.pid ? [] : (readProcess(pid) ?? [])));
  }

  /** Processes that need a longer look go into `locked`. */
  #isOurs(entry: ProcessEntry, locked: ProcessEntry[]): boolean {
    if (this.knows(entry)) return true;
    // A process that is older than the shim is none of its children: this spares most of the reading.
    const isOlder = Number(entry.startTicks) < Number(this.#shim?.startTicks ?? 0);
    if (isOlder || entry.pid === process.pid) return false;
    // Before anything of a stranger's memory is read.
    if (!this.#users.includes(userOf(entry.pid) ?? -1)) return false;
    if (!mayBeLocked(entry)) return hasEnvironment(entry.pid, this.#mark);
    locked.push(entry);
    return false;
  }

  async #readLocked(
    doubtful: readonly ProcessEntry[],
    entries: readonly ProcessEntry[],
    members: Map<number, ProcessEntry>,
    unseen: (pid: number) => void = () => undefined,
  ): Promise<void> {
    const byPid = new Map(entries.map((entry) => [entry.pid, entry]));
    const left = doubtful.filter((entry) => !this.#isOfAnother(entry, byPid));
    const isNew = (entry: ProcessEntry): boolean =>
      (this.#unshown.get(identityOf(entry)) ?? 0) < performance.now();
    const asked = left.filter(isNew).slice(0, LOCKED_READS_MAX);
    const shown = await Promise.all(asked.map(({ pid }) => readsMarked(pid, this.#mark)));
    asked.forEach((entry, index) => {
      this.#unshown.delete(identityOf(entry));
      if (shown[index] === true) members.set(entry.pid, entry);
      if (shown[index] === undefined) {
        this.#unshown.set(identityOf(entry), performance.now() + LOCKED_PAUSE_MS);
      }
    });
    for (const entry of left) {
      if (!asked.includes(entry) || this.#unshown.has(identityOf(entry))) unseen(entry.pid);
    }
  }

  /** It, or a process that it descends from, is of another run. The kernel's own threads (2) are of none. */
  #isOfAnother(entry: ProcessEntry, byPid: ReadonlyMap<number, ProcessEntry>): boolean {
    const seen = new Set<number>();
    let at: ProcessEntry | undefined = entry;
    while (at !== undefined && !seen.has(at.pid)) {
      if (at.pid === KERNEL_THREADS || this.#isElsewhere(at)) return true;
      seen.add(at.pid);
      at = byPid.get(at.parent);
    }
    return false;
  }

  /**
   * Adds the processes of a group or session that a member leads or has led. The kernel gives no number away while it
   * names a group or session: if a stranger has the number, the group of the member is gone.
   */
  #addGroupsAndSessions(
    entries: readonly ProcessEntry[],
    members: Map<number, ProcessEntry>,
  ): void {
    const leaders = new Map(this.#leaders);
    for (const { pid, startTicks } of entries) {
      if ((leaders.get(pid) ?? startTicks) !== startTicks) leaders.delete(pid);
    }
    for (const entry of entries) {
      if (leaders.has(entry.session) || leaders.has(entry.group)) members.set(entry.pid, entry);
    }
  }

  #remember(entry: ProcessEntry): void {
    this.#known.set(entry.pid, entry.startTicks);
    if (entry.pid === entry.session || entry.pid === entry.group) {
      this.#leaders.set(entry.pid, entry.startTicks);
    }
  }

  #isShim(entry: ProcessEntry): boolean {
    return entry.pid === this.#shim?.pid && entry.startTicks === this.#shim.startTicks;
  }
}

/** kthreadd, the parent of all threads of the kernel. */
const KERNEL_THREADS = 2;

function identityOf({ pid, startTicks }: ProcessEntry): string {
  return `${pid} ${startTicks}`;
}

function addDescendants(
  entries: readonly ProcessEntry[],
  members: Map<number, ProcessEntry>,
): void {
  const children = Map.groupBy(entries, (entry) => entry.parent);
  const open = [...members.keys()];
  for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
    for (const child of children.get(pid) ?? []) {
      if (members.has(child.pid)) continue;
      members.set(child.pid, child);
      open.push(child.pid);
    }
  }
}

/** Signals this very process; false if it has ended, its pid was given away, or it may not be signalled. */
function strike(entry: ProcessEntry, signal: string): boolean {
  return isStillThere(entry) && send(entry.pid, signal);
}

function isStillThere(entry: ProcessEntry): boolean {
  const present = readProcess(entry.pid);
  return present?.startTicks === entry.startTicks && isAlive(present);
}

/** A negative pid means a group (kill(2)). */
function send(pid: number, signal: string): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    // ESRCH: it has just ended. EPERM: it became another user; the next look still finds it.
    return false;
  }
}
