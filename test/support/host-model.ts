/**
 * The processes of a host, in virtual time. Each run has a shim, a program and, if the job is made so, processes that the
 * program leaves behind. A shim can be killed, the host can lose its power, and it can be unable to see its processes for
 * a while (no descriptors): then it answers nothing until it can, as the real one does.
 */
import type { Event } from '../../src/core/model/event.ts';
import type { Run } from '../../src/core/model/job.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface JobModel {
  /** How long a run takes. */
  durationMs(run: Run): number;
  exitCode(run: Run): number;
  /** Whether its tree goes on after SIGTERM; absent: none does. */
  isDeaf?(run: Run): boolean;
  /** How long processes live on that the program leaves behind; absent: there are none. */
  leavesForMs?(run: Run): number;
  /** How long a start takes before anything runs, as with a slow user directory; absent: no time. */
  startsInMs?(run: Run): number;
  /** How often progress is read. */
  progressEveryMs: number;
}

interface Exit {
  readonly code: number;
  readonly signal?: string;
}

interface Tree {
  readonly run: Run;
  readonly startedMs: number;
  readonly durationMs: number;
  hasShim: boolean;
  /** Absent: the program lives. `lost`: the host lost its power. */
  exit?: Exit | 'lost';
  /** Written by the shim. */
  record?: Exit;
  /** Processes that the program left behind live. */
  hasOthers: boolean;
}

/** What `onEnd` gets for a run whose exit code nobody recorded. */
const LOST = -1;
/** How soon the host looks again while it cannot see its processes. */
const LOOK_AGAIN_MS = 500;
/** How soon the host notices that a shim has died. */
const NOTICE_MS = 200;

export class HostModel {
  /** Its processes begin to run. */
  onStart: (run: Run) => void = () => undefined;
  /** The run is over by the rule of its job, whether any agent saw it or not; `code`: its exit record, or -1. */
  onEnd: (run: Run, code: number) => void = () => undefined;
  /** The program has ended, and processes of its tree live on. */
  onLeft: (run: Run) => void = () => undefined;
  /** Nothing of its tree is alive any more. */
  onEmpty: (run: Run) => void = () => undefined;
  readonly #time: VirtualTime;
  readonly #jobs: JobModel;
  readonly #post: (event: Event) => void;
  readonly #trees = new Map<string, Tree>();
  readonly #started = new Set<string>();
  /** Attempts that can never start any more: the next agent took their start locks. */
  readonly #locked = new Set<string>();
  /** Runs that the present agent watches. */
  readonly #watched = new Set<string>();
  /** Requests that wait for the host to see again. */
  readonly #waiting = new Set<string>();
  #blindUntilMs = -Infinity;
  #life = 0;

  constructor(time: VirtualTime, jobs: JobModel, post: (event: Event) => void) {
    this.#time = time;
    this.#jobs = jobs;
    this.#post = post;
  }

  running(): number {
    return [...this.#trees.values()].filter(isAlive).length;
  }

  isRunning(id: string): boolean {
    const tree = this.#trees.get(id);
    return tree !== undefined && isAlive(tree);
  }

  /** Runs whose programs live. */
  live(): readonly string[] {
    return [...this.#trees.values()].filter(isAlive).map(({ run }) => run.id);
  }

  hasStarted(id: string): boolean {
    return this.#started.has(id);
  }

  get isBlind(): boolean {
    return this.#time.now().bootMs < this.#blindUntilMs;
  }

  /** No descriptors, for so long: no process can be seen, signalled or looked for. */
  goBlind(ms: number): void {
    this.#blindUntilMs = Math.max(this.#blindUntilMs, this.#time.now().bootMs + ms);
  }

  /** The shim dies, what it started lives on. */
  killShim(id: string): void {
    const tree = this.#trees.get(id);
    if (tree === undefined || !tree.hasShim || !isAlive(tree)) return;
    tree.hasShim = false;
    this.#later(NOTICE_MS, id, () => this.#postEnd(tree));
  }

  /** The program ends now, by itself. */
  endProgram(id: string): void {
    const tree = this.#trees.get(id);
    if (tree !== undefined) this.#programEnds(tree);
  }

  agentDied(): void {
    this.#life++;
    this.#watched.clear();
    this.#waiting.clear();
  }

  /** The host goes down with everything that runs on it. */
  powerOff(): void {
    for (const tree of this.#trees.values()) {
      if (isAlive(tree)) this.#allDie(tree, 'lost');
    }
  }

  /** Every process ends without a trace and without an event. */
  killProcesses(): void {
    for (const tree of this.#trees.values()) {
      tree.exit ??= 'lost';
      tree.hasShim = false;
      tree.hasOthers = false;
    }
  }

  start(run: Run): void {
    const { spawn } = run;
    const inMs = this.#jobs.startsInMs?.(run) ?? 0;
    const start = (): void => {
      if (this.#locked.has(`${run.id} ${spawn}`)) return;
      // As the real host: a start that waited is not made for a run that is being canceled.
      if (inMs > 0 && run.state !== 'starting') {
        if (run.state === 'canceling') this.#post({ type: 'run-never-started', run: run.id });
        return;
      }
      this.#start(run);
    };
    if (inMs === 0) start();
    else this.#whileAgentLives(inMs, start);
  }

  adopt(run: Run): void {
    this.#whenSeen(() => {
      const tree = this.#trees.get(run.id);
      if (tree === undefined) {
        this.#locked.add(`${run.id} ${run.spawn}`);
        this.#post({ type: 'run-never-started', run: run.id });
      } else if (tree.hasShim && tree.exit === undefined) this.#reportStarted(run);
      else this.#postEnd(tree);
    });
  }

  signalTree(run: Run, signal: string): void {
    this.#once(`${run.id} ${signal}`, () => {
      this.#whileAgentLives(10, () => {
        const tree = this.#trees.get(run.id);
        const processes = this.isRunning(run.id) ? 1 : 0;
        this.#post({ type: 'tree-signalled', run: run.id, signal, processes });
        const isHeard = signal === 'SIGKILL' || this.#jobs.isDeaf?.(run) !== true;
        if (tree !== undefined && isAlive(tree) && isHeard) {
          this.#allDie(tree, { code: 143, signal });
        }
        this.#check(run);
      });
    });
  }

  checkTree(run: Run): void {
    this.#once(`${run.id} check`, () => this.#check(run));
  }

  forget(run: Run): void {
    this.#trees.delete(run.id);
    // A name that is forgotten begins to count again.
    this.#started.delete(run.id);
    for (let spawn = run.spawn; spawn > 0; spawn--) this.#locked.delete(`${run.id} ${spawn}`);
  }

  #start(run: Run): void {
    if (this.#started.has(run.id)) throw new Error(`${run.id} was started twice`);
    this.#started.add(run.id);
    const tree: Tree = {
      run,
      startedMs: this.#time.now().bootMs,
      durationMs: this.#jobs.durationMs(run),
      hasShim: true,
      hasOthers: false,
    };
    this.#trees.set(run.id, tree);
    this.onStart(run);
    this.#reportStarted(run);
    this.#time.in(tree.durationMs, () => this.#programEnds(tree));
    this.#progress(tree);
  }

  #programEnds(tree: Tree): void {
    if (tree.exit !== undefined) return;
    tree.exit = { code: this.#jobs.exitCode(tree.run) };
    const leavesForMs = this.#jobs.leavesForMs?.(tree.run) ?? 0;
    tree.hasOthers = leavesForMs > 0;
    if (tree.hasOthers) {
      // Without a shim nobody knows that the program has ended.
      if (tree.hasShim) this.onLeft(tree.run);
      this.#time.in(leavesForMs, () => {
        if (!tree.hasOthers) return;
        tree.hasOthers = false;
        this.#emptied(tree);
      });
    }
    this.#ended(tree);
    if (!tree.hasOthers) this.#emptied(tree);
  }

  /** A signal, or the end of the host's power: everything that is left dies at once. */
  #allDie(tree: Tree, exit: Exit | 'lost'): void {
    const isProgramAlive = tree.exit === undefined;
    if (exit === 'lost') tree.hasShim = false;
    tree.exit ??= exit;
    tree.hasOthers = false;
    if (isProgramAlive) this.#ended(tree);
    this.#emptied(tree);
  }

  /** The program has ended. */
  #ended(tree: Tree): void {
    if (!tree.hasShim || tree.exit === undefined || tree.exit === 'lost') return;
    tree.record = tree.exit;
    if (!waitsForTree(tree.run)) this.onEnd(tree.run, tree.record.code);
    this.#later(0, tree.run.id, () => this.#postEnd(tree));
  }

  #emptied(tree: Tree): void {
    if (tree.record === undefined) this.onEnd(tree.run, LOST);
    else if (waitsForTree(tree.run)) this.onEnd(tree.run, tree.record.code);
    this.onEmpty(tree.run);
  }

  #postEnd(tree: Tree): void {
    const { record, run } = tree;
    const pids = tree.hasOthers || (tree.exit === undefined && !tree.hasShim) ? [2] : [];
    if (record !== undefined) {
      this.#post({
        type: 'run-exited',
        run: run.id,
        exitCode: record.code,
        ...(record.signal === undefined ? {} : { signal: record.signal }),
        ...(pids.length === 0 ? {} : { processesLeft: pids }),
      });
      return;
    }
    const reason = tree.exit === 'lost' ? 'the host was restarted' : 'the shim is gone';
    if (pids.length > 0) this.#post({ type: 'run-orphaned', run: run.id, pids, reason });
    else this.#post({ type: 'run-lost', run: run.id, reason });
  }

  #check(run: Run): void {
    const survivors = this.isRunning(run.id) ? [1] : [];
    this.#post({ type: 'tree-checked', run: run.id, survivors });
  }

  #progress(tree: Tree): void {
    this.#time.in(this.#jobs.progressEveryMs, () => {
      if (tree.exit !== undefined) return;
      const runMs = this.#time.now().bootMs - tree.startedMs;
      const percent = (runMs / tree.durationMs) * 100;
      const isRead = this.#watched.has(tree.run.id) && tree.hasShim && !this.isBlind;
      if (isRead) this.#post({ type: 'progress-read', run: tree.run.id, percent });
      this.#progress(tree);
    });
  }

  #reportStarted(run: Run): void {
    this.#watched.add(run.id);
    const identity = { pid: 1000 + run.number, bootId: 'virtual', startTicks: '1' };
    this.#whileAgentLives(20, () =>
      this.#post({ type: 'run-started', run: run.id, process: identity }),
    );
  }

  /** Of a run that the agent watches: in so long, and once it can be seen. */
  #later(ms: number, id: string, what: () => void): void {
    if (!this.#watched.has(id)) return;
    this.#whileAgentLives(ms, () => this.#whenSeen(what));
  }

  #once(request: string, what: () => void): void {
    if (this.#waiting.has(request)) return;
    this.#waiting.add(request);
    this.#whenSeen(() => {
      this.#waiting.delete(request);
      what();
    });
  }

  #whenSeen(what: () => void): void {
    if (!this.isBlind) what();
    else this.#whileAgentLives(LOOK_AGAIN_MS, () => this.#whenSeen(what));
  }

  /** What an agent's own process does is over with it. */
  #whileAgentLives(ms: number, what: () => void): void {
    const life = this.#life;
    const unlessDead = (): void => {
      if (life === this.#life) what();
    };
    if (ms === 0) unlessDead();
    else this.#time.in(ms, unlessDead);
  }
}

function isAlive({ exit, hasOthers }: Tree): boolean {
  return exit === undefined || hasOthers;
}

function waitsForTree({ definition }: Run): boolean {
  return definition.waitFor === 'tree';
}
