import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../../src/core/model/call.ts';
import { Pacing, retryDelayMs } from '../../../src/core/scheduling/pacing.ts';

const NOTIFY = 'NotifyMigrationTaskState' as const;
const ACCEPTED: Outcome = { kind: 'accepted', answer: {} };
const always = (value: number) => () => value;

function throttled(retryAfterMs?: number): Outcome {
  return {
    kind: 'throttled',
    reason: 'ThrottlingException',
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

function settle(pacing: Pacing, outcome: Outcome, nowMs: number, random = always(1)) {
  pacing.began(NOTIFY, nowMs, 10);
  pacing.of(NOTIFY).inFlight--;
  return pacing.settled(NOTIFY, outcome, nowMs, random);
}

test.each([
  [1, 32],
  [100, 100],
  [1_000, 256],
])('at %i calls a second, %i may be in flight', (perSecond, inFlight) => {
  const pacing = new Pacing();
  settle(pacing, ACCEPTED, 0);
  expect(pacing.room(NOTIFY, 1_000, perSecond)).toBe(inFlight);
  pacing.began(NOTIFY, 1_000, perSecond);
  expect(pacing.room(NOTIFY, 1_000, perSecond)).toBe(inFlight - 1);
});

describe('throttling', () => {
  test('RetryAfterSeconds is obeyed to the second', () => {
    const pacing = new Pacing();
    settle(pacing, throttled(7_000), 1_000);
    expect(pacing.room(NOTIFY, 7_999, 10)).toBe(0);
    expect(pacing.room(NOTIFY, 8_000, 10)).toBe(1);
  });

  test('without RetryAfterSeconds the pause doubles, up to a minute', () => {
    const pacing = new Pacing();
    const pauses: number[] = [];
    let nowMs = 0;
    for (let i = 0; i < 9; i++) {
      settle(pacing, throttled(), nowMs);
      pauses.push(pacing.of(NOTIFY).pausedUntilMs - nowMs);
      nowMs = pacing.of(NOTIFY).pausedUntilMs;
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60].map((s) => s * 1000));
  });

  test('the rate is lowered, comes back with accepted calls, and only that of this operation', () => {
    const pacing = new Pacing();
    settle(pacing, throttled(), 0);
    expect(pacing.of(NOTIFY).speed).toBe(0.7);
    settle(pacing, ACCEPTED, 1_000);
    pacing.began(NOTIFY, 2_000, 10);
    // 10 a second at about 0.7 of it: some 141 ms to the next call.
    expect(pacing.of(NOTIFY).pausedUntilMs - 2_000).toBeCloseTo(1000 / (10 * 0.71), 0);
    expect(pacing.room(NOTIFY, 2_100, 10)).toBe(0);
    for (let i = 0; i < 30; i++) settle(pacing, ACCEPTED, 3_000 + i * 1000);
    expect(pacing.of(NOTIFY).speed).toBeCloseTo(1, 9);
    expect(pacing.of('PollForTask').speed).toBe(1);
  });

  test('calls that were in flight together count as one throttle', () => {
    const pacing = new Pacing();
    for (let i = 0; i < 5; i++) pacing.began(NOTIFY, 0, 10);
    for (let i = 0; i < 5; i++) pacing.settled(NOTIFY, throttled(), 100, always(1));
    expect(pacing.of(NOTIFY).speed).toBe(0.7);
  });
});

describe('an outage', () => {
  test('one call goes first to probe; after the first success all may call', () => {
    const pacing = new Pacing();
    const down: Outcome = { kind: 'unavailable', reason: 'ECONNREFUSED' };
    expect(settle(pacing, down, 0)).toBeUndefined();
    expect(settle(pacing, down, 1_000)).toBeUndefined();
    expect(settle(pacing, down, 5_000)).toBe('failing');
    expect(pacing.room(NOTIFY, 5_001, 10)).toBe(0);
    expect(pacing.room(NOTIFY, 100_000, 10)).toBe(1);
    expect(settle(pacing, ACCEPTED, 100_000)).toBe('recovered');
    expect(pacing.room(NOTIFY, 100_000, 10)).toBeGreaterThan(1);
  });

  test('when one operation is back, the others probe within a second, but not before RetryAfterSeconds', () => {
    const pacing = new Pacing();
    const down: Outcome = { kind: 'unavailable', reason: 'ECONNREFUSED' };
    for (const operation of [NOTIFY, 'ImportMigrationTask', 'SetTaskStatus'] as const) {
      for (let i = 0; i < 8; i++) pacing.settled(operation, down, 0, always(1));
    }
    pacing.settled('SetTaskStatus', throttled(25_000), 0, always(1));
    pacing.settled('ImportMigrationTask', ACCEPTED, 10_000, always(1));
    expect(pacing.of(NOTIFY).pausedUntilMs).toBe(11_000);
    expect(pacing.of('SetTaskStatus').pausedUntilMs).toBeGreaterThanOrEqual(25_000);
  });

  test('the pause is never longer than half a minute', () => {
    const pacing = new Pacing();
    for (let i = 0; i < 50; i++) settle(pacing, { kind: 'unavailable', reason: '' }, 0);
    expect(pacing.of(NOTIFY).pausedUntilMs).toBeLessThanOrEqual(30_000);
  });
});

test('the retries of a reporter fit its slack: several attempts before the deadline', () => {
  expect(retryDelayMs(1, 300_000, always(1))).toBe(1_000);
  expect(retryDelayMs(10, Infinity, always(1))).toBe(30_000);
  expect(retryDelayMs(10, 20_000, always(1))).toBe(5_000);
  expect(retryDelayMs(10, 0, always(1))).toBe(1_000);
  expect(retryDelayMs(10, Infinity, always(0))).toBe(15_000);
});
