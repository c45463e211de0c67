/** The reporter of one Hub task with the real parts around it, asked and answered call by call. */
import { HubConnection } from '../../../src/core/hub/connection.ts';
import { PromiseBudget } from '../../../src/core/hub/promise-budget.ts';
import { HubTaskReporter } from '../../../src/core/hub/task-reporter.ts';
import { after } from '../../../src/core/lib/time.ts';
import type { Now } from '../../../src/core/lib/time.ts';
import type { Call, NotifyCall, Outcome } from '../../../src/core/model/call.ts';
import type { FinalReport, HubPromise, HubTask } from '../../../src/core/model/hub-task.ts';
import type { Run } from '../../../src/core/model/job.ts';
import type { HubSettings } from '../../../src/core/model/settings.ts';
import type { TimelineEvent } from '../../../src/core/model/timeline.ts';
import { Pacing } from '../../../src/core/scheduling/pacing.ts';
import { Reporters } from '../../../src/core/scheduling/reporters.ts';
import { ServiceClock } from '../../../src/core/scheduling/service-clock.ts';
import { Durability } from '../../../src/core/state/durability.ts';
import { PersistentState } from '../../../src/core/state/persistent-state.ts';
import type { AgentMetadata } from '../../../src/core/state/persistent-state.ts';
import { Shutdown } from '../../../src/core/state/shutdown.ts';
import { StampFloor } from '../../../src/core/state/stamp-floor.ts';
import { Timeline } from '../../../src/core/state/timeline.ts';
import { START, aRun, aTask } from '../../support/desk.ts';
import { HUB, settings } from '../../support/settings.ts';

export const START_S = START.wallMs / 1000;
const OK: Outcome = { kind: 'accepted', answer: {} };

export interface BenchOptions {
  readonly run?: Partial<Run> | undefined;
  readonly task?: Partial<HubTask>;
  readonly metadata?: Partial<AgentMetadata>;
  readonly hub?: Partial<HubSettings>;
  /** When this agent started. */
  readonly startedAt?: Now;
  readonly jitter?: number;
  /** No renewal in memory has a later stamp: what an earlier report of this agent has put on disk. */
  readonly floorS?: number;
  /** No answer has shown the services' time yet. */
  readonly isClockNew?: boolean;
}

export class TaskBench {
  readonly state = new PersistentState();
  readonly task: HubTask;
  readonly run: Run | undefined;
  readonly reporter: HubTaskReporter;
  readonly parts;
  now = START;

  constructor(options: BenchOptions = {}) {
    const { state } = this;
    state.metadata = {
      ...{ streams: ['eu-central-1/test-stream'], homeRegion: 'eu-central-1' },
      ...options.metadata,
    };
    this.run =
      'run' in options && options.run === undefined
        ? undefined
        : aRun({ hub: { task: 'copy', delivery: { state: 'pending' } }, ...options.run });
    if (this.run !== undefined) state.recoverRun(this.run);
    this.task = aTask({ ...(this.run && { run: this.run.id }), ...options.task });
    state.recoverHubTask(this.task);
    const holder = { current: settings({ migrationHub: { ...HUB, ...options.hub } }) };
    const timeline = new Timeline(state);
    const reporters = new Reporters();
    const parts = { state, timeline, reporters, settings: holder };
    const clock = new ServiceClock({ state, timeline }, START);
    if (options.isClockNew !== true) clock.learn(START.wallMs, START, START);
    this.parts = {
      ...parts,
      clock,
      hub: new HubConnection(parts),
      promises: new PromiseBudget({ ...parts, pacing: new Pacing() }),
      durability: new Durability(),
      shutdown: new Shutdown(),
      stampFloor: new StampFloor(state, clock.nowMs(START)),
      random: () => options.jitter ?? 0,
      startedAt: options.startedAt ?? START,
    };
    if (options.floorS !== undefined) state.metadata.stampFloorS = options.floorS;
    state.takeChanges();
    this.reporter = new HubTaskReporter(this.parts, this.task);
  }

  pass(ms: number): void {
    this.now = after(this.now, ms);
  }

  next() {
    return this.reporter.next(this.now);
  }

  /** The call that is made now. */
  call(): NotifyCall {
    this.next();
    const call = this.reporter.call(this.now);
    if (call?.operation !== 'NotifyMigrationTaskState')
      throw new Error(`no report: ${call?.operation}`);
    return call;
  }

  /** A report is made now and answered after so many milliseconds. */
  report(outcome: Outcome = OK, afterMs = 0): NotifyCall {
    const call = this.call();
    this.settle(call, outcome, afterMs);
    return call;
  }

  settle(call: Call, outcome: Outcome = OK, afterMs = 0): void {
    const sentAt = this.now;
    this.pass(afterMs);
    this.reporter.settled(call, outcome, this.now, sentAt);
  }

  /** The names of rows that the turn writes, and its events. */
  turn(): { readonly rows: readonly string[]; readonly events: readonly TimelineEvent[] } {
    const { events, hubTasks, metadata, runs } = this.state.takeChanges(this.now);
    const rows = [
      ...[...hubTasks].map(({ name }) => `task ${name}`),
      ...[...runs].map(({ id }) => `run ${id}`),
      ...(metadata === undefined ? [] : ['metadata']),
    ];
    return { rows, events: [...events] };
  }
}

export function promiseOf(over: Partial<HubPromise> = {}): HubPromise {
  const { madeAt = START, nextUpdateS = 300 } = over;
  return {
    ...{ run: 'copy/1', payload: { status: 'IN_PROGRESS' }, madeAt, nextUpdateS },
    ...{ until: after(madeAt, nextUpdateS * 1000) },
    ...over,
  };
}

export function finalOf(over: Partial<FinalReport> = {}): FinalReport {
  return {
    ...{ run: 'copy/1', kind: 'end', payload: { status: 'COMPLETED' }, stampS: START_S },
    ...{ since: START },
    ...over,
  };
}
