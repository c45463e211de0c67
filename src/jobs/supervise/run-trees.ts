/** What is known of the process trees of runs: their shims, control groups and users. Nothing here waits for the thread pool. */
import { readFileSync } from 'node:fs';
import type { ProcessIdentity, Run } from '../../core/model/job.ts';
import { defined } from '../../core/lib/defined.ts';
import { readCgroup, readJobUser, readStarted, runDirectory } from '../files/run-directory.ts';
import { cgroupOf } from '../process/cgroups.ts';
import type { RunCgroup } from '../process/cgroups.ts';
import { runMark } from '../process/environment.ts';
import { lives } from '../process/process-table.ts';
import type { ProcessEntry } from '../process/process-table.ts';
import { ProcessTree } from '../process/process-tree.ts';
import { identifyShim } from './adoption.ts';
import { pause } from './run-end.ts';
import { unitName } from './shim-unit.ts';

/** How often an ended run's group is tried to be removed, and how many times; a process may stay in it for long. */
const REMOVE_EVERY_MS = 500;
const REMOVE_TRIES_MAX = 20;

export interface RunTreesOptions {
  readonly stateDirectory: string;
  readonly socketPath: string;
  readonly bootId: string;
}

export class RunTrees {
  readonly #options: RunTreesOptions;
  /** Shims that this agent started or found alive, until their runs end. */
  readonly #shims = new Map<string, ProcessIdentity>();
  /** Trees that are being watched or emptied: what was found of them once is remembered. */
  readonly #trees = new Map<string, ProcessTree>();

  constructor(options: RunTreesOptions) {
    this.#options = options;
  }

  addShim(run: Run, shim: ProcessIdentity): void {
    this.#shims.set(run.id, shim);
  }

  removeShim(run: Run): void {
    this.#shims.delete(run.id);
  }

  /** The run is no longer kept. */
  forget(run: Run): void {
    this.#shims.delete(run.id);
    this.#trees.delete(run.id);
  }

  /** Throws if the disk does not answer, and `CannotSee`. */
  of(run: Run): ProcessTree {
    const known = this.#trees.get(run.id);
    if (known !== undefined) return known;
    const { bootId, socketPath } = this.#options;
    const directory = this.#directoryOf(run);
    const started = readStarted(directory, run.spawn);
    const mark = runMark(run, started?.socketPath ?? socketPath);
    const shim = this.#shims.get(run.id) ?? run.process ?? identifyShim(started, mark, bootId);
    const user = readJobUser(directory, run.spawn) ?? listedUser(run.definition.user);
    const users = [process.geteuid?.(), user].filter((uid) => uid !== undefined);
    const cgroup = this.#cgroupOf(run);
    const isElsewhere = (entry: ProcessEntry): boolean => this.#isOfOther(run, entry);
    const tree = new ProcessTree(defined({ shim, mark, users, bootId, cgroup, isElsewhere }));
    if (shim !== undefined) this.#trees.set(run.id, tree);
    return tree;
  }

  /** The processes of the run that are alive. Throws as `of` does. */
  async members(run: Run): Promise<readonly number[]> {
    const members = await this.of(run).members();
    if (members.length === 0) {
      this.#trees.delete(run.id);
      this.removeCgroup(run);
    }
    return members;
  }

  /** As `members`, without the shim. */
  async membersBesideShim(run: Run): Promise<readonly number[]> {
    const shim = this.#shims.get(run.id) ?? run.process;
    return (await this.members(run)).filter((pid) => pid !== shim?.pid);
  }

  /** False while a process may be in it: then the next agent tries again. */
  removeCgroup(run: Run): boolean {
    try {
      return this.#cgroupOf(run)?.remove() !== false;
    } catch {
      return false;
    }
  }

  /** An adopted shim may still wait for the disk, and a process of the job may end a little later than the job. */
  async removeCgroupInTime(run: Run, closing: AbortSignal): Promise<void> {
    for (let tries = 0; tries < REMOVE_TRIES_MAX && !closing.aborted; tries++) {
      if (this.removeCgroup(run)) return;
      await pause(REMOVE_EVERY_MS, closing);
    }
  }

  #cgroupOf(run: Run): RunCgroup | undefined {
    const { bootId, socketPath } = this.#options;
    const written = readCgroup(this.#directoryOf(run), run.spawn, bootId);
    if (written !== undefined) return written;
    // An agent that died right after systemd had started the unit has written nothing down.
    const shim = this.#shims.get(run.id) ?? run.process;
    if (shim === undefined || !lives(shim, bootId)) return undefined;
    const present = cgroupOf(shim.pid);
    return present?.name === unitName(run, socketPath) ? present : undefined;
  }

  /** Whether a process is a shim of another run, or was found in the tree of one. */
  #isOfOther(run: Run, entry: ProcessEntry): boolean {
    const isShim = [...this.#shims].some(
      ([id, { pid, startTicks }]) =>
        id !== run.id && pid === entry.pid && startTicks === entry.startTicks,
    );
    return isShim || [...this.#trees].some(([id, tree]) => id !== run.id && tree.knows(entry));
  }

  #directoryOf(run: Run): string {
    return runDirectory(this.#options.stateDirectory, run.job, run.number);
  }
}

/** The uid of a user in /etc/passwd, for a run that has no record of it. A directory service may keep a cancel waiting. */
function listedUser(nameOrUid: string | undefined): number | undefined {
  if (nameOrUid === undefined) return undefined;
  if (/^\d+$/.test(nameOrUid)) return Number(nameOrUid);
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  const uid = lines.map((line) => line.split(':')).find(([name]) => name === nameOrUid)?.[2];
  return uid === undefined ? undefined : Number(uid);
}
