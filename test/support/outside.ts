/**
 * Everything outside the planner or the agent, in virtual time and from one seed: gates with the configured rate, a
 * connection to the services that fails as the options require, jobs that run and end. It outlives every agent.
 */
import type { Call, Operation, Outcome } from '../../src/core/model/call.ts';
import type { Event } from '../../src/core/model/event.ts';
import type { Run } from '../../src/core/model/job.ts';
import type { Settings } from '../../src/core/model/settings.ts';
import { SECOND_MS } from '../../src/core/lib/time.ts';
import type { ServiceModel } from './service-model.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface JobModel {
  /** How long a run takes. */
  durationMs(run: Run): number;
  exitCode(run: Run): number;
  /** Whether its tree goes on after SIGTERM; absent: none does. */
  isDeaf?(run: Run): boolean;
  /** How often progress is read. */
  progressEveryMs: number;
}

export interface OutsideOptions {
  readonly settings: Settings;
  readonly jobs: JobModel;
  /** The part of the calls that fails; half of those after the service has carried them out. */
  readonly failing: number;
  /** The rate that the service allows, if it is less than configured. It throttles the rest. */
  readonly throttling?: Settings['rates'];
  /** The outcome of a call that does not reach the service. */
  readonly outcome?: (call: Call, bootMs: number) => Outcome | undefined;
  /** True while this call cannot reach the service. */
  readonly isOut?: (call: Call, bootMs: number) => boolean;
}

interface Process {
  readonly run: Run;
  readonly startedMs: number;
  readonly durationMs: number;
  /** Absent while it runs. `lost`: the host went down, and its end is unknown. */
  exit?: { readonly code: number; readonly signal?: string } | 'lost';
}

/** The exit code for `onExit` if the end of a run is unknown. */
const LOST = -1;
/** The part of the rate that the real gate gives. */
export const GATE_PART = 0.99;
/** The reserve that the real gate keeps too, because calls bunch up on their way (src/aws/budget/gates.ts). */
const JITTER_S = 0.2;

export class Outside {
  /** Called when a process has ended, even if no agent watches it. */
  onExit: (run: Run, exitCode: number) => void = () => undefined;
  /** True while the host is suspended. Its gates are suspended as well. */
  isAsleep: () => boolean = () => false;
  readonly #world: Readonly<{ time: VirtualTime; service: ServiceModel; random: () => number }>;
  readonly #options: OutsideOptions;
  readonly #post: (event: Event) => void;
  readonly #processes = new Map<string, Process>();
  readonly #started = new Set<string>();
  readonly #gates = new Map<Operation, GateModel>();
  #life = 0;

  constructor(
    world: Readonly<{ time: VirtualTime; service: ServiceModel; random: () => number }>,
    options: OutsideOptions,
    post: (event: Event) => void,
  ) {
    this.#world = world;
    this.#options = options;
    this.#post = post;
  }

  running(): number {
    return [...this.#processes.values()].filter(({ exit }) => exit === undefined).length;
  }

  isRunning(id: string): boolean {
    const process = this.#processes.get(id);
    return process !== undefined && process.exit === undefined;
  }

  hasStarted(id: string): boolean {
    return this.#started.has(id);
  }

  /** The agent died: its connections are closed, and the next one has no saved-up calls. Jobs go on. */
  disconnect(): void {
    this.#life++;
    this.#world.service.disconnect();
    for (const gate of this.#gates.values()) gate.empty();
  }

  /** The host goes down with everything that runs on it. */
  powerOff(): void {
    for (const process of this.#processes.values()) {
      if (process.exit !== undefined) continue;
      process.exit = 'lost';
      this.onExit(process.run, LOST);
    }
  }

  /** Every process ends without an event. */
  killProcesses(): void {
    for (const process of this.#processes.values()) process.exit ??= 'lost';
  }

  gate(operation: Operation): GateModel {
    let gate = this.#gates.get(operation);
    if (gate === undefined) {
      const rate = this.#options.settings.rates[operation];
      const open = (slots: number): void => this.#post({ type: 'gate-opened', operation, slots });
      const isAsleep = (): boolean => this.isAsleep();
      gate = new GateModel(this.#world.time, rate.perSecond, rate.burst, open, isAsleep);
      this.#gates.set(operation, gate);
    }
    return gate;
  }

  /** Sends a call. `arrived` is called when it reaches the service, `settle` with the outcome if the sender still runs. */
  call(call: Call, settle: (outcome: Outcome) => void, arrived: () => void): void {
    const { random, service, time } = this.#world;
    const life = this.#life;
    const answer = (outcome: Outcome): void => {
      time.in(this.#latencyMs(), () => {
        if (life === this.#life) settle(outcome);
      });
    };
    time.in(this.#latencyMs(), () => {
      const isLetIn = service.arrive(call);
      arrived();
      const isOut = this.#options.isOut?.(call, time.now().bootMs) ?? false;
      const isFailing = random() < this.#options.failing;
      const chosen = this.#options.outcome?.(call, time.now().bootMs);
      const failure = { kind: 'unavailable', reason: 'simulated' } as const;
      if (!isLetIn && this.#options.throttling !== undefined) {
        answer({ kind: 'throttled', reason: 'simulated' });
      } else if (chosen !== undefined) answer(chosen);
      else if (isOut) answer(failure);
      else if (!isFailing) service.perform(call, answer);
      else if (random() < 0.5 || call.operation === 'PollForTask') answer(failure);
      else service.perform(call, () => answer(failure));
    });
  }

  start(run: Run): void {
    if (this.#started.has(run.id)) throw new Error(`${run.id} was started twice`);
    this.#started.add(run.id);
    const process: Process = {
      run,
      startedMs: this.#world.time.now().bootMs,
      durationMs: this.#options.jobs.durationMs(run),
    };
    this.#processes.set(run.id, process);
    this.#confirm(run);
    this.#world.time.in(process.durationMs, () =>
      this.#end(process, { code: this.#options.jobs.exitCode(run) }),
    );
    this.#progress(process);
  }

  adopt(run: Run): void {
    const process = this.#processes.get(run.id);
    if (process === undefined) this.#post({ type: 'run-never-started', run: run.id });
    else if (process.exit === undefined) this.#confirm(run);
    else this.#tellExit(process);
  }

  signalTree(run: Run, signal: string): void {
    const process = this.#processes.get(run.id);
    this.#world.time.in(10, () => {
      const processes = process !== undefined && process.exit === undefined ? 1 : 0;
      this.#post({ type: 'tree-signalled', run: run.id, signal, processes });
      const isHeard = signal === 'SIGKILL' || this.#options.jobs.isDeaf?.(run) !== true;
      if (process !== undefined && isHeard) this.#end(process, { code: 143, signal });
      this.checkTree(run);
    });
  }

  checkTree(run: Run): void {
    const survivors = this.isRunning(run.id) ? [1] : [];
    this.#post({ type: 'tree-checked', run: run.id, survivors });
  }

  forget(run: Run): void {
    this.#processes.delete(run.id);
  }

  #latencyMs(): number {
    return 5 + this.#world.random() * 90;
  }

  #end(process: Process, exit: Exclude<Process['exit'], 'lost' | undefined>): void {
    if (process.exit !== undefined) return;
    process.exit = exit;
    this.onExit(process.run, exit.code);
    this.#tellExit(process);
  }

  #tellExit({ run, exit }: Process): void {
    if (exit === undefined) return;
    if (exit === 'lost') {
      this.#post({ type: 'run-lost', run: run.id, reason: 'the host was restarted' });
      return;
    }
    const { code, signal } = exit;
    this.#post({
      type: 'run-exited',
      run: run.id,
      exitCode: code,
      ...(signal === undefined ? {} : { signal }),
    });
  }

  #progress(process: Process): void {
    this.#world.time.in(this.#options.jobs.progressEveryMs, () => {
      if (process.exit !== undefined) return;
      const runMs = this.#world.time.now().bootMs - process.startedMs;
      const percent = (runMs / process.durationMs) * 100;
      this.#post({ type: 'progress-read', run: process.run.id, percent });
      this.#progress(process);
    });
  }

  #confirm(run: Run): void {
    const identity = { pid: 1000 + run.number, bootId: 'virtual', startTicks: '1' };
    this.#world.time.in(20, () =>
      this.#post({ type: 'run-started', run: run.id, process: identity }),
    );
  }
}

/** A gate as the port describes it: never more than its rate and burst, less the reserve for jitter. */
class GateModel {
  readonly #time: VirtualTime;
  readonly #perSecond: number;
  readonly #capacity: number;
  readonly #open: (slots: number) => void;
  readonly #isAsleep: () => boolean;
  #tokens: number;
  #atMs: number;
  #waiting = 0;
  #isWaking = false;

  constructor(
    time: VirtualTime,
    perSecond: number,
    burst: number,
    open: (slots: number) => void,
    isAsleep: () => boolean = () => false,
  ) {
    this.#isAsleep = isAsleep;
    this.#time = time;
    this.#perSecond = perSecond * GATE_PART;
    this.#capacity = Math.max(1, burst - Math.ceil(perSecond * JITTER_S));
    this.#open = open;
    this.#tokens = this.#capacity;
    this.#atMs = time.now().bootMs;
  }

  ask(slots: number): void {
    this.#waiting += slots;
    this.#give();
  }

  giveBack(slots: number): void {
    this.#tokens = Math.min(this.#capacity, this.#tokens + slots);
  }

  empty(): void {
    this.#tokens = 0;
    this.#atMs = this.#time.now().bootMs;
    this.#waiting = 0;
  }

  #give(): void {
    const nowMs = this.#time.now().bootMs;
    const earned = ((nowMs - this.#atMs) / SECOND_MS) * this.#perSecond;
    this.#tokens = Math.min(this.#capacity, this.#tokens + earned);
    this.#atMs = nowMs;
    const slots = this.#isAsleep() ? 0 : Math.min(this.#waiting, Math.floor(this.#tokens + 1e-9));
    if (slots > 0) {
      this.#tokens -= slots;
      this.#waiting -= slots;
      this.#open(slots);
    }
    if (this.#waiting > 0 && !this.#isWaking) {
      this.#isWaking = true;
      const fullInMs = Math.ceil(((1 - this.#tokens) / this.#perSecond) * SECOND_MS);
      this.#time.in(this.#isAsleep() ? SECOND_MS : fullInMs, () => {
        this.#isWaking = false;
        this.#give();
      });
    }
  }
}
