/**
 * The job host: starts runs, finds those of an earlier agent again, signals and checks their trees. Every
 * answer is an event. What is asked about one run is done one after the other, in the order it was asked, so
 * that no signal overtakes the start that it is meant for; different runs do not wait for each other.
 *
 * Runs live without the agent: the shim (shim-script.ts) starts the command and writes down how it ended.
 */
import type { Event } from '../core/model/event.ts';
import type { ProcessIdentity, Run } from '../core/model/job.ts';
import type { JobHost, Post } from '../ports.ts';
import { findRun, identifyShim } from './supervise/adoption.ts';
import { cgroupOf, Cgroups } from './process/cgroups.ts';
import type { RunCgroup } from './process/cgroups.ts';
import { errorText } from './lib/error-code.ts';
import { runMark } from './process/environment.ts';
import { startShimProcess } from './supervise/shim-process.ts';
import { startShimUnit, unitName } from './supervise/shim-unit.ts';
import { prepareStart, resolveLaunch, StartRefused } from './supervise/launch.ts';
import type { Shim, ShimStart } from './supervise/launch.ts';
import { lives } from './process/process-table.ts';
import { ProcessTree } from './process/process-tree.ts';
import {
  lockedSpawns,
  moveAside,
  readCgroup,
  readExit,
  readStarted,
  runDirectory,
  runLogPaths,
} from './files/run-directory.ts';
import { removeOldRuns, removeRun } from './files/run-retention.ts';
import { pause, watchRun } from './supervise/run-watch.ts';

export { findCgroupBase } from './process/cgroups.ts';
export { closeInheritedDescriptors } from './process/inherited-descriptors.ts';
export { openRunLog } from './files/run-directory.ts';

/** How often an ended run's group is tried to be removed, and how many times; who still lives there stays for long. */
const REMOVE_EVERY_MS = 500;
const REMOVE_TRIES_MAX = 20;

export interface JobHostOptions {
  readonly post: Post;
  readonly stateDirectory: string;
  readonly socketPath: string;
  readonly bootId: string;
  /** Hides secrets in what leaves this host. */
  readonly mask: (text: string) => string;
  /** What starts the shims of new runs. Those of earlier runs are found whatever started them. */
  readonly backend?: 'process' | 'unit';
  /** Runs that ended longer ago leave nothing behind; absent: all is kept. */
  readonly keepLogsMs?: number;
  /** Where each run gets a control group of its own (`findCgroupBase`); absent: runs have none. */
  readonly cgroupBase?: string;
}

/** How often it is looked for runs that are old enough to go. */
const SWEEP_EVERY_MS = 3_600_000;

/** What the disk or the kernel refused is tried again after this. */
const RETRY_MS = 500;

export function createJobHost(options: JobHostOptions): JobHost {
  return new LocalJobHost(options);
}

class LocalJobHost implements JobHost {
  readonly #options: JobHostOptions;
  readonly #cgroups: Cgroups | undefined;
  readonly #closing = new AbortController();
  /** The last thing asked about each run, until it is done. */
  readonly #turns = new Map<string, Promise<void>>();
  /** By run directory. */
  readonly #watches = new Map<string, Promise<void>>();
  readonly #sweep: NodeJS.Timeout;
  /** Shims that this agent started or found alive, until their runs end. */
  readonly #shims = new Map<string, ProcessIdentity>();
  /** Trees that are being emptied: what was found of them once is remembered. */
  readonly #trees = new Map<string, ProcessTree>();

  constructor(options: JobHostOptions) {
    this.#options = options;
    const { cgroupBase, socketPath } = options;
    this.#cgroups = cgroupBase === undefined ? undefined : new Cgroups(cgroupBase, socketPath);
    this.#cgroups?.removeEmpty();
    this.#sweep = setInterval(() => this.#removeOld(), SWEEP_EVERY_MS).unref();
  }

  start(run: Run): void {
    this.#inTurn(run, (asked) => this.#start(asked));
  }

  adopt(run: Run): void {
    this.#inTurn(run, (asked) => this.#adopt(asked));
  }

  signalTree(run: Run, signal: string): void {
    this.#inTurn(run, async (asked) => {
      const tree = this.#treeOf(asked);
      const processes = await (signal === 'SIGKILL' ? tree.kill() : tree.signal(signal));
      this.#post({ type: 'tree-signalled', run: asked.id, signal, processes });
      await this.#check(asked);
    });
  }

  checkTree(run: Run): void {
    this.#inTurn(run, (asked) => this.#check(asked));
  }

  forget(run: Run): void {
    this.#inTurn(run, (asked) => removeRun(this.#directoryOf(asked)));
  }

  async close(): Promise<void> {
    clearInterval(this.#sweep);
    this.#closing.abort();
    await Promise.all([...this.#turns.values(), ...this.#watches.values()]);
  }

  /** Not while something is asked: a run whose start or adoption is under way is not watched yet. */
  #removeOld(): void {
    const { stateDirectory, keepLogsMs } = this.#options;
    if (keepLogsMs === undefined || this.#turns.size > 0) return;
    const watched = [...this.#watches.keys()];
    removeOldRuns(stateDirectory, Date.now() - keepLogsMs, new Set(watched)).catch(() => {
      // The disk refuses; the next sweep tries again.
    });
  }

  /**
   * Does what is asked after what was asked before, again and again until the host lets it: nothing is told that
   * was not seen. The planner works on with the run that it hands over, so it is taken as it stands now.
   */
  #inTurn(run: Run, ask: (asked: Run) => Promise<void>): void {
    const asked = { ...run };
    const turn = (this.#turns.get(run.id) ?? Promise.resolve()).then(async () => {
      while (!this.#closing.signal.aborted) {
        try {
          await ask(asked);
          break;
        } catch {
          await pause(RETRY_MS, this.#closing.signal);
        }
      }
      if (this.#turns.get(run.id) === turn) this.#turns.delete(run.id);
    });
    this.#turns.set(run.id, turn);
  }

  async #start(run: Run): Promise<void> {
    const { stateDirectory, socketPath, bootId, mask } = this.#options;
    const directory = this.#directoryOf(run);
    let shim: Shim;
    try {
      this.#clear(run, directory);
      const launch = await resolveLaunch(run, socketPath);
      const logs = runLogPaths(stateDirectory, run.job, run.number);
      const start: ShimStart = { run, directory, launch, logs, bootId };
      prepareStart(start);
      shim =
        this.#options.backend === 'unit'
          ? await startShimUnit(start, socketPath)
          : await startShimProcess(start, this.#cgroups);
    } catch (error) {
      const message = errorText(error);
      const reason =
        error instanceof StartRefused ? message : `the run cannot be prepared: ${message}`;
      this.#post({ type: 'run-start-failed', run: run.id, reason: mask(reason) });
      return;
    }
    this.#watch(run, shim);
  }

  /** What an older life of the state directory left here is moved away, unless it is still running. */
  #clear(run: Run, directory: string): void {
    const locked = lockedSpawns(directory).filter((spawn) => spawn >= run.spawn);
    for (const spawn of locked) {
      const shim = readStarted(directory, spawn)?.process;
      const hasEnded = readExit(directory, spawn) !== undefined;
      if (shim === undefined || hasEnded || !lives(shim, this.#options.bootId)) continue;
      throw new StartRefused(
        `an earlier run ${run.id}, of which this agent has no record, is still running (pid ${shim.pid})`,
      );
    }
    if (locked.length > 0) moveAside(directory);
  }

  async #adopt(run: Run): Promise<void> {
    const { stateDirectory } = this.#options;
    const closing = this.#closing.signal;
    const found = await findRun({
      ...this.#options,
      run,
      directory: this.#directoryOf(run),
      stderrLog: runLogPaths(stateDirectory, run.job, run.number).stderr,
      closing,
    });
    if (closing.aborted) return;
    if ('type' in found) this.#post(found);
    else this.#watch(run, found);
  }

  #watch(run: Run, shim: Shim | Pick<Shim, 'process'>): void {
    const { stateDirectory, socketPath } = this.#options;
    const directory = this.#directoryOf(run);
    this.#shims.set(run.id, shim.process);
    const watch = watchRun({
      ...this.#options,
      ...shim,
      run,
      directory,
      logs: runLogPaths(stateDirectory, run.job, run.number),
      launch: () => resolveLaunch(run, socketPath),
      members: () => this.#survivors(run),
      post: (event) => this.#post(event),
      closing: this.#closing.signal,
    }).finally(() => {
      this.#watches.delete(directory);
      this.#shims.delete(run.id);
      return this.#removeCgroupInTime(run);
    });
    this.#watches.set(directory, watch);
  }

  async #check(run: Run): Promise<void> {
    const survivors = await this.#survivors(run);
    this.#post({ type: 'tree-checked', run: run.id, survivors });
  }

  async #survivors(run: Run): Promise<readonly number[]> {
    const survivors = await this.#treeOf(run).members();
    if (survivors.length === 0) {
      this.#trees.delete(run.id);
      this.#removeCgroup(run);
    }
    return survivors;
  }

  /** Somebody may still live in it: then the next agent looks again. */
  #removeCgroup(run: Run): void {
    this.#cgroupOf(run)?.remove();
  }

  /** An adopted shim may still wait for the disk, and a process of the job may end a little later than the job. */
  async #removeCgroupInTime(run: Run): Promise<void> {
    const cgroup = this.#cgroupOf(run);
    const { signal } = this.#closing;
    for (let tries = 0; tries < REMOVE_TRIES_MAX && !signal.aborted; tries++) {
      if (cgroup?.remove() !== false) return;
      await pause(REMOVE_EVERY_MS, signal);
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

  #treeOf(run: Run): ProcessTree {
    const known = this.#trees.get(run.id);
    if (known !== undefined) return known;
    const { bootId, socketPath } = this.#options;
    const started = readStarted(this.#directoryOf(run), run.spawn);
    const mark = runMark(run, started?.socketPath ?? socketPath);
    const shim = this.#shims.get(run.id) ?? run.process ?? identifyShim(started, mark, bootId);
    const cgroup = this.#cgroupOf(run);
    const tree = new ProcessTree(shim, mark, bootId, cgroup);
    if (shim !== undefined) this.#trees.set(run.id, tree);
    return tree;
  }

  #directoryOf(run: Run): string {
    return runDirectory(this.#options.stateDirectory, run.job, run.number);
  }

  /** A host that closes has said its last word: the next agent finds out the rest. */
  #post(event: Event): void {
    if (!this.#closing.signal.aborted) this.#options.post(event);
  }
}
