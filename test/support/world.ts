/**
 * The planner and everything around it, in virtual time and from one seed. The planner is real; everything outside is
 * simulated (outside.ts, service-model.ts). For the whole agent see agent-world.ts.
 */
import type { Action, Reply } from '../../src/core/model/action.ts';
import type { Call } from '../../src/core/model/call.ts';
import type { Event } from '../../src/core/model/event.ts';
import type { Run } from '../../src/core/model/job.ts';
import { recogniseHost } from '../../src/core/state/host-identity.ts';
import type { HostIdentity } from '../../src/core/model/host-identity.ts';
import { PersistentState } from '../../src/core/state/persistent-state.ts';
import type { TimelineEvent } from '../../src/core/model/timeline.ts';
import { Planner } from '../../src/core/planner.ts';
import type { Calendar } from '../../src/core/runs/schedules.ts';
import { SECOND_MS } from '../../src/core/lib/time.ts';
import { createRandom } from '../../src/system/random.ts';
import { Outside } from './outside.ts';
import type { OutsideOptions } from './outside.ts';
import { ServiceModel } from './service-model.ts';
import { VirtualTime } from './virtual-time.ts';

export interface WorldOptions extends OutsideOptions {
  readonly seed: number;
  /** The planner's random numbers, if a test fixes them. */
  readonly dice?: () => number;
  /** Absent: nothing is scheduled. */
  readonly calendar?: Calendar;
}

export class World {
  readonly time = new VirtualTime();
  readonly service: ServiceModel;
  readonly notes: TimelineEvent[] = [];
  readonly random: () => number;
  turns = 0;
  /** The store takes no changes. */
  isDiskFull = false;
  planner: Planner;
  state = new PersistentState();
  /** The identity of the host for the next agent; absent if unknown. */
  identity: HostIdentity | undefined;
  keepNotes = true;
  /** The work that the planner asked to watch, and to stop watching. */
  readonly watched: string[] = [];
  readonly replies: Reply[] = [];
  /** Every call with its time, if a test sets this. */
  calls: { readonly call: Call; readonly atMs: number }[] | undefined;
  /** Exit codes of agents that ended by themselves. */
  readonly exits: number[] = [];
  onNote: (note: TimelineEvent) => void = () => undefined;
  onEnded: (run: Run) => void = () => undefined;
  readonly #options: WorldOptions;
  #inbox: Event[] = [];
  /** The agent has ended by itself; `crash` starts the next one. */
  #hasExited = false;
  readonly #outside: Outside;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.random = createRandom(options.seed);
    this.service = new ServiceModel(this.time, options.throttling ?? options.settings.rates);
    this.#outside = new Outside(this, options, (event) => this.post(event));
    this.planner = this.#newPlanner();
  }

  post(event: Event): void {
    this.#inbox.push(event);
  }

  running(): number {
    return this.#outside.host.running();
  }

  /** No process can be seen or signalled for so long. */
  goBlind(ms: number): void {
    this.#outside.host.goBlind(ms);
  }

  /** Every process ends without an event. */
  killProcesses(): void {
    this.#outside.host.killProcesses();
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
      if (this.#hasExited) this.time.moveTo(bootMs);
      else this.turn();
    }
  }

  /** The agent stops while time passes, as on a suspended host. Events from outside wait. */
  sleep(ms: number): void {
    this.time.moveTo(this.time.now().bootMs + ms);
  }

  /** Kills the agent and starts another with the state on disk. Jobs go on. */
  crash(): void {
    this.#inbox = [];
    this.#hasExited = false;
    this.#outside.disconnect();
    this.state = reload(this.state);
    if (this.identity !== undefined) {
      recogniseHost(this.state, this.identity, this.time.now());
      this.state.metadata.taskRunnerId ??= `runner-of-${this.identity.hardware ?? ''}`;
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
    const changes = this.planner.takeChanges(now);
    if (this.keepNotes) this.notes.push(...changes.events);
    for (const note of changes.events) this.onNote(note);
    for (const run of changes.runs) if (run.endedAt?.bootMs === now.bootMs) this.onEnded(run);
    for (const action of this.planner.decide(now, !this.isDiskFull)) this.#act(action);
  }

  #newPlanner(): Planner {
    const { settings, calendar, dice = this.random } = this.#options;
    return new Planner(this.state, settings, this.time.now(), dice, calendar);
  }

  #act(action: Action): void {
    switch (action.type) {
      case 'ask-gate':
        this.#outside.gate(action.operation).ask(action.slots);
        break;
      case 'return-slots':
        this.#outside.gate(action.operation).giveBack(action.slots);
        break;
      case 'call':
        this.#call(action.id, action.call);
        break;
      case 'start-run':
        this.#outside.host.start(action.run);
        break;
      case 'adopt-run':
        this.#outside.host.adopt(action.run);
        break;
      case 'signal-tree':
        this.#outside.host.signalTree(action.run, action.signal);
        break;
      case 'check-tree':
        this.#outside.host.checkTree(action.run);
        break;
      case 'watch-run':
      case 'release-run':
        this.watched.push(`${action.type} ${action.run.id}`);
        break;
      case 'forget-run':
        this.#outside.host.forget(action.run);
        break;
      case 'settle-run':
        // The model of the host keeps no record of a run.
        break;
      case 'answer':
        this.replies.push(action.reply);
        break;
      case 'exit':
        this.exits.push(action.code);
        this.#hasExited = true;
        break;
    }
  }

  #call(id: number, call: Call): void {
    const sentAt = this.time.now();
    this.#outside.call(
      call,
      (outcome) => this.post({ type: 'call-settled', id, call, outcome, sentAt }),
      () => this.calls?.push({ call, atMs: this.time.now().bootMs }),
    );
  }
}

/** What another process would read from the disk: copies, not the same objects. */
function reload(state: PersistentState): PersistentState {
  const copy = new PersistentState();
  const kept = structuredClone({
    runs: [...state.runs.values(), ...state.copiedHostRuns.values()],
    hubTasks: [...state.hubTasks.values(), ...state.copiedHostHubTasks.values()],
    facts: state.metadata,
  });
  for (const run of kept.runs) copy.recoverRun(run);
  for (const task of kept.hubTasks) copy.recoverHubTask(task);
  copy.metadata = kept.facts;
  return copy;
}
