import { expect, test } from 'vitest';
import { CallQueue, Item } from '../../../src/core/scheduling/call-queue.ts';
import type { PendingCall } from '../../../src/core/scheduling/call-queue.ts';

const NOTIFY = 'NotifyMigrationTaskState' as const;

/** A call queue whose items have names. */
class NamedCallQueue {
  readonly #queue = new CallQueue<string>();
  readonly #items = new Map<string, Item<string>>();

  set(name: string, pending: PendingCall | undefined, nowMs?: number): void {
    const item = this.#items.get(name) ?? new Item(name);
    this.#items.set(name, item);
    this.#queue.set(item, pending, nowMs);
  }

  take(operation: PendingCall['operation'], nowMs: number): string | undefined {
    return this.#queue.take(operation, nowMs)?.owner;
  }

  ready(operation: PendingCall['operation'], nowMs: number): number {
    return this.#queue.ready(operation, nowMs);
  }

  nextReadyAtMs(operation: PendingCall['operation']): number | undefined {
    return this.#queue.nextReadyAtMs(operation);
  }
}

test('a status change goes before a heartbeat that has slack', () => {
  const queue = new NamedCallQueue();
  queue.set('heartbeat', {
    operation: NOTIFY,
    readyAtMs: 0,
    deadline: { urgentAtMs: 900, byMs: 1000 },
  });
  queue.set('word', { operation: NOTIFY, readyAtMs: 0, sinceMs: 500 });
  expect(queue.take(NOTIFY, 600)).toBe('word');
  expect(queue.take(NOTIFY, 600)).toBe('heartbeat');
  expect(queue.take(NOTIFY, 600)).toBeUndefined();
});

test('a heartbeat whose slack runs out goes before status changes', () => {
  const queue = new NamedCallQueue();
  queue.set('word', { operation: NOTIFY, readyAtMs: 0, sinceMs: 0 });
  queue.set('heartbeat', {
    operation: NOTIFY,
    readyAtMs: 0,
    deadline: { urgentAtMs: 900, byMs: 1000 },
  });
  expect(queue.take(NOTIFY, 900)).toBe('heartbeat');
});

test('the heartbeat with the earliest deadline goes first, and the status change that has waited longest', () => {
  const queue = new NamedCallQueue();
  for (const [name, byMs] of [
    ['late', 3000],
    ['soon', 1000],
    ['middle', 2000],
  ] as const) {
    queue.set(name, {
      operation: NOTIFY,
      readyAtMs: 0,
      deadline: { urgentAtMs: byMs - 100, byMs },
    });
  }
  queue.set('newer word', { operation: NOTIFY, readyAtMs: 0, sinceMs: 20 });
  queue.set('older change', { operation: NOTIFY, readyAtMs: 0, sinceMs: 10 });
  const order = Array.from({ length: 5 }, () => queue.take(NOTIFY, 100));
  expect(order).toEqual(['older change', 'newer word', 'soon', 'middle', 'late']);
});

test('no call is made before its time, and the next time is known', () => {
  const queue = new NamedCallQueue();
  queue.set('later', { operation: NOTIFY, readyAtMs: 500, sinceMs: 900 });
  expect(queue.ready(NOTIFY, 499)).toBe(0);
  expect(queue.nextReadyAtMs(NOTIFY)).toBe(500);
  expect(queue.take(NOTIFY, 499)).toBeUndefined();
  expect(queue.take(NOTIFY, 500)).toBe('later');
});

test('operations do not wait for each other', () => {
  const queue = new NamedCallQueue();
  queue.set('a', { operation: NOTIFY, readyAtMs: 0, sinceMs: 0 });
  queue.set('b', { operation: 'SetTaskStatus', readyAtMs: 0, sinceMs: 0 });
  expect(queue.take('SetTaskStatus', 0)).toBe('b');
  queue.set('a', undefined);
  expect(queue.take(NOTIFY, 0)).toBeUndefined();
  expect(queue.nextReadyAtMs(NOTIFY)).toBeUndefined();
});

test('a status change that renews a promise goes before everything when its slack runs out, and only once', () => {
  const queue = new NamedCallQueue();
  queue.set('older change', { operation: NOTIFY, readyAtMs: 0, sinceMs: 0 });
  queue.set('heartbeat', {
    operation: NOTIFY,
    readyAtMs: 0,
    deadline: { urgentAtMs: 100, byMs: 900 },
  });
  queue.set('final report', {
    operation: NOTIFY,
    readyAtMs: 0,
    sinceMs: 50,
    deadline: { urgentAtMs: 100, byMs: 800 },
  });
  const order = Array.from({ length: 4 }, () => queue.take(NOTIFY, 100));
  expect(order).toEqual(['final report', 'heartbeat', 'older change', undefined]);
});

test('an unchanged pending call keeps its place among equals; a changed one loses it', () => {
  const queue = new NamedCallQueue();
  const pending = { operation: NOTIFY, readyAtMs: 0, sinceMs: 0 };
  for (const name of ['a', 'b', 'c']) queue.set(name, pending);
  expect(queue.ready(NOTIFY, 0)).toBe(3);
  queue.set('a', pending);
  queue.set('b', { ...pending, readyAtMs: 1 });
  const order = Array.from({ length: 3 }, () => queue.take(NOTIFY, 1));
  expect(order).toEqual(['a', 'c', 'b']);
});

test('of a heartbeat and a status change whose slack has run out, the earlier deadline goes first', () => {
  const order = (heartbeatByMs: number, changeByMs: number): (string | undefined)[] => {
    const queue = new NamedCallQueue();
    const at = (byMs: number) => ({ urgentAtMs: 100, byMs });
    queue.set('change', { operation: NOTIFY, readyAtMs: 0, sinceMs: 0, deadline: at(changeByMs) });
    queue.set('heartbeat', { operation: NOTIFY, readyAtMs: 0, deadline: at(heartbeatByMs) });
    return [queue.take(NOTIFY, 100), queue.take(NOTIFY, 100)];
  };
  expect(order(1000, 900)).toEqual(['change', 'heartbeat']);
  expect(order(900, 1000)).toEqual(['heartbeat', 'change']);
  expect(order(900, 900)).toEqual(['heartbeat', 'change']);
});

test('what is set again as it is keeps its place among equals; another deadline is another place', () => {
  const queue = new NamedCallQueue();
  const heartbeat = { operation: NOTIFY, readyAtMs: 0, deadline: { urgentAtMs: 900, byMs: 1000 } };
  for (const name of ['a', 'b', 'c', 'a']) queue.set(name, { ...heartbeat });
  expect(queue.take(NOTIFY, 0)).toBe('a');
  queue.set('b', { ...heartbeat, deadline: { urgentAtMs: 900, byMs: 1001 } });
  expect([queue.take(NOTIFY, 0), queue.take(NOTIFY, 0)]).toEqual(['c', 'b']);
});
/** One of each kind for each time: no two have the same rank. */
function pendingCalls(): PendingCall[] {
  return Array.from({ length: 60 }, (_, place) => {
    const at = (place * 37) % 60;
    const deadline = { urgentAtMs: 200 + at, byMs: 300 + at };
    const common = { operation: NOTIFY, readyAtMs: (place * 23) % 60 };
    if (place % 3 === 0) return { ...common, deadline };
    return { ...common, sinceMs: at, ...(place % 3 === 1 ? { deadline } : {}) };
  });
}

test.each([0, 29, 59, 230, 400])(
  'calls that are ready when they are set come in the same order as those that waited, at %i ms',
  (nowMs) => {
    const [waited, ready] = [new NamedCallQueue(), new NamedCallQueue()];
    for (const [place, pending] of pendingCalls().entries()) {
      waited.set(`call ${place}`, pending);
      ready.set(`call ${place}`, pending, nowMs);
      // Those that changed have the place of the newest.
      const changed = { ...pending, readyAtMs: pending.readyAtMs + 5 };
      if (place % 7 === 0)
        [waited, ready].forEach((one) => one.set(`call ${place}`, changed, nowMs));
      if (place % 11 === 0) [waited, ready].forEach((one) => one.set(`call ${place}`, undefined));
    }
    expect(ready.ready(NOTIFY, nowMs)).toBe(waited.ready(NOTIFY, nowMs));
    expect(ready.nextReadyAtMs(NOTIFY)).toBe(waited.nextReadyAtMs(NOTIFY));
    for (const atMs of [nowMs, 500]) {
      for (;;) {
        const taken = waited.take(NOTIFY, atMs);
        expect(ready.take(NOTIFY, atMs)).toBe(taken);
        if (taken === undefined) break;
      }
    }
  },
);
