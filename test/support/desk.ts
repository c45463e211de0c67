/**
 * A planner that a test works by hand: one event at a time, on a clock that the test moves, each call answered as the test
 * says. Gates open at once. For a host and services that behave by themselves see world.ts.
 */
import { after } from '../../src/core/lib/time.ts';
import type { Now } from '../../src/core/lib/time.ts';
import type { Action, Reply } from '../../src/core/model/action.ts';
import type { Call, Operation, Outcome } from '../../src/core/model/call.ts';
import type { Event } from '../../src/core/model/event.ts';
import type { HubTask } from '../../src/core/model/hub-task.ts';
import { isPendingForPipeline } from '../../src/core/model/job.ts';
import type { JobDefinition, Run } from '../../src/core/model/job.ts';
import type { Settings } from '../../src/core/model/settings.ts';
import type { TimelineEvent } from '../../src/core/model/timeline.ts';
import { Planner } from '../../src/core/planner.ts';
import type { Calendar } from '../../src/core/runs/schedules.ts';
import { PersistentState } from '../../src/core/state/persistent-state.ts';
import { definition, settings } from './settings.ts';

export const START: Now = { wallMs: Date.UTC(2026, 0, 1), bootMs: 1_000_000 };

/** Answers a call; `undefined`: it stays in flight until the test settles it. */
export type Answers = (call: Call) => Outcome | undefined;

export interface DeskOptions {
  readonly jobs?: readonly JobDefinition[];
  readonly settings?: Partial<Settings>;
  readonly state?: PersistentState;
  readonly answers?: Answers;
  readonly random?: () => number;
  readonly calendar?: Calendar;
  readonly now?: Now;
  /** The store takes no changes. */
  readonly isDiskFull?: boolean;
}

interface InFlight {
  readonly id: number;
  readonly call: Call;
  readonly sentAt: Now;
}

export class Desk {
  readonly state: PersistentState;
  readonly planner: Planner;
  /** All that the planner asked for, gates left out. */
  readonly actions: Action[] = [];
  readonly calls: Call[] = [];
  readonly events: TimelineEvent[] = [];
  readonly replies: Reply[] = [];
  inFlight: InFlight[] = [];
  answers: Answers;
  isDiskFull = false;
  now: Now;
  #inbox: Event[] = [];
  /** Runs and tasks as they were written last. */
  readonly #disk = new Map<string, string>();
  /** Of runs, as they were written last. */
  readonly #percents = new Map<string, number>();

  constructor(options: DeskOptions = {}) {
    const { jobs = [], state = new PersistentState(), now = START } = options;
    this.state = state;
    this.now = now;
    this.answers = options.answers ?? accepted;
    this.isDiskFull = options.isDiskFull ?? false;
    this.planner = new Planner(
      state,
      settings({ jobs: new Map(jobs.map((job) => [job.name, job])), ...options.settings }),
      now,
      options.random ?? (() => 0),
      options.calendar,
    );
    this.#turn();
    this.#handleInbox();
  }

  /** The reply to the last request; a request gets its reply in the same turn unless a call is needed. */
  post(event: Event): Reply | undefined {
    this.#inbox.push(event);
    const before = this.replies.length;
    this.#handleInbox();
    return this.replies.slice(before).at(-1);
  }

  /** Moves the clock, and stops wherever the planner has something to do. */
  pass(ms: number): void {
    const until = after(this.now, ms);
    while (this.now.bootMs < until.bootMs) {
      const wakeMs = Math.max(this.planner.wakeAtMs() ?? Infinity, this.now.bootMs + 1);
      const stepMs = Math.min(wakeMs, until.bootMs, this.now.bootMs + 10_000) - this.now.bootMs;
      this.now = after(this.now, stepMs);
      this.post({ type: 'time-passed' });
    }
  }

  /** Settles the oldest call of this operation that is in flight. */
  settle(operation: Operation, outcome: Outcome): void {
    const index = this.inFlight.findIndex(({ call }) => call.operation === operation);
    const [found] = index === -1 ? [] : this.inFlight.splice(index, 1);
    if (found === undefined) throw new Error(`no ${operation} is in flight`);
    this.post({ type: 'call-settled', ...found, outcome });
  }

  /** Starts the job, and its process runs. */
  start(job: string): Run {
    this.post({ type: 'start-requested', job, origin: 'operator' });
    const run = this.runOf(job);
    this.post({ type: 'run-started', run: run.id, process: PROCESS });
    return run;
  }

  exit(run: Run, exitCode = 0): void {
    this.post({ type: 'run-exited', run: run.id, exitCode });
  }

  /** The latest run of the job. */
  runOf(job: string): Run {
    const run = this.planner.view().runs.of(job).at(-1);
    if (run === undefined) throw new Error(`${job} has no run`);
    return run;
  }

  task(name: string): HubTask {
    const task = this.state.hubTasks.get(name);
    if (task === undefined) throw new Error(`there is no task ${name}`);
    return task;
  }

  callsOf<Name extends Operation>(operation: Name): Extract<Call, { operation: Name }>[] {
    return this.calls.filter(
      (call): call is Extract<Call, { operation: Name }> => call.operation === operation,
    );
  }

  /** The names of all events of the timeline so far. */
  eventNames(): string[] {
    return this.events.map(({ event }) => event);
  }

  actionsOf<Type extends Action['type']>(type: Type): Extract<Action, { type: Type }>[] {
    return this.actions.filter(
      (action): action is Extract<Action, { type: Type }> => action.type === type,
    );
  }

  #handleInbox(): void {
    while (this.#inbox.length > 0) {
      for (const one of this.#inbox.splice(0)) this.planner.observe(one, this.now);
      this.#turn();
    }
  }

  #turn(): void {
    const changes = this.planner.takeChanges(this.now);
    this.events.push(...changes.events);
    for (const run of changes.runs) {
      this.#disk.set(run.id, writtenRun(run));
      this.#percents.set(run.id, run.percent ?? 0);
    }
    for (const task of changes.hubTasks) this.#disk.set(task.name, writtenTask(task));
    for (const action of this.planner.decide(this.now, !this.isDiskFull)) this.#act(action);
    this.#checkDisk();
  }

  /** Whatever a test does: what has changed is written in the same turn, but for what may wait some seconds by design. */
  #checkDisk(): void {
    const { hubTasks, outboxHubTasks, outboxRuns, runs } = this.state;
    checkMembers('outboxRuns', outboxRuns, [...runs.values()].filter(isPendingForPipeline));
    checkMembers('outboxHubTasks', outboxHubTasks, [...hubTasks.values()].filter(hasOutbox));
    const mayWait = this.state.heldDueAtMs() !== Infinity;
    if (mayWait) return;
    for (const run of runs.values()) {
      this.#checkWritten(run.id, writtenRun(run));
      if (!this.#percents.has(run.id)) this.#percents.set(run.id, run.percent ?? 0);
    }
    for (const task of hubTasks.values()) this.#checkWritten(task.name, writtenTask(task));
  }

  /** A percent that is reported is on disk, or an agent that died would report a lower one after it. */
  #checkPercent(call: Call): void {
    type Reported = Partial<Record<'task' | 'taskId', string>> & { percent?: number };
    const { percent = 0, task, taskId } = call as Reported;
    // It is about an earlier run of the task.
    if ((this.state.hubTasks.get(task ?? '')?.finalReports.length ?? 0) > 0) return;
    for (const { hub, id, pipeline } of this.state.liveRuns.values()) {
      const isReported = task === undefined ? pipeline?.task.taskId === taskId : hub?.task === task;
      const onDisk = this.#percents.get(id);
      if (!isReported || onDisk === undefined) continue;
      if (percent > onDisk) {
        throw new Error(`${percent} % of ${id} is reported, and ${onDisk} % is on disk`);
      }
    }
  }

  #checkWritten(name: string, value: string): void {
    // What the planner began with was on disk.
    const onDisk = this.#disk.get(name) ?? value;
    this.#disk.set(name, onDisk);
    if (onDisk !== value) throw new Error(`${name} is not written: ${value}, but ${onDisk}`);
  }

  #act(action: Action): void {
    if (action.type === 'return-slots') return;
    if (action.type === 'ask-gate') {
      const { operation, slots } = action;
      this.#inbox.push({ type: 'gate-opened', operation, slots });
      return;
    }
    this.actions.push(action);
    if (action.type === 'answer') this.replies.push(action.reply);
    if (action.type !== 'call') return;
    this.calls.push(action.call);
    this.#checkPercent(action.call);
    const call = { id: action.id, call: action.call, sentAt: this.now };
    const outcome = this.answers(action.call);
    if (outcome === undefined) this.inFlight.push(call);
    else this.#inbox.push({ type: 'call-settled', ...call, outcome: this.#dated(outcome) });
  }

  /** An answer has a Date header, by a service whose clock is the host's. */
  #dated(outcome: Outcome): Outcome {
    if (outcome.kind !== 'accepted') return outcome;
    return { serverDateMs: Math.floor(this.now.wallMs / 1000) * 1000, ...outcome };
  }
}

/** What is derived of runs and tasks follows every change of them. */
function checkMembers<Value>(name: string, set: ReadonlySet<Value>, all: readonly Value[]): void {
  if (set.size !== all.length || all.some((one) => !set.has(one))) {
    throw new Error(`${name} has ${JSON.stringify([...set])} of ${JSON.stringify(all)}`);
  }
}

function hasOutbox({ finalReports, links, quarantine = [] }: HubTask): boolean {
  return finalReports.length > 0 || links.length > 0 || quarantine.length > 0;
}

// Both are made after each turn: a function that is called for each key would take most of the time of these tests.

const definitions = new WeakMap<JobDefinition, string>();

/** Survivors are looked for again by the next agent. A definition is exchanged as a whole. */
function writtenRun(run: Run): string {
  const { definition: job } = run;
  const definition = definitions.get(job) ?? JSON.stringify(job);
  definitions.set(job, definition);
  const none = { definition: undefined, survivors: undefined, survivorsDoubt: undefined };
  return `${JSON.stringify({ ...run, ...none })} ${definition}`;
}

/** Stamps move with each report, and StampFloor keeps them on disk. */
function writtenTask(task: HubTask): string {
  return JSON.stringify(task).replace(/,"(?:lastStampS|stampS)":\d+/g, '');
}

export const PROCESS = { pid: 100, bootId: 'boot', startTicks: '1' };

/** Everything is accepted; the home region is eu-central-1, and there is no work for a poll, which stays in flight. */
export function accepted(call: Call): Outcome | undefined {
  if (call.operation === 'PollForTask') return undefined;
  if (call.operation !== 'GetHomeRegion') return { kind: 'accepted', answer: {} };
  return { kind: 'accepted', answer: { homeRegion: 'eu-central-1' } };
}

/** Everything is accepted but one operation, which is always answered so. */
export function failing(operation: Operation, outcome: Outcome): Answers {
  return (call) => (call.operation === operation ? outcome : accepted(call));
}

export const REFUSED: Outcome = { kind: 'refused', reason: 'ValidationException' };
export const UNAVAILABLE: Outcome = { kind: 'unavailable', reason: 'ECONNREFUSED' };

/** A run as plain data, for functions that need nothing else. */
export function aRun(over: Partial<Run> = {}): Run {
  const { job = 'copy', number = 1 } = over;
  return {
    id: `${job}/${number}`,
    job,
    number,
    definition: definition(job),
    origin: 'operator',
    state: 'running',
    requestedAt: START,
    startedAt: START,
    spawn: 1,
    ...over,
  };
}

export function aTask(over: Partial<HubTask> = {}): HubTask {
  return { name: 'copy', imported: true, lastStampS: 0, finalReports: [], links: [], ...over };
}
