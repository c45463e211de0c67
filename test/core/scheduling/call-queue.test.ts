import { expect, test } from 'vitest';
import { CallQueue, Item } from '../../../src/core/scheduling/call-queue.ts';
import type { PendingCall } from '../../../src/core/scheduling/call-queue.ts';

const NOTIFY = 'NotifyMigrationTaskState' as const;

/** An agenda whose lines are called by name. */
class NamedAgenda {
  readonly #agenda = new CallQueue<string>();
  readonly #items = new Map<string, Item<string>>();

  set(name: string, duty: PendingCall | undefined): void {
    const item = this.#items.get(name) ?? new Item(name);
    this.#items.set(name, item);
    this.#agenda.set(item, duty);
  }

  take(operation: PendingCall['operation'], nowMs: number): string | undefined {
    return this.#agenda.take(operation, nowMs)?.owner;
  }

  ready(operation: PendingCall['operation'], nowMs: number): number {
    return this.#agenda.ready(operation, nowMs);
  }

  nextReadyAtMs(operation: PendingCall['operation']): number | undefined {
    return this.#agenda.nextReadyAtMs(operation);
  }
}

test('a word goes before a heartbeat that has slack', () => {
  const agenda = new NamedAgenda();
  agenda.set('heartbeat', {
    operation: NOTIFY,
    readyAtMs: 0,
    deadline: { urgentAtMs: 900, byMs: 1000 },
  });
  agenda.set('word', { operation: NOTIFY, readyAtMs: 0, sinceMs: 500 });
  expect(agenda.take(NOTIFY, 600)).toBe('word');
  expect(agenda.take(NOTIFY, 600)).toBe('heartbeat');
  expect(agenda.take(NOTIFY, 600)).toBeUndefined();
});

test('a heartbeat whose slack runs out goes before words', () => {
  const agenda = new NamedAgenda();
  agenda.set('word', { operation: NOTIFY, readyAtMs: 0, sinceMs: 0 });
  agenda.set('heartbeat', {
    operation: NOTIFY,
    readyAtMs: 0,
    deadline: { urgentAtMs: 900, byMs: 1000 },
  });
  expect(agenda.take(NOTIFY, 900)).toBe('heartbeat');
});

test('among heartbeats the earliest deadline is first, among words the longest owed', () => {
  const agenda = new NamedAgenda();
  for (const [name, byMs] of [
    ['late', 3000],
    ['soon', 1000],
    ['middle', 2000],
  ] as const) {
    agenda.set(name, {
      operation: NOTIFY,
      readyAtMs: 0,
      deadline: { urgentAtMs: byMs - 100, byMs },
    });
  }
  agenda.set('newer word', { operation: NOTIFY, readyAtMs: 0, sinceMs: 20 });
  agenda.set('older word', { operation: NOTIFY, readyAtMs: 0, sinceMs: 10 });
  const order = Array.from({ length: 5 }, () => agenda.take(NOTIFY, 100));
  expect(order).toEqual(['older word', 'newer word', 'soon', 'middle', 'late']);
});

test('nobody speaks before its time, and the time is known', () => {
  const agenda = new NamedAgenda();
  agenda.set('later', { operation: NOTIFY, readyAtMs: 500, sinceMs: 900 });
  expect(agenda.ready(NOTIFY, 499)).toBe(0);
  expect(agenda.nextReadyAtMs(NOTIFY)).toBe(500);
  expect(agenda.take(NOTIFY, 499)).toBeUndefined();
  expect(agenda.take(NOTIFY, 500)).toBe('later');
});

test('operations do not wait for each other', () => {
  const agenda = new NamedAgenda();
  agenda.set('a', { operation: NOTIFY, readyAtMs: 0, sinceMs: 0 });
  agenda.set('b', { operation: 'SetTaskStatus', readyAtMs: 0, sinceMs: 0 });
  expect(agenda.take('SetTaskStatus', 0)).toBe('b');
  agenda.set('a', undefined);
  expect(agenda.take(NOTIFY, 0)).toBeUndefined();
  expect(agenda.nextReadyAtMs(NOTIFY)).toBeUndefined();
});

test('a word that renews a promise goes before everything when its slack runs out, and only once', () => {
  const agenda = new NamedAgenda();
  agenda.set('older word', { operation: NOTIFY, readyAtMs: 0, sinceMs: 0 });
  agenda.set('heartbeat', {
    operation: NOTIFY,
    readyAtMs: 0,
    deadline: { urgentAtMs: 100, byMs: 900 },
  });
  agenda.set('last word', {
    operation: NOTIFY,
    readyAtMs: 0,
    sinceMs: 50,
    deadline: { urgentAtMs: 100, byMs: 800 },
  });
  const order = Array.from({ length: 4 }, () => agenda.take(NOTIFY, 100));
  expect(order).toEqual(['last word', 'heartbeat', 'older word', undefined]);
});

test('a duty that stands already keeps its place among equals; another loses it', () => {
  const agenda = new NamedAgenda();
  const duty = { operation: NOTIFY, readyAtMs: 0, sinceMs: 0 };
  for (const name of ['a', 'b', 'c']) agenda.set(name, duty);
  expect(agenda.ready(NOTIFY, 0)).toBe(3);
  agenda.set('a', duty);
  agenda.set('b', { ...duty, readyAtMs: 1 });
  const order = Array.from({ length: 3 }, () => agenda.take(NOTIFY, 1));
  expect(order).toEqual(['a', 'c', 'b']);
});
