/**
 * The planner and everything around it, in virtual time and from one seed: gates that give calls at the configured
 * rate, services that fail as told, jobs that run and end. What is simulated is the outside; the planner is real.
 */
import type { Action, Reply } from '../../src/core/action.ts';
import type { Call, Operation, Outcome } from '../../src/core/call.ts';
import type { Event } from '../../src/core/event.ts';
import type { Run } from '../../src/core/job.ts';
import { recogniseHost } from '../../src/core/host-identity.ts';
import type { HostIdentity } from '../../src/core/host-identity.ts';
import { Ledger } from '../../src/core/ledger.ts';
import type { Note } from '../../src/core/note.ts';
import { Planner } from '../../src/core/planner.ts';
import type { Calendar } from '../../src/core/schedules.ts';
import type { Settings } from '../../src/core/settings.ts';
import { SECOND_MS } from '../../src/core/time.ts';
import { createRandom } from '../../src/system/random.ts';
import { ServiceModel } from './service-model.ts';
import { VirtualTime } from './virtual-time.ts';

export interface JobModel {
  /** How long a run takes. */
  durationMs(run: Run): number;
  exitCode(run: Run): number;
  /** How often progress is read. */
  progressEveryMs: number;
}

export interface WorldOptions {
  readonly seed: number;
  readonly settings: Settings;
  readonly jobs: JobModel;
  /** Part of the calls that fail; half of those after the service has performed them. */
  readonly failing: number;
  /** What the service really lets through, where it is less than configured: it throttles then. */
  readonly throttling?: Settings['rates'];
  /** What a call is answered, where it is not for the service to say. */
  readonly outcome?: (call: Call, bootMs: number) => Outcome | undefined;
  /** Absent: nothing is scheduled. */
  readonly calendar?: Calendar;
  /** True while this call finds nobody. */
  readonly isOut?: (call: Call, bootMs: number) => boolean;
}

interface Process {
  readonly run: Run;
  readonly startedMs: number;
  readonly durationMs: number;
  alive: boolean;
}

/** The part of the rate that the real gate gives. */
export const GATE_PART = 0.99;
/** The reserve that the real gate keeps too: calls bunch on their way (see src/aws/gates.ts). */
const JITTER_S = 0.2;

export class World {
  readonly time = new VirtualTime();
  readonly service: ServiceModel;
  readonly notes: Note[] = [];
  readonly random: () => number;
  turns = 0;
  planner: Planner;
  ledger = new Ledger();
  /** The host that the next agent finds itself on; absent: nothing tells. */
  identity: HostIdentity | undefined;
  keepNotes = true;
  /** What the planner wanted looked at, and no longer looked at. */
  readonly watched: string[] = [];
  readonly replies: Reply[] = [];
  /** Every call with its time, where a test wants them. */
  calls: { readonly call: Call; readonly atMs: number }[] | undefined;
  /** Exit codes of agents that ended by themselves. */
  readonly exits: number[] = [];
  onNote: (note: Note) => void = () => undefined;
  onEnded: (run: Run) => void = () => undefined;
  readonly #options: WorldOptions;
  #inbox: Event[] = [];
  readonly #processes = new Map<string, Process>();
  #gates = new Map<Operation, GateModel>();
  #life = 0;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.random = createRandom(options.seed);
    this.service = new ServiceModel(this.time, options.throttling ?? options.settings.rates);
    this.planner = this.#newPlanner();
  }

  post(event: Event): void {
    this.#inbox.push(event);
  }

  running(): number {
    let count = 0;
    for (const process of this.#processes.values()) if (process.alive) count++;
    return count;
  }

  /** Turns the loop until `bootMs`. */
  runUntil(bootMs: number): void {
    while (this.time.now().bootMs < bootMs) {
      const now = this.time.now();
      const nextMs =
        this.#inbox.length > 0
          ? now.bootMs
          : Math.min(
              this.time.nextMs() ?? Infinity,
              this.planner.wakeAtMs() ?? Infinity,
              now.bootMs + 10 * SECOND_MS,
              bootMs,
            );
      this.time.moveTo(nextMs);
      this.turn();
    }
  }

  /** The agent stands still while time goes on, as in a suspended host; what happens outside waits for it. */
  sleep(ms: number): void {
    this.time.moveTo(this.time.now().bootMs + ms);
  }

  /** Kills the agent and starts another from what was on disk. Jobs go on. */
  crash(): void {
    this.#life++;
    this.#inbox = [];
    this.service.disconnect();
    for (const gate of this.#gates.values()) gate.empty();
    this.ledger = reload(this.ledger);
    if (this.identity !== undefined) {
      recogniseHost(this.ledger, this.identity, this.time.now());
      this.ledger.facts.taskRunnerId ??= `runner-of-${this.identity.hardware ?? ''}`;
    }
    this.planner = this.#newPlanner();
  }

  turn(): void {
    this.turns++;
    const now = this.time.now();
    const events = this.#inbox;
    this.#inbox = [];
    for (const event of events) this.planner.observe(event, now);
    this.planner.observe({ type: 'time-passed' }, now);
    const changes = this.planner.takeChanges();
    if (this.keepNotes) this.notes.push(...changes.notes);
    for (const note of changes.notes) this.onNote(note);
    for (const run of changes.runs) if (run.endedAt?.bootMs === now.bootMs) this.onEnded(run);
    for (const action of this.planner.decide(now)) this.#act(action);
  }

  #newPlanner(): Planner {
    const { settings, calendar } = this.#options;
    return new Planner(this.ledger, settings, this.time.now(), this.random, calendar);
  }

  #act(action: Action): void {
    switch (action.type) {
      case 'ask-gate':
        this.#gate(action.operation).ask(action.slots);
        break;
      case 'return-slots':
        this.#gate(action.operation).giveBack(action.slots);
        break;
      case 'call':
        this.#call(action.id, action.call);
        break;
      case 'start-run':
        this.#start(action.run);
        break;
      case 'adopt-run':
        this.#adopt(action.run);
        break;
      case 'signal-tree':
        this.#signal(action.run, action.signal);
        break;
      case 'check-tree':
        this.#check(action.run);
        break;
      case 'watch-run':
      case 'release-run':
        this.watched.push(`${action.type} ${action.run.id}`);
        break;
      case 'forget-run':
        this.#processes.delete(action.run.id);
        break;
      case 'answer':
        this.replies.push(action.reply);
        break;
      case 'exit':
        this.exits.push(action.code);
        break;
    }
  }

  #gate(operation: Operation): GateModel {
    let gate = this.#gates.get(operation);
    if (gate === undefined) {
      const rate = this.#options.settings.rates[operation];
      gate = new GateModel(this.time, rate.perSecond, rate.burst, (slots) =>
        this.post({ type: 'gate-opened', operation, slots }),
      );
      this.#gates.set(operation, gate);
    }
    return gate;
  }

  #call(id: number, call: Call): void {
    const sentAt = this.time.now();
    const life = this.#life;
    const settle = (outcome: Outcome): void => {
      this.time.in(this.#latencyMs(), () => {
        if (life === this.#life) this.post({ type: 'call-settled', id, call, outcome, sentAt });
      });
    };
    this.time.in(this.#latencyMs(), () => {
      const isLetIn = this.service.arrive(call);
      this.calls?.push({ call, atMs: this.time.now().bootMs });
      const isOut = this.#options.isOut?.(call, this.time.now().bootMs) ?? false;
      const isFailing = this.random() < this.#options.failing;
      const said = this.#options.outcome?.(call, this.time.now().bootMs);
      const failure = { kind: 'unavailable', reason: 'simulated' } as const;
      if (!isLetIn && this.#options.throttling !== undefined) {
        settle({ kind: 'throttled', reason: 'simulated' });
      } else if (said !== undefined) settle(said);
      else if (isOut) settle(failure);
      else if (!isFailing) this.service.perform(call, settle);
      else if (this.random() < 0.5 || call.operation === 'PollForTask') settle(failure);
      else this.service.perform(call, () => settle(failure));
    });
  }

  #latencyMs(): number {
    return 5 + this.random() * 90;
  }

  #start(run: Run): void {
    if (this.#processes.has(run.id)) throw new Error(`${run.id} was started twice`);
    const process: Process = {
      run,
      startedMs: this.time.now().bootMs,
      durationMs: this.#options.jobs.durationMs(run),
      alive: true,
    };
    this.#processes.set(run.id, process);
    this.#told(run);
    this.time.in(process.durationMs, () => {
      if (!process.alive) return;
      process.alive = false;
      this.post({ type: 'run-exited', run: run.id, exitCode: this.#options.jobs.exitCode(run) });
    });
    this.#progress(process);
  }

  #progress(process: Process): void {
    this.time.in(this.#options.jobs.progressEveryMs, () => {
      if (!process.alive) return;
      const percent = ((this.time.now().bootMs - process.startedMs) / process.durationMs) * 100;
      this.post({ type: 'progress-read', run: process.run.id, percent });
      this.#progress(process);
    });
  }

  #adopt(run: Run): void {
    const process = this.#processes.get(run.id);
    if (process === undefined) this.post({ type: 'run-never-started', run: run.id });
    else if (process.alive) this.#told(run);
    else this.post({ type: 'run-exited', run: run.id, exitCode: this.#options.jobs.exitCode(run) });
  }

  #told(run: Run): void {
    const identity = { pid: 1000 + run.number, bootId: 'virtual', startTicks: '1' };
    this.time.in(20, () => this.post({ type: 'run-started', run: run.id, process: identity }));
  }

  #signal(run: Run, signal: string): void {
    const process = this.#processes.get(run.id);
    this.time.in(10, () => {
      this.post({
        type: 'tree-signalled',
        run: run.id,
        signal,
        processes: process?.alive === true ? 1 : 0,
      });
      if (process?.alive === true) {
        process.alive = false;
        this.post({ type: 'run-exited', run: run.id, exitCode: 143, signal });
      }
      this.#check(run);
    });
  }

  #check(run: Run): void {
    const isAlive = this.#processes.get(run.id)?.alive === true;
    this.post({ type: 'tree-checked', run: run.id, survivors: isAlive ? [1] : [] });
  }
}

/** A gate as the port describes it: never more than its rate and burst, less the reserve for jitter. */
class GateModel {
  readonly #time: VirtualTime;
  readonly #perSecond: number;
  readonly #capacity: number;
  readonly #open: (slots: number) => void;
  #tokens: number;
  #atMs: number;
  #waiting = 0;
  #isWaking = false;

  constructor(time: VirtualTime, perSecond: number, burst: number, open: (slots: number) => void) {
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
    const slots = Math.min(this.#waiting, Math.floor(this.#tokens + 1e-9));
    if (slots > 0) {
      this.#tokens -= slots;
      this.#waiting -= slots;
      this.#open(slots);
    }
    if (this.#waiting > 0 && !this.#isWaking) {
      this.#isWaking = true;
      this.#time.in(Math.ceil(((1 - this.#tokens) / this.#perSecond) * SECOND_MS), () => {
        this.#isWaking = false;
        this.#give();
      });
    }
  }
}

/** What another process would read from the disk: values, not objects of this one. */
function reload(ledger: Ledger): Ledger {
  const copy = new Ledger();
  const kept = structuredClone({
    runs: [...ledger.runs.values(), ...ledger.foreignRuns.values()],
    hubTasks: [...ledger.hubTasks.entries(), ...ledger.foreignHubTasks.entries()],
    facts: ledger.facts,
  });
  for (const run of kept.runs) copy.recoverRun(run);
  for (const [name, task] of kept.hubTasks) copy.hubTasks.set(name, task);
  copy.facts = kept.facts;
  return copy;
}
