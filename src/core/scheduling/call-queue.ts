/**
 * Which reporter calls next. Each operation has a queue of pending calls: those that are not ready yet, and those that
 * are ready, status changes and heartbeats apart. A status change that also renews a promise is in two heaps: by its
 * age and by its deadline.
 *
 * A status change (an acknowledgement, a change of state, a final report) goes before a heartbeat that has slack.
 * A heartbeat whose slack has run out goes before everything. Among heartbeats the earliest deadline is first,
 * which is optimal: if any order keeps all promises, this one does.
 */
import type { Operation } from '../model/call.ts';
import { Heap, Ranked } from '../lib/heap.ts';

/** The call that a reporter has to make next. */
export interface PendingCall {
  readonly operation: Operation;
  /** Not before this time (boot clock). */
  readonly readyAtMs: number;
  /** When the status changed that this call reports (boot clock). Absent: a heartbeat. */
  readonly sinceMs?: number;
  /** A status change that is on disk already: it may be reported while the disk refuses writes. */
  readonly isDurable?: true;
  /** Absent: no promise or window depends on this call. A pending call has this, `sinceMs`, or both. */
  readonly deadline?: Deadline;
}

export interface Deadline {
  /** From then on the call goes before status changes. */
  readonly urgentAtMs: number;
  /** When it is too late: a promise or a window ends. */
  readonly byMs: number;
}

/** Stands for an absent time, and sorts after all others. */
const NEVER = Infinity;

/** An entry of the queue: its owner and the pending call. */
export class Item<Owner> extends Ranked {
  owner: Owner;
  /** The pending call, copied into fields: pending calls change all day, and copying leaves no garbage. */
  operation: Operation | undefined = undefined;
  readyAtMs = NEVER;
  sinceMs = NEVER;
  urgentAtMs = NEVER;
  byMs = NEVER;
  /** Its second place, while it is a status change with a deadline. */
  promised: ChangePlace<Owner> | undefined = undefined;

  constructor(owner: Owner) {
    super();
    this.owner = owner;
  }
}

export class CallQueue<Owner> {
  readonly #lanes = new Map<Operation, Lane<Owner>>();

  /**
   * Sets the owner's pending call; `undefined`: it has none. O(log n). What is ready by `nowMs` does not wait first: after a
   * restart, or while the budget is small, that is most of them.
   */
  set(item: Item<Owner>, pending: PendingCall | undefined, nowMs = -Infinity): void {
    if (isAlready(item, pending)) return;
    this.#takeOff(item);
    if (pending === undefined) return;
    item.operation = pending.operation;
    item.readyAtMs = pending.readyAtMs;
    item.sinceMs = pending.sinceMs ?? NEVER;
    item.urgentAtMs = pending.deadline?.urgentAtMs ?? NEVER;
    item.byMs = pending.deadline?.byMs ?? NEVER;
    const lane = this.#lane(pending.operation);
    if (item.readyAtMs <= nowMs) makeReady(lane, item);
    else lane.waiting.set(item, item.readyAtMs);
  }

  /** How many calls of this operation are ready now. */
  ready(operation: Operation, nowMs: number): number {
    const lane = this.#promote(operation, nowMs);
    return lane.changes.size + lane.heartbeats.size;
  }

  /** Takes the most urgent item off the queue; `undefined`: no call is ready. */
  take(operation: Operation, nowMs: number): Item<Owner> | undefined {
    const lane = this.#promote(operation, nowMs);
    const item = urgent(lane, nowMs) ?? lane.changes.peek() ?? lane.heartbeats.peek();
    if (item !== undefined) this.#takeOff(item);
    return item;
  }

  /** When the next waiting item of this operation becomes ready; `undefined`: none is waiting. */
  nextReadyAtMs(operation: Operation): number | undefined {
    return this.#lane(operation).waiting.peek()?.rank;
  }

  operations(): IterableIterator<Operation> {
    return this.#lanes.keys();
  }

  #takeOff(item: Item<Owner>): void {
    if (item.operation === undefined) return;
    const { heartbeats, promisedChanges, waiting, changes } = this.#lane(item.operation);
    // An item is in one of these three, and a status change with a deadline in `promisedChanges` too.
    if (!waiting.delete(item) && !changes.delete(item)) heartbeats.delete(item);
    if (item.promised !== undefined) promisedChanges.delete(item.promised);
    item.promised = undefined;
    item.operation = undefined;
  }

  #promote(operation: Operation, nowMs: number): Lane<Owner> {
    const lane = this.#lane(operation);
    for (;;) {
      const item = lane.waiting.peek();
      if (item === undefined || item.rank > nowMs) return lane;
      lane.waiting.delete(item);
      makeReady(lane, item);
    }
  }

  #lane(operation: Operation): Lane<Owner> {
    let lane = this.#lanes.get(operation);
    if (lane === undefined) {
      lane = new Lane();
      this.#lanes.set(operation, lane);
    }
    return lane;
  }
}

class Lane<Owner> {
  readonly waiting = new Heap<Item<Owner>>();
  /** All ready status changes, the oldest first. */
  readonly changes = new Heap<Item<Owner>>();
  /** The ready status changes that have a deadline, the earliest first. */
  readonly promisedChanges = new Heap<ChangePlace<Owner>>();
  readonly heartbeats = new Heap<Item<Owner>>();
}

/** The place of a status change in `promisedChanges`. */
class ChangePlace<Owner> extends Ranked {
  readonly item: Item<Owner>;

  constructor(item: Item<Owner>) {
    super();
    this.item = item;
  }
}

function makeReady<Owner>(lane: Lane<Owner>, item: Item<Owner>): void {
  if (item.sinceMs === NEVER) {
    lane.heartbeats.set(item, item.byMs);
    return;
  }
  lane.changes.set(item, item.sinceMs);
  if (item.byMs === NEVER) return;
  item.promised = new ChangePlace(item);
  lane.promisedChanges.set(item.promised, item.byMs);
}

/** Of the items whose slack has run out, the one with the earliest deadline. */
function urgent<Owner>(lane: Lane<Owner>, nowMs: number): Item<Owner> | undefined {
  const heartbeat = ifUrgent(lane.heartbeats.peek(), nowMs);
  const change = ifUrgent(lane.promisedChanges.peek()?.item, nowMs);
  if (heartbeat === undefined || change === undefined) return heartbeat ?? change;
  return heartbeat.byMs <= change.byMs ? heartbeat : change;
}

function ifUrgent<Owner>(item: Item<Owner> | undefined, nowMs: number): Item<Owner> | undefined {
  return item !== undefined && item.urgentAtMs <= nowMs ? item : undefined;
}

/** True if the item has this pending call already. It then keeps its place among equals. */
function isAlready<Owner>(item: Item<Owner>, pending: PendingCall | undefined): boolean {
  return (
    item.operation === pending?.operation &&
    (pending === undefined ||
      (item.readyAtMs === pending.readyAtMs &&
        item.sinceMs === (pending.sinceMs ?? NEVER) &&
        item.urgentAtMs === (pending.deadline?.urgentAtMs ?? NEVER) &&
        item.byMs === (pending.deadline?.byMs ?? NEVER)))
  );
}
