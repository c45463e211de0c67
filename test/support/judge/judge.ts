/**
 * Judges a simulated fleet by what really happened: which processes lived, what the services accepted, what was on disk. It
 * shares no code with the agent, and believes nothing that the agent says of itself. Each rule has a file of its own; this one
 * hands what happens to the rules.
 */
import type { Call, NotifyCall, Outcome } from '../../../src/core/model/call.ts';
import type { Run } from '../../../src/core/model/job.ts';
import type { AgentWorld } from '../agent-world.ts';
import type { ServiceModel } from '../service-model.ts';
import type { VirtualTime } from '../virtual-time.ts';
import { Cancels } from './cancels.ts';
import { FinalReports } from './final-reports.ts';
import { FleetRecord } from './fleet-record.ts';
import { HubReports } from './hub-reports.ts';
import { OneRunner } from './one-runner.ts';
import { ProcessesLeft } from './processes-left.ts';
import { RunsKept } from './runs-kept.ts';
import { ScheduledStarts } from './scheduled-starts.ts';
import { SeenEnds } from './seen-ends.ts';
import { TaskRunners } from './task-runners.ts';

export class Judge {
  readonly #record: FleetRecord;
  readonly #cancels: Cancels;
  readonly #finals: FinalReports;
  readonly #hub: HubReports;
  readonly #kept: RunsKept;
  readonly #left: ProcessesLeft;
  readonly #runners: TaskRunners;
  readonly #schedules: ScheduledStarts;
  readonly #seen: SeenEnds;
  readonly #single: OneRunner;

  constructor(time: VirtualTime, service: ServiceModel, keepRunsMs: number) {
    const record = new FleetRecord(time, service);
    this.#record = record;
    this.#cancels = new Cancels(record);
    this.#finals = new FinalReports(record);
    this.#hub = new HubReports(record);
    this.#kept = new RunsKept(record, keepRunsMs);
    this.#left = new ProcessesLeft(record);
    this.#runners = new TaskRunners(record);
    this.#schedules = new ScheduledStarts(record);
    this.#seen = new SeenEnds(record);
    this.#single = new OneRunner(record);
    service.onReport = (call) => this.#reported(call);
    service.onStale = (task, lateMs) => this.#hub.stale(task, lateMs);
    service.onFault = (what) => record.find(what);
    service.onLapse = (taskId) => this.#single.lapsed(taskId);
    service.onTaskReport = (taskId) => this.#single.taskReported(taskId);
    service.onRetry = (_before, next) => this.offered(next);
  }

  get findings(): readonly string[] {
    return this.#record.findings;
  }

  add(world: AgentWorld): void {
    const record = this.#record;
    record.add(world);
    world.host.onStart = (run) => this.#started(world, run);
    world.host.onEnd = (run, code) => {
      record.over(world, run);
      this.#seen.ended(world, run);
      this.#finals.ended(world, run, code);
    };
    world.host.onEmpty = (run) => record.live.delete(record.key(world, run.id));
    world.host.onLeft = (run) => this.#left.left(world, run);
    world.tracked.onEnd = (job, end) => this.#finals.trackedEnded(world, job, end);
    world.onBirth = () => {
      record.born(world);
      this.#runners.born(world);
    };
    world.onDeath = () => {
      record.died(world);
      this.#cancels.died(world);
    };
    world.onLog = (event, fields) => {
      this.#left.logged(world, event, fields);
      this.#hub.logged(world, event, fields);
    };
    world.onLook = (jobs) => this.#seen.looked(world, jobs);
    world.onAnswer = (call, outcome) => this.#answered(world, call, outcome);
    world.onSend = (call) => {
      this.#runners.sent(world, call);
      this.#cancels.sent(call);
    };
    world.onCommit = ({ droppedRuns, runs }) => this.#committed(world, runs, droppedRuns);
  }

  /** Explains tasks that are stale or lost: an outage, an absence, refused credentials. */
  excuse(ms: number): void {
    this.#record.excuse(ms);
  }

  /** Nothing of this host is seen, or nobody is there, for so long. */
  away(world: AgentWorld, ms: number): void {
    this.#record.away(world, ms);
  }

  offered(attemptId: string): void {
    this.#finals.offered(attemptId);
  }

  /** An operator was answered that the run will be. */
  startPromised(world: AgentWorld, run: string): void {
    this.#finals.startPromised(world, run);
  }

  /** An operator was answered that the run is being canceled, with this grace. */
  cancelPromised(world: AgentWorld, run: string, graceMs: number): void {
    this.#cancels.promised(world, run, graceMs);
  }

  /** The agent has a run of tracked work by this name that has not ended. */
  isTracking(world: AgentWorld, job: string): boolean {
    return this.#finals.isTracking(world, job);
  }

  /** An ended run of which nothing is pending. */
  settledRun(world: AgentWorld): string | undefined {
    return this.#kept.settledRun(world);
  }

  /** Its row is damaged: nobody knows of it any more. */
  damaged(world: AgentWorld, id: string): void {
    const key = this.#record.key(world, id);
    this.#finals.damaged(key);
    this.#record.kept.delete(key);
  }

  isAtRest(): boolean {
    const isQuiet = ({ host, tracked }: AgentWorld): boolean =>
      host.running() === 0 && tracked.running() === 0;
    return [...this.#record.worlds].every(isQuiet) && this.#record.service.unfinished() === 0;
  }

  close(): readonly string[] {
    const record = this.#record;
    const books = record.service.close();
    for (const world of record.worlds) {
      for (const fault of world.faults) record.find(`the agent failed: ${String(fault)}`);
    }
    for (const name of ['overLimit', 'stampsNotRising'] as const) {
      if (books[name] > 0) record.find(`${name}: ${books[name]}`);
    }
    if (!this.isAtRest()) record.find('work is left over');
    this.#kept.close();
    this.#finals.close();
    return record.findings;
  }

  #started(world: AgentWorld, run: Run): void {
    this.#cancels.started(world, run);
    this.#schedules.started(world, run);
    this.#single.started(world, run);
    this.#finals.started(world, run);
  }

  #answered(world: AgentWorld, call: Call, outcome: Outcome): void {
    this.#runners.answered(world, call, outcome);
    this.#hub.answered(world, call, outcome);
    this.#cancels.answered(world, call, outcome);
  }

  #reported(call: NotifyCall): void {
    this.#hub.reported(call);
    this.#finals.reported(call);
  }

  #committed(world: AgentWorld, rows: Iterable<Run>, dropped: Iterable<string>): void {
    this.#cancels.committed(world);
    for (const row of rows) {
      this.#single.stored(world, row);
      this.#cancels.stored(world, row);
      this.#finals.stored(world, row);
      if (row.endedAt !== undefined) this.#seen.known(this.#record.key(world, row.id));
    }
    for (const id of dropped) this.#dropped(world, id);
  }

  /** The run is forgotten: its number may be given again. */
  #dropped(world: AgentWorld, id: string): void {
    const { canceled, kept } = this.#record;
    const key = this.#record.key(world, id);
    const { hubTask, taskId } = kept.get(key) ?? {};
    this.#kept.dropped(world, key);
    this.#seen.known(key);
    this.#finals.dropped(key);
    if (taskId !== undefined) this.#single.forgotten(taskId);
    if (hubTask !== undefined) this.#hub.forgotten(hubTask);
    canceled.delete(key);
    kept.delete(key);
  }
}
