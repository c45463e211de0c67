/**
 * The audit: which rules of the AWS documents the clients broke. It is computed call by call, so that it is right even
 * after the journal has dropped old calls. `violations` has them as sentences.
 */
import { HubAudit } from './hub.ts';
import type { AcceptedUpdate, HubTaskAudit } from './hub.ts';
import { TasksAudit } from './tasks.ts';
import type { TaskAudit } from './tasks.ts';
import type { Behaviour } from '../lib/behaviour.ts';
import { isoTime } from '../lib/clock.ts';
import type { TaskEvent } from '../pipeline/task-events.ts';

interface OperationAudit {
  readonly calls: number;
  readonly ok: number;
  /** Calls that came when the token bucket was empty, throttled or not. */
  readonly overLimit: number;
  /** Throttling answers, by limit or by fault. */
  readonly throttled: number;
  /** Calls to which a fault rule applied. */
  readonly faulted: number;
  /** By name, errors of fault rules included. */
  readonly errors: Readonly<Record<string, number>>;
}

interface InvalidRequest {
  readonly at: string;
  readonly operation: string;
  readonly error: string;
  readonly message: string;
}

export interface Audit {
  readonly at: string;
  readonly calls: number;
  readonly operations: Readonly<Record<string, OperationAudit>>;
  readonly migrationHub: {
    readonly staleSeconds: number;
    readonly notIncreasing: number;
    readonly percentFell: number;
    readonly afterFinal: number;
    readonly tasks: readonly HubTaskAudit[];
  };
  readonly dataPipeline: TaskAudit;
  readonly overLimit: number;
  readonly invalidRequests: { readonly count: number; readonly newest: readonly InvalidRequest[] };
  /** Empty if the clients broke no rule. */
  readonly violations: readonly string[];
}

/** How a call ended, for counting. */
interface SettledCall {
  readonly at: number;
  readonly operation: string;
  readonly error?: { readonly name: string; readonly message: string };
  readonly isFaulted: boolean;
  readonly isThrottled: boolean;
}

interface OperationRecord {
  calls: number;
  ok: number;
  overLimit: number;
  throttled: number;
  faulted: number;
  readonly errors: Record<string, number>;
}

const INVALID_MAX = 100;
const INVALID_NAMES: ReadonlySet<string> = new Set([
  'InvalidInputException',
  'InvalidRequestException',
  'SerializationException',
  'UnknownOperationException',
]);

export class Auditor {
  readonly #operations = new Map<string, OperationRecord>();
  readonly #hub: HubAudit;
  readonly #tasks = new TasksAudit();
  readonly #invalid: InvalidRequest[] = [];
  #invalidCount = 0;

  constructor(behaviour: Behaviour) {
    this.#hub = new HubAudit(behaviour);
  }

  arrived(operation: string, isOverLimit: boolean): void {
    const record = this.#record(operation);
    record.calls += 1;
    if (isOverLimit) record.overLimit += 1;
  }

  settled(call: SettledCall): void {
    const record = this.#record(call.operation);
    if (call.isFaulted) record.faulted += 1;
    if (call.isThrottled) record.throttled += 1;
    if (call.error === undefined) {
      if (!call.isFaulted) record.ok += 1;
      return;
    }
    const { name, message } = call.error;
    record.errors[name] = (record.errors[name] ?? 0) + 1;
    if (call.isFaulted || !INVALID_NAMES.has(name)) return;
    this.#invalidCount += 1;
    this.#invalid.push({ at: isoTime(call.at), operation: call.operation, error: name, message });
    if (this.#invalid.length > INVALID_MAX) this.#invalid.shift();
  }

  hubAccepted(update: AcceptedUpdate): void {
    this.#hub.accepted(update);
  }

  hubStreamDeleted(stream: string, at: number): void {
    this.#hub.streamDeleted(stream, at);
  }

  readonly observeTask = (event: TaskEvent): void => {
    this.#tasks.observe(event);
  };

  report(now: number): Audit {
    const tasks = this.#hub.tasks(now);
    const operations = Object.fromEntries(
      [...this.#operations].map(([name, record]) => [
        name,
        { ...record, errors: { ...record.errors } },
      ]),
    );
    const audit = {
      at: isoTime(now),
      calls: sum([...this.#operations.values()], (record) => record.calls),
      operations,
      migrationHub: {
        staleSeconds: sum(tasks, (task) => task.staleSeconds),
        notIncreasing: sum(tasks, (task) => task.notIncreasing),
        percentFell: sum(tasks, (task) => task.percentFell),
        afterFinal: sum(tasks, (task) => task.afterFinal),
        tasks,
      },
      dataPipeline: this.#tasks.summary(),
      overLimit: sum([...this.#operations.values()], (record) => record.overLimit),
      invalidRequests: { count: this.#invalidCount, newest: [...this.#invalid] },
    };
    return { ...audit, violations: violationsOf(audit) };
  }

  #record(operation: string): OperationRecord {
    let record = this.#operations.get(operation);
    if (record === undefined) {
      record = { calls: 0, ok: 0, overLimit: 0, throttled: 0, faulted: 0, errors: {} };
      this.#operations.set(operation, record);
    }
    return record;
  }
}

function violationsOf(audit: Omit<Audit, 'violations'>): readonly string[] {
  const { migrationHub: hub, dataPipeline: tasks } = audit;
  const found: readonly (readonly [number, string])[] = [
    [hub.staleSeconds, 'seconds in which a migration task was stale'],
    [hub.notIncreasing, 'reports whose UpdateDateTime was not later than the previous one'],
    [hub.percentFell, 'reports whose percent fell within a run'],
    [hub.afterFinal, 'reports after a final state that did not open the task again'],
    [tasks.acknowledgementLapses, 'tasks not acknowledged within their window'],
    [tasks.progressLapses, 'tasks not reported within their window'],
    [tasks.handedOutAgain, 'tasks handed out a second time'],
    [tasks.callsOfFormerOwners, 'calls about a task that had lapsed'],
    [tasks.statusAfterCancel, 'SetTaskStatus calls after the runner learnt of the cancel'],
    [tasks.overlappingPolls, 'polls sent before the previous poll was answered'],
    [audit.overLimit, 'calls over the limit of their operation'],
    [audit.invalidRequests.count, 'invalid requests'],
  ];
  return found.flatMap(([count, what]) =>
    count > 0 ? [`${Number.isInteger(count) ? count : count.toFixed(3)} ${what}`] : [],
  );
}

function sum<T>(items: readonly T[], pick: (item: T) => number): number {
  return items.reduce((total, item) => total + pick(item), 0);
}
