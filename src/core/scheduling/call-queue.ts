/**
 * Who speaks next. For each operation: those that wait for their time, and those that are ready, words and heartbeats
 * apart; a word that also renews a promise is held by both its age and its deadline.
 *
 * A word (an acknowledgement, a change of state, a last word) goes before a heartbeat that has slack.
 * A heartbeat whose slack runs out goes before everything. Among heartbeats the earliest deadline is first,
 * which is optimal: if any order keeps all promises, this one does.
 */
import type { Operation } from '../model/call.ts';
import { Heap, Ranked } from '../lib/heap.ts';

/** What somebody owes next. */
export interface PendingCall {
  readonly operation: Operation;
  /** Not before this time (boot clock). */
  readonly readyAtMs: number;
  /** A word, owed since then. Absent: a heartbeat. */
  readonly sinceMs?: number;
  /** A word that says only what is on disk: it may be said while the disk takes nothing new. */
  readonly isDurable?: true;
  /** Absent: nothing is promised that could be broken. A duty has at least one of this and `sinceMs`. */
  readonly deadline?: Deadline;
}

export interface Deadline {
  /** From then on it goes before words. */
  readonly urgentAtMs: number;
  /** When it is too late: a promise or a window ends. */
  readonly byMs: number;
}

/** No such time: later than every time there is. */
const NEVER = Infinity;

/** A line of the agenda: whoever it belongs to, and the duty that stands there. */
export class Item<Owner> extends Ranked {
  owner: Owner;
  /** The duty, in fields of the item's own: a fleet's duties change all day, and leave no garbage so. */
  operation: Operation | undefined = undefined;
  readyAtMs = NEVER;
  sinceMs = NEVER;
  urgentAtMs = NEVER;
  byMs = NEVER;
  /** Its other place, while it is a word that has a deadline. */
  promised: ChangePlace<Owner> | undefined = undefined;

  constructor(owner: Owner) {
    super();
    this.owner = owner;
  }
}

export class CallQueue<Owner> {
  readonly #lanes = new Map<Operation, Lane<Owner>>();

  /** Sets what the owner owes next; `undefined`: nothing. O(log n). */
  set(item: Item<Owner>, pending: PendingCall | undefined): void {
    if (isAlready(item, pending)) return;
    this.#takeOff(item);
    if (pending === undefined) return;
    item.operation = pending.operation;
    item.readyAtMs = pending.readyAtMs;
    item.sinceMs = pending.sinceMs ?? NEVER;
    item.urgentAtMs = pending.deadline?.urgentAtMs ?? NEVER;
    item.byMs = pending.deadline?.byMs ?? NEVER;
    this.#lane(pending.operation).waiting.set(item, item.readyAtMs);
  }

  /** How many could use a call of this operation now. */
  ready(operation: Operation, nowMs: number): number {
    const lane = this.#promote(operation, nowMs);
    return lane.changes.size + lane.heartbeats.size;
  }

  /** Takes the most urgent item off the agenda; `undefined`: nobody has anything to say now. */
  take(operation: Operation, nowMs: number): Item<Owner> | undefined {
    const lane = this.#promote(operation, nowMs);
    const item = urgent(lane, nowMs) ?? lane.changes.peek() ?? lane.heartbeats.peek();
    if (item !== undefined) this.#takeOff(item);
    return item;
  }

  /** When the next waiting item of this operation becomes ready; `undefined`: none waits. */
  nextReadyAtMs(operation: Operation): number | undefined {
    return this.#lane(operation).waiting.peek()?.rank;
  }

  operations(): IterableIterator<Operation> {
    return this.#lanes.keys();
  }

  #takeOff(item: Item<Owner>): void {
    if (item.operation === undefined) return;
    const {
      heartbeats,
      promisedChanges: promisedChanges,
      waiting,
      changes: changes,
    } = this.#lane(item.operation);
    // It stands in one of these, and as a word with a deadline in another.
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
      if (item.sinceMs === NEVER) {
        lane.heartbeats.set(item, item.byMs);
        continue;
      }
      lane.changes.set(item, item.sinceMs);
      if (item.byMs === NEVER) continue;
      item.promised = new ChangePlace(item);
      lane.promisedChanges.set(item.promised, item.byMs);
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
  /** All ready words, the longest owed first. */
  readonly changes = new Heap<Item<Owner>>();
  /** Those of them that have a deadline, the earliest first. */
  readonly promisedChanges = new Heap<ChangePlace<Owner>>();
  readonly heartbeats = new Heap<Item<Owner>>();
}

/** The place of a word among those that have a deadline. */
class ChangePlace<Owner> extends Ranked {
  readonly item: Item<Owner>;

  constructor(item: Item<Owner>) {
    super();
    this.item = item;
  }
}

/** Whose slack has run out: the earliest deadline of them. */
function urgent<Owner>(lane: Lane<Owner>, nowMs: number): Item<Owner> | undefined {
  const heartbeat = ifUrgent(lane.heartbeats.peek(), nowMs);
  const word = ifUrgent(lane.promisedChanges.peek()?.item, nowMs);
  if (heartbeat === undefined || word === undefined) return heartbeat ?? word;
  return heartbeat.byMs <= word.byMs ? heartbeat : word;
}

function ifUrgent<Owner>(item: Item<Owner> | undefined, nowMs: number): Item<Owner> | undefined {
  return item !== undefined && item.urgentAtMs <= nowMs ? item : undefined;
}

/** True where the same duty stands already: its place among equals is not lost then. */
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
