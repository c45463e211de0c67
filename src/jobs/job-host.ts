/**
 * The job host: starts runs, finds those of an earlier agent again, signals and checks their trees. Every answer is an event.
 * Requests for one run are carried out one after the other, in the order in which they were made, so that no signal overtakes
 * the start that it is meant for. Different runs do not wait for each other.
 *
 * Runs live without the agent: the shim (shim-script.ts) starts the command and records how it ended.
 */
import { defined } from '../core/lib/defined.ts';
import type { Event } from '../core/model/event.ts';
import type { HostIdentity } from '../core/model/host-identity.ts';
import type { Run, UnrecordedRun } from '../core/model/job.ts';
import type { LogPaths } from '../core/model/status.ts';
import type { JobHost, Post } from '../ports.ts';
import {
  lockedSpawns,
  moveAside,
  readExit,
  readStarted,
  runDirectory,
  runLogPaths,
} from './files/run-directory.ts';
import { removeRunRecord } from './files/run-record.ts';
import { removeOldRuns, removeRun } from './files/run-retention.ts';
import { errorText } from './lib/error-code.ts';
import { ThreadPoolWatch } from './lib/thread-pool.ts';
import { Cgroups } from './process/cgroups.ts';
import { ownAccount } from './process/environment.ts';
import { CannotSee, lives } from './process/process-table.ts';
import { MayBeAlive } from './process/process-tree.ts';
import { NameServiceSilent } from './process/user.ts';
import { findRun } from './supervise/adoption.ts';
import { prepareStart, resolveLaunch, StartRefused, StartUnknown } from './supervise/launch.ts';
import type { Shim } from './supervise/launch.ts';
import { pause } from './supervise/run-end.ts';
import type { RunFiles } from './supervise/run-end.ts';
import { RunTrees } from './supervise/run-trees.ts';
import { Rounds } from './supervise/rounds.ts';
import { LOOK_EVERY_MS, watchRun } from './supervise/run-watch.ts';
import { startShimProcess } from './supervise/shim-process.ts';
import { startShimUnit } from './supervise/shim-unit.ts';
import { UnrecordedRuns } from './supervise/unrecorded-runs.ts';

export { findCgroupBase } from './process/cgroups.ts';
export { closeInheritedDescriptors } from './process/inherited-descriptors.ts';
export { openRunLog } from './files/run-directory.ts';

export interface JobHostOptions {
  readonly post: Post;
  readonly stateDirectory: string;
  readonly socketPath: string;
  readonly bootId: string;
  /** Absent: copies of this host cannot be recognised. */
  readonly hostIdentity?: HostIdentity;
  /** Hides secrets in what leaves this host. */
  readonly mask: (text: string) => string;
  /** What starts the shims of new runs. Those of earlier runs are found whatever started them. */
  readonly backend?: 'process' | 'unit';
  /** The files of runs that ended longer ago are removed; absent: all are kept. */
  readonly keepLogsMs?: number;
  /** Where each run gets a control group of its own (`findCgroupBase`); absent: runs have none. */
  readonly cgroupBase?: string;
}

/** How often runs are looked for that are old enough to be removed. */
const SWEEP_EVERY_MS = 3_600_000;

/** What the disk or the kernel refused is tried again after this. */
const RETRY_MS = 500;

/** Refusals in a row, after which they are a problem that an operator sees. */
const REFUSALS_MAX = 10;

/** Whatever still waits for a dead file system then is given up: the next agent finds the runs again. */
const CLOSE_MS_MAX = 3000;

export function createJobHost(options: JobHostOptions): JobHost {
  return new LocalJobHost(options);
}

class LocalJobHost implements JobHost {
  readonly #options: JobHostOptions;
  readonly #cgroups: Cgroups | undefined;
  readonly #trees: RunTrees;
  readonly #unrecorded: UnrecordedRuns;
  readonly #closing = new AbortController();
  /** The last request for each run, until it is done. */
  readonly #turns = new Map<string, Promise<void>>();
  /** Signals and checks that were requested and are not done. */
  readonly #waiting = new Set<string>();
  /** By run directory. */
  readonly #watches = new Map<string, { readonly run: Run; readonly done: Promise<void> }>();
  readonly #rounds = new Rounds(LOOK_EVERY_MS);
  readonly #sweep: NodeJS.Timeout;
  readonly #threadPool = new ThreadPoolWatch(() => this.#watches.size > 0);
  /** Why the last request for a run cannot be carried out, by its id. */
  readonly #refusals = new Map<string, string>();

  constructor(options: JobHostOptions) {
    this.#options = options;
    this.#trees = new RunTrees(options);
    this.#unrecorded = new UnrecordedRuns({
      ...options,
      members: (run) => this.#trees.members(run),
    });
    const { cgroupBase, socketPath } = options;
    this.#cgroups = cgroupBase === undefined ? undefined : new Cgroups(cgroupBase, socketPath);
    this.#cgroups?.removeEmpty();
    this.#sweep = setInterval(() => this.#removeOld(), SWEEP_EVERY_MS).unref();
  }

  unrecorded(isKnown: (id: string) => boolean): readonly UnrecordedRun[] {
    return this.#unrecorded.find(isKnown);
  }

  expectStart(): void {
    if (this.#options.backend !== 'unit') this.#cgroups?.prepare();
  }

  start(run: Run): void {
    this.expectStart();
    this.#inTurn(run, (asked) => this.#start(asked, run));
  }

  adopt(run: Run): void {
    const earlier = this.#turns.get(this.#unrecorded.earlierThan(run.id) ?? '');
    this.#inTurn(run, async (asked) => {
      await earlier;
      await this.#adopt(asked);
    });
  }

  signalTree(run: Run, signal: string): void {
    this.#inTurnOnce(`${run.id} ${signal}`, run, async (asked) => {
      const tree = this.#trees.of(asked);
      const processes = await (signal === 'SIGKILL' ? tree.kill() : tree.signal(signal));
      this.#post({ type: 'tree-signalled', run: asked.id, signal, processes });
      await this.#check(asked);
    });
  }

  checkTree(run: Run): void {
    this.#inTurnOnce(`${run.id} check`, run, (asked) => this.#check(asked));
  }

  settled(run: Run): void {
    try {
      removeRunRecord(this.#directoryOf(run));
    } catch {
      // The file system has become read-only. If the store is lost too, the run is reported once more.
    }
  }

  forget(run: Run): void {
    this.#trees.forget(run);
    this.#inTurn(run, (asked) => removeRun(this.#options.stateDirectory, this.#directoryOf(asked)));
  }

  logs(job: string, run: number): LogPaths {
    return runLogPaths(this.#options.stateDirectory, job, run);
  }

  get ownUser(): string {
    return ownAccount().username;
  }

  problems(): readonly string[] {
    const stuckMs = this.#threadPool.stuckMs();
    return [
      ...this.#refusals.values(),
      ...this.#unrecorded.problems().map(this.#options.mask),
      ...(stuckMs === undefined ? [] : [this.#stuckText(stuckMs)]),
    ];
  }

  async close(): Promise<void> {
    clearInterval(this.#sweep);
    this.#threadPool.close();
    this.#closing.abort();
    const watches = [...this.#watches.values()].map(({ done }) => done);
    const limit = new AbortController();
    await Promise.race([
      Promise.all([...this.#turns.values(), ...watches]),
      pause(CLOSE_MS_MAX, limit.signal),
    ]);
    limit.abort();
  }

  #stuckText(stuckMs: number): string {
    const seconds = Math.round(stuckMs / 1000);
    return `file operations have not finished for ${seconds} s: the file system of ${this.#options.stateDirectory} does not answer, or that of another path in the configuration (a dead network mount?); progress and output of jobs are not read`;
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
   * Carries out a request after those before it, again and again until the host allows it: nothing is posted that
   * was not seen. The planner goes on changing the run that it hands over, so it is taken as it is now.
   */
  #inTurn(run: Run, ask: (asked: Run) => Promise<void>): void {
    const asked = { ...run };
    const turn = (this.#turns.get(run.id) ?? Promise.resolve()).then(async () => {
      for (let refusals = 1; !this.#closing.signal.aborted; refusals++) {
        try {
          await ask(asked);
          break;
        } catch (error) {
          const isSilent = error instanceof NameServiceSilent;
          const cannot = isSilent ? 'waits to start' : 'cannot be looked at';
          const reason = `run ${run.id} ${cannot}: ${errorText(error)}`;
          if (isSilent || refusals >= REFUSALS_MAX) {
            this.#refusals.set(run.id, this.#options.mask(reason));
          }
          await pause(RETRY_MS, this.#closing.signal);
        }
      }
      this.#refusals.delete(run.id);
      if (this.#turns.get(run.id) === turn) this.#turns.delete(run.id);
    });
    this.#turns.set(run.id, turn);
  }

  /** A request that waits already is not made again: the planner repeats it while it gets no answer. */
  #inTurnOnce(request: string, run: Run, ask: (asked: Run) => Promise<void>): void {
    if (this.#waiting.has(request)) return;
    this.#waiting.add(request);
    this.#inTurn(run, async (asked) => {
      await ask(asked);
      this.#waiting.delete(request);
    });
  }

  /** `latest`: the run as the planner has it. Nothing is started that is not `starting` any more. */
  async #start(run: Run, latest: Run): Promise<void> {
    const { stateDirectory, socketPath, bootId, hostIdentity, mask } = this.#options;
    const directory = this.#directoryOf(run);
    let shim: Shim;
    if (!this.#isWanted(run, latest)) return;
    try {
      await this.#clear(run, directory);
      const launch = await resolveLaunch(run, socketPath);
      const logs = runLogPaths(stateDirectory, run.job, run.number);
      const start = defined({ run, directory, launch, logs, bootId, hostIdentity });
      if (!this.#isWanted(run, latest)) return;
      prepareStart(start);
      shim =
        this.#options.backend === 'unit'
          ? await startShimUnit(start, socketPath)
          : await startShimProcess(start, this.#cgroups);
    } catch (error) {
      if (error instanceof StartUnknown) {
        // A turn of its own: however often it has to be looked for, it is not started again.
        this.adopt(run);
        return;
      }
      // Nothing was started, and it may be possible soon.
      if (error instanceof NameServiceSilent || error instanceof CannotSee) throw error;
      const message = errorText(error);
      const reason =
        error instanceof StartRefused ? message : `the run cannot be prepared: ${message}`;
      this.#post({ type: 'run-start-failed', run: run.id, reason: mask(reason) });
      return;
    }
    this.#watch(run, shim);
  }

  /** False if the run was canceled while its start waited. */
  #isWanted(run: Run, latest: Run): boolean {
    if (latest.state === 'canceling') this.#post({ type: 'run-never-started', run: run.id });
    return latest.state === 'starting';
  }

  /**
   * Files of an older life of the state directory are moved away, unless that run still goes on. No run starts beside one of
   * its job of which the store knows nothing.
   */
  async #clear(run: Run, directory: string): Promise<void> {
    const beside = await this.#unrecorded.membersOf(run.job);
    if (beside.length > 0) {
      throw new StartRefused(
        `an earlier run of ${run.job}, of which this agent has no record, is still running (pid ${beside.join(', ')})`,
      );
    }
    const locked = lockedSpawns(directory).filter((spawn) => spawn >= run.spawn);
    if (locked.length === 0) return;
    const pids = new Set(await this.#trees.members(run));
    for (const spawn of locked) {
      const shim = readStarted(directory, spawn)?.process;
      const hasEnded = readExit(directory, spawn) !== undefined;
      if (shim !== undefined && !hasEnded && lives(shim, this.#options.bootId)) pids.add(shim.pid);
    }
    if (pids.size > 0) {
      throw new StartRefused(
        `an earlier run ${run.id}, of which this agent has no record, is still running (pid ${[...pids].join(', ')})`,
      );
    }
    this.#trees.forget(run);
    moveAside(directory);
  }

  async #adopt(run: Run): Promise<void> {
    const found = await findRun({ ...this.#options, ...this.#filesOf(run) });
    if (this.#closing.signal.aborted) return;
    if ('type' in found) this.#post(found);
    else this.#watch(run, found);
  }

  #watch(run: Run, shim: Shim | Pick<Shim, 'process'>): void {
    const { socketPath } = this.#options;
    const files = this.#filesOf(run);
    this.#trees.addShim(run, shim.process);
    const done = watchRun({
      ...this.#options,
      ...shim,
      ...files,
      rounds: this.#rounds,
      launch: () => resolveLaunch(run, socketPath),
      post: (event) => this.#post(event),
    }).finally(() => {
      this.#watches.delete(files.directory);
      this.#trees.removeShim(run);
      return this.#trees.removeCgroupInTime(run, this.#closing.signal);
    });
    this.#watches.set(files.directory, { run, done });
  }

  #filesOf(run: Run): RunFiles {
    const { stateDirectory, mask } = this.#options;
    return {
      run,
      directory: this.#directoryOf(run),
      logs: runLogPaths(stateDirectory, run.job, run.number),
      members: () => this.#trees.membersBesideShim(run),
      mask,
      closing: this.#closing.signal,
    };
  }

  async #check(run: Run): Promise<void> {
    try {
      const survivors = await this.#trees.members(run);
      this.#post({ type: 'tree-checked', run: run.id, survivors });
    } catch (error) {
      if (!(error instanceof MayBeAlive)) throw error;
      // They may stay so for ever, and a cancel must end.
      const reason = this.#options.mask(error.message);
      this.#post({ type: 'tree-checked', run: run.id, survivors: error.pids, reason });
    }
  }

  #directoryOf(run: Run): string {
    return runDirectory(this.#options.stateDirectory, run.job, run.number);
  }

  /** A host that closes posts nothing more: the next agent finds out the rest. */
  #post(event: Event): void {
    if (!this.#closing.signal.aborted) this.#options.post(event);
  }
}
