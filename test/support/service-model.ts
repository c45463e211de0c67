/**
 * Both services as the documents describe them, in memory and in virtual time, for simulations of the planner. It
 * keeps the books that the invariants are checked against: stale seconds, lapses, calls over the limit, words
 * after a final one. Small on purpose, and no part of the product's simulator.
 */
import type {
  Call,
  NotifyCall,
  Operation,
  Outcome,
  PolledTask,
} from '../../src/core/model/call.ts';
import type { Rate } from '../../src/core/model/settings.ts';
import { MINUTE_MS, SECOND_MS } from '../../src/core/lib/time.ts';
import type { VirtualTime } from './virtual-time.ts';

interface HubRecord {
  imported: boolean;
  last?: NotifyCall;
}

interface Poll {
  readonly host: string;
  readonly settle: (outcome: Outcome) => void;
}

interface TaskRecord {
  readonly task: PolledTask;
  state: 'waiting' | 'owned' | 'canceled' | 'ended';
  taskId: string;
  acknowledged: boolean;
  reportByMs: number;
  status?: string;
}

export interface Books {
  staleMs: number;
  /** Windows of acknowledged tasks that ended without a report. */
  lapses: number;
  /** Tasks handed out and not acknowledged within two minutes. */
  unclaimed: number;
  overLimit: number;
  /** Reports after the final status of a run, without IN_PROGRESS between. */
  afterFinal: number;
  stampsNotRising: number;
  percentFell: number;
  statusAfterCancel: number;
  calls: number;
  /** Final statuses of each Hub task, in the order in which they came. */
  finals: Map<string, string[]>;
  findings: string[];
}

/** A strict token bucket with the published limit, for calls as they arrive. */
class Bucket {
  #tokens: number;
  #atMs = 0;
  readonly #rate: Rate;

  constructor(rate: Rate) {
    this.#rate = rate;
    this.#tokens = rate.burst;
  }

  take(nowMs: number): boolean {
    const earned = ((nowMs - this.#atMs) / SECOND_MS) * this.#rate.perSecond;
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + earned);
    this.#atMs = nowMs;
    // A rounding error of floating point is no call over the limit.
    if (this.#tokens < 1 - 1e-6) return false;
    this.#tokens -= 1;
    return true;
  }
}

export class ServiceModel {
  /** A stale task is reported again, or the simulation ends. Its promise ended `lateMs` ago. */
  onStale: (task: string, lateMs: number) => void = () => undefined;
  /** The window of an acknowledged task ended: another host may have it. */
  onLapse: (taskId: string) => void = () => undefined;
  /** A report breaks a rule of the service. */
  onFault: (what: string) => void = () => undefined;
  /** A report of a pipeline task is accepted; the first one is the acknowledgement. */
  onTaskReport: (taskId: string) => void = () => undefined;
  /** An attempt failed, or its window ended, and this is the next. */
  onRetry: (attemptId: string, next: string) => void = () => undefined;
  /** How many attempts an instance gets. With one, an attempt whose window ended is given out again. */
  attemptsMax = 1;
  /** How far the `Date` of an answer is off. */
  dateErrorMs: () => number = () => 0;
  /** CreateProgressUpdateStream is denied; a stream that exists is used all the same. */
  isStreamDenied = false;
  /** A report about a Hub task is accepted for the first time. */
  onReport: (call: NotifyCall) => void = () => undefined;
  readonly books: Books = {
    staleMs: 0,
    lapses: 0,
    unclaimed: 0,
    overLimit: 0,
    afterFinal: 0,
    stampsNotRising: 0,
    percentFell: 0,
    statusAfterCancel: 0,
    calls: 0,
    finals: new Map(),
    findings: [],
  };
  readonly #time: VirtualTime;
  readonly #buckets = new Map<Operation, Bucket>();
  readonly #rates: Readonly<Record<Operation, Rate>>;
  readonly #hub = new Map<string, HubRecord>();
  readonly #tasks: TaskRecord[] = [];
  #polls: Poll[] = [];
  #handed = 0;
  #homeRegion: string | undefined = 'eu-central-1';
  /** By region and Hub task: the last report in a region that was the home region. */
  readonly #lastIn = new Map<string, NotifyCall>();
  readonly #streams = new Set<string>();
  /** Task runners that are asked to terminate, until they have been. */
  readonly #terminated = new Set<string>();

  constructor(time: VirtualTime, rates: Readonly<Record<Operation, Rate>>) {
    this.#time = time;
    this.#rates = rates;
  }

  /** Adds a task to the worker group. */
  offer(task: PolledTask): void {
    this.#tasks.push({ task, state: 'waiting', taskId: '', acknowledged: false, reportByMs: 0 });
    this.#handOut();
  }

  /** The owner of the pipeline cancels the task. */
  cancel(attemptId: string): void {
    const record = this.#tasks.find((one) => one.task.attemptId === attemptId);
    if (record !== undefined && record.state !== 'ended') record.state = 'canceled';
  }

  /** Changes or removes the account's home region. Nothing that was reported elsewhere is known there. */
  setHomeRegion(region: string | undefined): void {
    this.#homeRegion = region;
    for (const [name, record] of this.#hub) {
      this.#countStale(name, record);
      if (record.last !== undefined) this.#lastIn.set(`${record.last.region} ${name}`, record.last);
    }
    this.#hub.clear();
    this.#streams.clear();
  }

  /** An administrator makes the stream. */
  makeStream(name: string): void {
    this.#streams.add(name);
  }

  /** The next heartbeat of this task runner is answered with `terminate`. */
  terminate(taskRunnerId: string): void {
    this.#terminated.add(taskRunnerId);
  }

  /** The owner of the pipeline gives the attempt up while its task runner works: the next one is handed out. */
  rerun(attemptId: string): void {
    const record = this.#tasks.find((one) => one.task.attemptId === attemptId);
    if (record?.state !== 'owned' || !record.acknowledged) return;
    record.state = 'ended';
    record.status = 'FAILED';
    this.#tryAgain(record);
  }

  /** Deletes the stream and every task in it. */
  deleteStream(): void {
    this.setHomeRegion(this.#homeRegion);
  }

  /** Deletes one task. */
  deleteTask(name: string): void {
    this.#hub.delete(name);
  }

  /** The last accepted report of a Hub task. */
  lastNotify(task: string): NotifyCall | undefined {
    return this.#hub.get(task)?.last;
  }

  taskState(attemptId: string): string | undefined {
    const record = this.#tasks.find((one) => one.task.attemptId === attemptId);
    return record?.status ?? record?.state;
  }

  /** When the window of an owned task ends, on the boot clock. */
  reportByMs(taskId: string): number | undefined {
    const record = this.#tasks.find((one) => one.taskId === taskId && one.state === 'owned');
    return record?.reportByMs;
  }

  /** The agent of this host died: its connections, and the polls on them, are gone. */
  disconnect(host: string): void {
    this.#polls = this.#polls.filter((poll) => poll.host !== host);
  }

  /** The task is no longer known, as after its pipeline was deleted. */
  forget(attemptId: string): void {
    const record = this.#tasks.find((one) => one.task.attemptId === attemptId);
    if (record !== undefined) record.state = 'ended';
  }

  unfinished(): number {
    return this.#tasks.filter((one) => one.state === 'waiting' || one.state === 'owned').length;
  }

  /** Counts an arriving call. False if it is over the limit. */
  arrive(call: Call): boolean {
    this.books.calls++;
    const { operation } = call;
    let bucket = this.#buckets.get(operation);
    if (bucket === undefined) {
      bucket = new Bucket(this.#rates[operation]);
      this.#buckets.set(operation, bucket);
    }
    if (bucket.take(this.#time.trueMs())) return true;
    this.books.overLimit++;
    this.#find(`${operation} over its limit`);
    return false;
  }

  /** Performs a call; long polls settle later. */
  perform(call: Call, settle: (outcome: Outcome) => void, host: string): void {
    if (call.operation === 'PollForTask') {
      const poll = { host, settle };
      this.#polls.push(poll);
      this.#time.in(90 * SECOND_MS, () => {
        if (!this.#polls.includes(poll)) return;
        this.#polls = this.#polls.filter((one) => one !== poll);
        settle(this.#accepted({}));
      });
      this.#handOut();
      return;
    }
    settle(this.#perform(call));
  }

  /** Ends the audit: tasks that are stale now count until now. */
  close(): Books {
    for (const [name, record] of this.#hub) this.#countStale(name, record);
    return this.books;
  }

  #perform(call: Exclude<Call, { operation: 'PollForTask' }>): Outcome {
    if ('region' in call) {
      if (this.#homeRegion === undefined) {
        return { kind: 'no-home-region', reason: 'HomeRegionNotSetException' };
      }
      if (call.region !== this.#homeRegion) {
        return { kind: 'refused', reason: 'InvalidInputException: wrong region' };
      }
    }
    switch (call.operation) {
      case 'GetHomeRegion':
        return this.#accepted(
          this.#homeRegion === undefined ? {} : { homeRegion: this.#homeRegion },
        );
      case 'ImportMigrationTask':
        if (!this.#streams.has(call.stream)) {
          return { kind: 'missing', reason: 'ResourceNotFoundException: stream' };
        }
        this.#record(call.task).imported = true;
        return this.#accepted({});
      case 'NotifyMigrationTaskState':
        return this.#notify(call);
      case 'ReportTaskProgress': {
        const record = this.#owned(call.taskId);
        if (record === undefined) return { kind: 'gone', reason: 'TaskNotFoundException' };
        this.onTaskReport(call.taskId);
        if (record.state === 'canceled') return this.#accepted({ canceled: true });
        record.acknowledged = true;
        record.reportByMs = this.#time.now().bootMs + 15 * MINUTE_MS;
        this.#watch(record);
        return this.#accepted({ canceled: false });
      }
      case 'SetTaskStatus': {
        const record = this.#owned(call.taskId);
        if (record === undefined) return { kind: 'gone', reason: 'TaskNotFoundException' };
        if (record.state === 'canceled') {
          this.books.statusAfterCancel++;
          this.#find(`SetTaskStatus after cancel of ${record.task.attemptId}`);
        }
        record.state = 'ended';
        record.status = call.status;
        if (call.status === 'FAILED') this.#tryAgain(record);
        return this.#accepted({});
      }
      case 'ListMigrationTaskUpdates':
        return this.#accepted({ updates: [] });
      case 'ReportTaskRunnerHeartbeat':
        return this.#accepted({ terminate: this.#terminated.delete(call.taskRunnerId) });
      case 'CreateProgressUpdateStream':
        if (this.isStreamDenied) return { kind: 'denied', reason: 'AccessDeniedException' };
        this.#streams.add(call.stream);
        return this.#accepted({});
      case 'PutResourceAttributes':
      case 'AssociateDiscoveredResource':
      case 'AssociateSourceResource':
      case 'AssociateCreatedArtifact':
      case 'NotifyApplicationState':
        return this.#accepted({});
    }
  }

  #notify(call: NotifyCall): Outcome {
    const record = this.#record(call.task);
    if (!record.imported) return { kind: 'missing', reason: 'ResourceNotFoundException' };
    const { last } = record;
    this.#countStale(call.task, record);
    // Also the last one before the region was lost: an answer may be lost with it, and the region may come back.
    const before = last ?? this.#lastIn.get(`${call.region} ${call.task}`);
    const isRepeated = JSON.stringify(before) === JSON.stringify(call);
    if (last !== undefined && !isRepeated) {
      if (call.stampS <= last.stampS) {
        this.books.stampsNotRising++;
        const what = `${call.task}: stamp ${call.stampS} after ${last.stampS}`;
        this.onFault(what);
        this.#find(what);
      }
      const wasFinal = last.status === 'COMPLETED' || last.status === 'FAILED';
      if (wasFinal && call.status !== 'IN_PROGRESS') {
        this.books.afterFinal++;
        this.#find(`${call.task}: ${call.status} after ${last.status}`);
      }
      if (!wasFinal && (call.percent ?? 0) < (last.percent ?? 0)) {
        this.books.percentFell++;
        this.#find(`${call.task}: ${call.percent} % after ${last.percent} %`);
      }
    }
    record.last = call;
    if (!isRepeated) this.onReport(call);
    if (!isRepeated && (call.status === 'COMPLETED' || call.status === 'FAILED')) {
      const finals = this.books.finals.get(call.task) ?? [];
      finals.push(call.status);
      this.books.finals.set(call.task, finals);
    }
    return this.#accepted({});
  }

  #countStale(name: string, record: HubRecord): void {
    const { last } = record;
    if (last === undefined || last.status === 'COMPLETED' || last.status === 'FAILED') return;
    const lateMs = this.#time.trueMs() - (last.stampS + last.nextUpdateS) * SECOND_MS;
    if (lateMs <= 0) return;
    this.books.staleMs += lateMs;
    this.onStale(name, lateMs);
    this.#find(`${name} was stale for ${Math.round(lateMs)} ms`);
  }

  #handOut(): void {
    for (;;) {
      const record = this.#tasks.find((one) => one.state === 'waiting');
      const poll = record && this.#polls.shift();
      if (record === undefined || poll === undefined) return;
      record.state = 'owned';
      record.acknowledged = false;
      record.taskId = `task-${++this.#handed}`;
      record.reportByMs = this.#time.now().bootMs + 2 * MINUTE_MS;
      this.#watch(record);
      poll.settle(this.#accepted({ task: { ...record.task, taskId: record.taskId } }));
    }
  }

  #watch(record: TaskRecord): void {
    const { reportByMs, taskId } = record;
    this.#time.in(reportByMs - this.#time.now().bootMs, () => {
      const isLapsed =
        record.state === 'owned' && record.taskId === taskId && record.reportByMs === reportByMs;
      if (!isLapsed) return;
      if (record.acknowledged) {
        this.books.lapses++;
        this.onLapse(taskId);
        this.#find(`${record.task.attemptId} lapsed`);
      } else {
        this.books.unclaimed++;
      }
      if (this.attemptsMax > 1) {
        record.state = 'ended';
        record.status = 'FAILED';
        this.#tryAgain(record);
      } else {
        record.state = 'waiting';
        this.#handOut();
      }
    });
  }

  /** The next attempt of the same instance, as `maximumRetries` of an activity makes it. */
  #tryAgain({ task }: TaskRecord): void {
    const [, instance = '', attempt = ''] = /^(.*)_Attempt=(\d+)$/.exec(task.attemptId) ?? [];
    const next = Number(attempt) + 1;
    if (next > this.attemptsMax) return;
    const attemptId = `${instance}_Attempt=${next}`;
    const objects = task.objects.map((object) => ({ ...object, id: attemptId, name: attemptId }));
    this.onRetry(task.attemptId, attemptId);
    this.offer({ ...task, attemptId, objects });
  }

  #owned(taskId: string): TaskRecord | undefined {
    return this.#tasks.find(
      (one) => one.taskId === taskId && (one.state === 'owned' || one.state === 'canceled'),
    );
  }

  #record(name: string): HubRecord {
    let record = this.#hub.get(name);
    if (record === undefined) {
      record = { imported: false };
      this.#hub.set(name, record);
    }
    return record;
  }

  #accepted(answer: Extract<Outcome, { kind: 'accepted' }>['answer']): Outcome {
    const dateMs = this.#time.trueMs() + this.dateErrorMs();
    return { kind: 'accepted', answer, serverDateMs: Math.floor(dateMs / SECOND_MS) * SECOND_MS };
  }

  #find(what: string): void {
    if (this.books.findings.length < 20) {
      this.books.findings.push(`${new Date(this.#time.trueMs()).toISOString()} ${what}`);
    }
  }
}
