/**
 * Who speaks next. For each operation: the speakers that wait for their time, and those that are ready,
 * words and heartbeats apart; a word that also renews a promise is held by both its age and its deadline.
 *
 * A word (an acknowledgement, a change of state, a last word) goes before a heartbeat that has slack.
 * A heartbeat whose slack runs out goes before everything. Among heartbeats the earliest deadline is first,
 * which is optimal: if any order keeps all promises, this one does.
 */
import type { Operation } from './call.ts';
import { Heap } from './heap.ts';

export interface Duty {
  readonly operation: Operation;
  /** Not before this time (boot clock). */
  readonly readyAtMs: number;
  /** A word, owed since then. Absent: a heartbeat. */
  readonly sinceMs?: number;
  /** Absent: nothing is promised that could be broken. A duty has at least one of this and `sinceMs`. */
  readonly deadline?: Deadline;
}

export interface Deadline {
  /** From then on it goes before words. */
  readonly urgentAtMs: number;
  /** When it is too late: a promise or a window ends. */
  readonly byMs: number;
}

/** Who may speak: everybody, or only those that say again what is on disk already. */
export type Which = 'all' | 'heartbeats';

class Lane {
  readonly waiting = new Heap<string>();
  /** All ready words, the longest owed first. */
  readonly words = new Heap<string>();
  /** Those of them that have a deadline, the earliest first. */
  readonly promisedWords = new Heap<string>();
  readonly heartbeats = new Heap<string>();

  /** Who waits is in no other heap; who is ready is where its duty says. */
  delete(key: string, { deadline, sinceMs }: Duty): void {
    if (this.waiting.delete(key)) return;
    if (sinceMs !== undefined) this.words.delete(key);
    if (deadline !== undefined) {
      (sinceMs === undefined ? this.heartbeats : this.promisedWords).delete(key);
    }
  }
}

export class Agenda {
  readonly #lanes = new Map<Operation, Lane>();
  readonly #duties = new Map<string, Duty>();

  /** Sets what the speaker owes next; `undefined`: nothing. O(log n). */
  set(key: string, duty: Duty | undefined): void {
    const before = this.#duties.get(key);
    if (before !== undefined && duty !== undefined && isSame(before, duty)) return;
    if (before !== undefined) {
      this.#lane(before.operation).delete(key, before);
      this.#duties.delete(key);
    }
    if (duty === undefined) return;
    this.#duties.set(key, duty);
    this.#lane(duty.operation).waiting.set(key, duty.readyAtMs);
  }

  /** How many speakers could use a call of this operation now. */
  ready(operation: Operation, nowMs: number, which: Which = 'all'): number {
    const lane = this.#promote(operation, nowMs);
    return (which === 'all' ? lane.words.size : 0) + lane.heartbeats.size;
  }

  /** Takes the most urgent speaker off the agenda; `undefined`: nobody has anything to say now. */
  take(operation: Operation, nowMs: number, which: Which = 'all'): string | undefined {
    const lane = this.#promote(operation, nowMs);
    const key =
      which === 'heartbeats'
        ? lane.heartbeats.peek()?.key
        : (this.#urgent(lane, nowMs) ?? lane.words.peek()?.key ?? lane.heartbeats.peek()?.key);
    const duty = key === undefined ? undefined : this.#duties.get(key);
    if (key === undefined || duty === undefined) return undefined;
    lane.delete(key, duty);
    this.#duties.delete(key);
    return key;
  }

  /** When the next waiting speaker of this operation becomes ready; `undefined`: none waits. */
  nextReadyAtMs(operation: Operation): number | undefined {
    return this.#lane(operation).waiting.peek()?.rank;
  }

  operations(): IterableIterator<Operation> {
    return this.#lanes.keys();
  }

  /** Duties that stand on the agenda, ready or waiting. */
  get size(): number {
    return this.#duties.size;
  }

  #promote(operation: Operation, nowMs: number): Lane {
    const lane = this.#lane(operation);
    for (;;) {
      const next = lane.waiting.peek();
      if (next === undefined || next.rank > nowMs) return lane;
      lane.waiting.delete(next.key);
      const duty = this.#duties.get(next.key);
      if (duty === undefined) continue;
      const { deadline, sinceMs } = duty;
      if (sinceMs !== undefined) lane.words.set(next.key, sinceMs);
      if (deadline !== undefined) {
        (sinceMs === undefined ? lane.heartbeats : lane.promisedWords).set(next.key, deadline.byMs);
      }
    }
  }

  /** Whose slack has run out: the earliest deadline of them. */
  #urgent(lane: Lane, nowMs: number): string | undefined {
    const heartbeat = this.#ifUrgent(lane.heartbeats, nowMs);
    const word = this.#ifUrgent(lane.promisedWords, nowMs);
    if (heartbeat === undefined || word === undefined) return (heartbeat ?? word)?.key;
    return (heartbeat.rank <= word.rank ? heartbeat : word).key;
  }

  #ifUrgent(heap: Heap<string>, nowMs: number): ReturnType<Heap<string>['peek']> {
    const first = heap.peek();
    const urgentAtMs = first && this.#duties.get(first.key)?.deadline?.urgentAtMs;
    return urgentAtMs !== undefined && urgentAtMs <= nowMs ? first : undefined;
  }

  #lane(operation: Operation): Lane {
    let lane = this.#lanes.get(operation);
    if (lane === undefined) {
      lane = new Lane();
      this.#lanes.set(operation, lane);
    }
    return lane;
  }
}

function isSame(a: Duty, b: Duty): boolean {
  return (
    a.operation === b.operation &&
    a.readyAtMs === b.readyAtMs &&
    a.sinceMs === b.sinceMs &&
    a.deadline?.byMs === b.deadline?.byMs &&
    a.deadline?.urgentAtMs === b.deadline?.urgentAtMs
  );
}
