/** The way into the loop: what ends its sleep, and what a turn gets. */
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Inbox } from '../../src/agent/inbox.ts';
import type { Event } from '../../src/core/model/event.ts';

/** A clock at 1,000 ms whose timers the test lets ring. */
function newInbox() {
  const timers: { readonly atMs: number; readonly ring: () => void; isTakenBack: boolean }[] = [];
  const inbox = new Inbox({
    bootId: 'b',
    now: () => ({ wallMs: 0, bootMs: 1_000 }),
    wakeAt: (atMs, ring) => {
      const timer = { atMs, ring, isTakenBack: false };
      timers.push(timer);
      return () => (timer.isTakenBack = true);
    },
  });
  return { inbox, timers };
}

const STOP: Event = { type: 'stop-requested' };
const DRAIN: Event = { type: 'drain-requested' };
const PASSED: Event = { type: 'time-passed' };

/** Whether it is done after everything that could be done now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(
    () => (settled = true),
    () => (settled = true),
  );
  for (let i = 0; i < 4; i++) await turn();
  return settled;
}

describe('a turn gets', () => {
  test('what was posted, in order, at once, and then that time has passed', async () => {
    const { inbox, timers } = newInbox();
    inbox.post(DRAIN);
    inbox.post(STOP);
    expect(await inbox.next(undefined)).toEqual([DRAIN, STOP, PASSED]);
    expect(timers).toEqual([]);
  });

  test('each event once', async () => {
    const { inbox } = newInbox();
    inbox.post(DRAIN);
    await inbox.next(undefined);
    inbox.post(STOP);
    expect(await inbox.next(undefined)).toEqual([STOP, PASSED]);
  });

  test('events that arrive together in one turn', async () => {
    const { inbox } = newInbox();
    const events = inbox.next(undefined);
    inbox.post(DRAIN);
    // The answer of a call that was sent together with the first one comes a few steps later.
    Promise.resolve()
      .then(() => undefined)
      .then(() => inbox.post(STOP))
      .catch((error: unknown) => {
        throw error;
      });
    expect(await events).toEqual([DRAIN, STOP, PASSED]);
  });
});

describe('the sleep', () => {
  test.each([
    ['until the time given', 4_000, 4_000],
    ['until the time given, also if that has come', 500, 500],
    ['for ten seconds at most', 12_000, 11_000],
    ['for ten seconds if nothing is due', undefined, 11_000],
  ])('lasts %s', async (_what, wakeAtMs, expected) => {
    const { inbox, timers } = newInbox();
    const events = inbox.next(wakeAtMs);
    expect(timers.map(({ atMs }) => atMs)).toEqual([expected]);
    expect(await isSettled(events)).toBe(false);
    timers[0]?.ring();
    expect(await events).toEqual([PASSED]);
  });

  test('ends with an event, and its timer is taken back', async () => {
    const { inbox, timers } = newInbox();
    const events = inbox.next(undefined);
    inbox.post(DRAIN);
    expect(await events).toEqual([DRAIN, PASSED]);
    expect(timers[0]?.isTakenBack).toBe(true);
  });

  test('of a later turn does not end with the timer of an earlier one', async () => {
    const { inbox, timers } = newInbox();
    const first = inbox.next(undefined);
    inbox.post(DRAIN);
    await first;
    const second = inbox.next(undefined);
    expect(timers).toHaveLength(2);
    expect(await isSettled(second)).toBe(false);
    inbox.close();
    await second;
  });

  test('ends when the inbox is closed, and does not begin afterwards', async () => {
    const { inbox, timers } = newInbox();
    const events = inbox.next(undefined);
    expect(inbox.isClosed).toBe(false);
    inbox.close();
    expect(inbox.isClosed).toBe(true);
    expect(await events).toEqual([PASSED]);
    expect(await inbox.next(undefined)).toEqual([PASSED]);
    expect(timers).toHaveLength(1);
  });
});
