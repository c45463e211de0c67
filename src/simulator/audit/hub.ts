/**
 * The audit of each migration task: how long it was stale, and whether its reports were in order.
 * Computed call by call.
 *
 * Stale: UpdateDateTime + NextUpdateSeconds has passed on the simulator's clock, no newer report has
 * been accepted, and the last status is neither COMPLETED nor FAILED (unless `staleAfterFinal` is as-promised).
 */
import type { Behaviour } from '../lib/behaviour.ts';
import { isoTime } from '../lib/clock.ts';

export interface AcceptedUpdate {
  readonly stream: string;
  readonly task: string;
  readonly status: string;
  readonly percent: number | undefined;
  readonly detail: string | undefined;
  readonly updateMs: number;
  readonly nextUpdateSeconds: number;
  readonly at: number;
  /** Whether the client got the answer. */
  readonly answered: boolean;
}

export interface HubTaskAudit {
  readonly stream: string;
  readonly task: string;
  readonly status: string;
  readonly percent: number | undefined;
  readonly detail: string | undefined;
  readonly updates: number;
  readonly isStale: boolean;
  readonly staleSeconds: number;
  /** The newest intervals, as ISO times. The sum above counts all of them. */
  readonly staleIntervals: readonly { readonly from: string; readonly to: string }[];
  /** When the last report's promise ends. */
  readonly deadline: string;
  /** Reports whose UpdateDateTime was not later than the previous one. */
  readonly notIncreasing: number;
  readonly percentFell: number;
  /** Reports after COMPLETED or FAILED whose status was not IN_PROGRESS, which opens the task again. */
  readonly afterFinal: number;
  /** Reports that were sent again unchanged because their answer was lost. */
  readonly repeated: number;
  /** How far UpdateDateTime was ahead of the simulator's clock at most; negative if it was always behind. */
  readonly aheadSecondsMax: number;
}

interface TaskRecord {
  last: AcceptedUpdate;
  updates: number;
  staleMs: number;
  intervals: readonly Interval[];
  percentMax: number;
  notIncreasing: number;
  percentFell: number;
  afterFinal: number;
  repeated: number;
  aheadMsMax: number;
  /** The stream was deleted: no more reports are expected. */
  isGone: boolean;
}

interface Interval {
  readonly from: number;
  readonly to: number;
}

const INTERVALS_MAX = 100;

export class HubAudit {
  readonly #behaviour: Behaviour;
  readonly #tasks = new Map<string, TaskRecord>();

  constructor(behaviour: Behaviour) {
    this.#behaviour = behaviour;
  }

  accepted(update: AcceptedUpdate): void {
    const key = JSON.stringify([update.stream, update.task]);
    const record = this.#tasks.get(key);
    if (record === undefined || record.isGone) {
      this.#tasks.set(key, firstRecord(update));
      return;
    }
    const { last } = record;
    record.updates += 1;
    record.aheadMsMax = Math.max(record.aheadMsMax, update.updateMs - update.at);
    this.#closeStale(record, update.at);

    if (!last.answered && isSame(last, update)) {
      record.repeated += 1;
    } else {
      if (update.updateMs <= last.updateMs) record.notIncreasing += 1;
      if (isFinal(last.status)) {
        if (update.status === 'IN_PROGRESS') record.percentMax = -1;
        else record.afterFinal += 1;
      }
      if (update.percent !== undefined) {
        if (update.percent < record.percentMax) record.percentFell += 1;
        record.percentMax = Math.max(record.percentMax, update.percent);
      }
    }
    record.last = update;
  }

  streamDeleted(stream: string, at: number): void {
    for (const record of this.#tasks.values()) {
      if (record.last.stream !== stream || record.isGone) continue;
      this.#closeStale(record, at);
      record.isGone = true;
    }
  }

  tasks(now: number): readonly HubTaskAudit[] {
    return [...this.#tasks.values()].map((record) => {
      const { last } = record;
      const open = this.#staleSince(record, now);
      const intervals = open === undefined ? record.intervals : joined(record.intervals, open, now);
      return {
        stream: last.stream,
        task: last.task,
        status: last.status,
        percent: last.percent,
        detail: last.detail,
        updates: record.updates,
        isStale: open !== undefined,
        staleSeconds: (record.staleMs + (open === undefined ? 0 : now - open)) / 1_000,
        staleIntervals: intervals.map(({ from, to }) => ({ from: isoTime(from), to: isoTime(to) })),
        deadline: isoTime(Math.min(deadlineOf(last), LAST_DATE)),
        notIncreasing: record.notIncreasing,
        percentFell: record.percentFell,
        afterFinal: record.afterFinal,
        repeated: record.repeated,
        aheadSecondsMax: record.aheadMsMax / 1_000,
      };
    });
  }

  #staleSince({ last, isGone }: TaskRecord, at: number): number | undefined {
    if (isGone) return undefined;
    if (isFinal(last.status) && this.#behaviour.staleAfterFinal === 'never') return undefined;
    const from = Math.max(deadlineOf(last), last.at);
    return at > from ? from : undefined;
  }

  #closeStale(record: TaskRecord, at: number): void {
    const from = this.#staleSince(record, at);
    if (from === undefined) return;
    record.staleMs += at - from;
    record.intervals = joined(record.intervals, from, at).slice(-INTERVALS_MAX);
  }
}

/** The end of the year 9999. NextUpdateSeconds may be 2^31 - 1, and a page needs no later time. */
const LAST_DATE = 253_402_300_799_000;

function firstRecord(update: AcceptedUpdate): TaskRecord {
  return {
    last: update,
    updates: 1,
    staleMs: 0,
    intervals: [],
    percentMax: update.percent ?? -1,
    notIncreasing: 0,
    percentFell: 0,
    afterFinal: 0,
    repeated: 0,
    aheadMsMax: update.updateMs - update.at,
    isGone: false,
  };
}

/** A report that was stale when it arrived does not end the interval before it. */
function joined(intervals: readonly Interval[], from: number, to: number): readonly Interval[] {
  const last = intervals.at(-1);
  return last?.to === from
    ? [...intervals.slice(0, -1), { from: last.from, to }]
    : [...intervals, { from, to }];
}

function deadlineOf(update: AcceptedUpdate): number {
  return update.updateMs + update.nextUpdateSeconds * 1_000;
}

function isFinal(status: string): boolean {
  return status === 'COMPLETED' || status === 'FAILED';
}

function isSame(one: AcceptedUpdate, other: AcceptedUpdate): boolean {
  return (
    one.status === other.status &&
    one.percent === other.percent &&
    one.detail === other.detail &&
    one.updateMs === other.updateMs &&
    one.nextUpdateSeconds === other.nextUpdateSeconds
  );
}
