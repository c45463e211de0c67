import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../../src/core/model/call.ts';
import { Pacing, isFailing, retryDelayMs } from '../../../src/core/scheduling/pacing.ts';

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

describe('the success rate', () => {
  const rates = (outcomes: readonly Outcome[]): number => {
    const pacing = new Pacing();
    outcomes.forEach((outcome, i) => settle(pacing, outcome, i * 1e6));
    return pacing.of(NOTIFY).success;
  };
  const down: Outcome = { kind: 'unavailable', reason: '' };

  test('counts calls that have to be repeated, and none that were answered', () => {
    expect(rates([ACCEPTED, { kind: 'refused', reason: '' }, { kind: 'denied', reason: '' }])).toBe(
      1,
    );
    expect(rates([down])).toBeCloseTo(1 - 1 / 10, 9);
    expect(rates([throttled()])).toBeCloseTo(1 - 1 / 10, 9);
    expect(rates([ACCEPTED, ACCEPTED, down])).toBeCloseTo(1 - 1 / 12, 9);
    expect(rates([down, throttled(), down])).toBeCloseTo(0.9 * (10 / 11) * (11 / 12), 9);
  });

  test('recovers, and an outage does not halve it', () => {
    expect(rates([down, ACCEPTED])).toBeCloseTo(0.9 + 0.1 / 11, 9);
    expect(rates(Array.from({ length: 50 }, () => down))).toBe(0.5);
    const many = Array.from({ length: 1_000 }, () => ACCEPTED);
    expect(rates([...many, down])).toBeCloseTo(1 - 1 / 400, 9);
  });
});

describe('what is counted', () => {
  test('of each operation: accepted, throttled, failed, and why the last one failed', () => {
    const pacing = new Pacing();
    const outcomes: Outcome[] = [
      ...[ACCEPTED, throttled(), { kind: 'unavailable', reason: 'ECONNREFUSED' } as const],
    ];
    outcomes.forEach((outcome) => settle(pacing, outcome, 0));
    expect(pacing.of(NOTIFY)).toMatchObject({ accepted: 1, throttled: 1, failed: 1, problems: 2 });
    expect(pacing.failureOf(NOTIFY)).toBe('ECONNREFUSED');
    settle(pacing, { kind: 'refused', reason: 'bad' }, 0);
    expect(pacing.of(NOTIFY)).toMatchObject({ accepted: 1, throttled: 1, failed: 2, problems: 0 });
    expect([pacing.failureOf(NOTIFY), pacing.failureOf('PollForTask')]).toEqual([
      undefined,
      undefined,
    ]);
    expect([...pacing.all()].map(([operation]) => operation)).toEqual([NOTIFY]);
  });

  test('a new operation has had nothing', () => {
    expect(new Pacing().of(NOTIFY)).toEqual({
      ...{ problems: 0, pausedUntilMs: 0, speed: 1, success: 1 },
      ...{ inFlight: 0, accepted: 0, throttled: 0, failed: 0 },
    });
  });
});

describe('failing', () => {
  test.each<[Outcome['kind'], number]>([
    ['denied', 1],
    ['no-home-region', 1],
    ['unavailable', 3],
    ['throttled', 3],
  ])('%s counts from the answer number %i', (kind, from) => {
    const pacing = new Pacing();
    const changes = [1, 2, 3, 4].map((i) =>
      settle(pacing, { kind, reason: '' } as Outcome, i * 1e6),
    );
    expect(changes.indexOf('failing')).toBe(from - 1);
    expect(changes.filter((change) => change === 'failing')).toHaveLength(1);
    expect(isFailing(pacing.of(NOTIFY))).toBe(true);
    expect(settle(pacing, { kind: 'refused', reason: '' }, 9e6)).toBe('recovered');
    expect(isFailing(pacing.of(NOTIFY))).toBe(false);
    expect(settle(pacing, ACCEPTED, 9e6)).toBeUndefined();
  });
});

describe('how many calls may begin', () => {
  test('after a failure one, until it is answered', () => {
    const pacing = new Pacing();
    settle(pacing, { kind: 'unavailable', reason: '' }, 0, always(0));
    expect(pacing.room(NOTIFY, 1, 100)).toBe(1);
    pacing.began(NOTIFY, 1, 100);
    expect(pacing.room(NOTIFY, 1, 100)).toBe(0);
  });

  test('at a lowered rate one after the other; part of a call a second counts as one more', () => {
    const pacing = new Pacing();
    settle(pacing, throttled(), 0);
    settle(pacing, ACCEPTED, 1e6);
    expect(pacing.room(NOTIFY, 2e6, 100)).toBe(1);
    const whole = new Pacing();
    expect(whole.room(NOTIFY, 0, 40.5)).toBe(41);
  });
});

describe('an answer after a failure', () => {
  test('ends the pause, but not the gap of a lowered rate', () => {
    const pacing = new Pacing();
    settle(pacing, { kind: 'unavailable', reason: '' }, 0);
    pacing.settled(NOTIFY, ACCEPTED, 10, always(1));
    expect(pacing.of(NOTIFY).pausedUntilMs).toBe(0);
    const slow = new Pacing();
    settle(slow, throttled(), 0);
    const { pausedUntilMs } = slow.of(NOTIFY);
    slow.settled(NOTIFY, ACCEPTED, 10, always(1));
    expect(slow.of(NOTIFY).pausedUntilMs).toBe(pausedUntilMs);
    const well = new Pacing();
    well.of(NOTIFY).pausedUntilMs = 77;
    well.settled(NOTIFY, ACCEPTED, 10, always(1));
    expect(well.of(NOTIFY).pausedUntilMs).toBe(77);
  });

  test('lets the others that failed alike, or by an outage, try within a second', () => {
    const denied: Outcome = { kind: 'denied', reason: '' };
    const paused = (first: Outcome, other: Outcome, random: number): number => {
      const pacing = new Pacing();
      for (let i = 0; i < 5; i++) pacing.settled('SetTaskStatus', other, 0, always(1));
      for (let i = 0; i < 5; i++) settle(pacing, first, 0);
      settle(pacing, ACCEPTED, 1_000, always(random));
      return pacing.of('SetTaskStatus').pausedUntilMs;
    };
    const down: Outcome = { kind: 'unavailable', reason: '' };
    expect(paused(denied, denied, 0.5)).toBe(1_500);
    expect(paused(denied, down, 0.5)).toBe(1_500);
    expect(paused(down, denied, 0.5)).toBe(300_000);
    expect(paused(denied, throttled(20_000), 0.5)).toBe(20_000);
    // Not later than it would be anyway.
    const pacing = new Pacing();
    pacing.settled('SetTaskStatus', down, 0, always(0.1));
    for (let i = 0; i < 5; i++) settle(pacing, down, 0);
    settle(pacing, ACCEPTED, 1_000);
    expect(pacing.of('SetTaskStatus').pausedUntilMs).toBe(50);
  });

  test('of an operation that was not failing leaves the others alone', () => {
    const pacing = new Pacing();
    const down: Outcome = { kind: 'unavailable', reason: '' };
    for (let i = 0; i < 8; i++) pacing.settled('SetTaskStatus', down, 0, always(1));
    settle(pacing, ACCEPTED, 1_000);
    expect(pacing.of('SetTaskStatus').pausedUntilMs).toBe(30_000);
  });

  test('says nothing of an operation that has none to recover from', () => {
    const pacing = new Pacing();
    pacing.of('SetTaskStatus').pausedUntilMs = 99_000;
    for (let i = 0; i < 5; i++) settle(pacing, { kind: 'denied', reason: '' }, 0);
    settle(pacing, ACCEPTED, 1_000);
    expect(pacing.of('SetTaskStatus').pausedUntilMs).toBe(99_000);
    pacing.recovered('unavailable', 5);
    expect(pacing.of('SetTaskStatus').pausedUntilMs).toBe(99_000);
  });
});

test.each<[Outcome, number, number]>([
  [{ kind: 'unavailable', reason: '' }, 0, 0],
  [{ kind: 'unavailable', reason: '' }, 1, 500],
  [{ kind: 'throttled', reason: '' }, 0, 500],
  [{ kind: 'throttled', reason: '' }, 1, 1_000],
  [{ kind: 'denied', reason: '' }, 0, 15_000],
  [{ kind: 'denied', reason: '' }, 1, 30_000],
  [{ kind: 'no-home-region', reason: '' }, 1, 60_000],
])('%j, with %d drawn, pauses for %i ms', (outcome, drawn, ms) => {
  const pacing = new Pacing();
  settle(pacing, outcome, 0, always(drawn));
  expect(pacing.of(NOTIFY).pausedUntilMs).toBe(ms);
});

test('an operation that works again ends the pauses of others, but none that AWS asked for', () => {
  const pacing = new Pacing();
  const down: Outcome = { kind: 'unavailable', reason: 'ECONNREFUSED' };
  for (let i = 0; i < 3; i++) settle(pacing, down, 0);
  const paused = (operation: 'GetHomeRegion' | 'ImportMigrationTask', outcome: Outcome): void => {
    pacing.began(operation, 0, 10);
    pacing.of(operation).inFlight--;
    pacing.settled(operation, outcome, 0, always(1));
  };
  paused('GetHomeRegion', down);
  paused('ImportMigrationTask', throttled(60_000));
  // A gap of its rate, after which nothing has failed.
  pacing.of('PollForTask').pausedUntilMs = 70_000;
  pacing.of('GetHomeRegion').pausedUntilMs = 50_000;
  settle(pacing, ACCEPTED, 10_000, always(0.5));
  const untilMs = (['GetHomeRegion', 'ImportMigrationTask', 'PollForTask'] as const).map(
    (operation) => pacing.of(operation).pausedUntilMs,
  );
  expect(untilMs).toEqual([10_500, 60_000, 70_000]);
});

test('one operation that is no longer throttled says nothing of another that is', () => {
  const pacing = new Pacing();
  for (let i = 0; i < 3; i++) settle(pacing, throttled(), 0);
  pacing.began('ImportMigrationTask', 0, 10);
  pacing.of('ImportMigrationTask').inFlight--;
  pacing.settled('ImportMigrationTask', throttled(60_000), 0, always(1));
  settle(pacing, ACCEPTED, 10_000);
  expect(pacing.of('ImportMigrationTask').pausedUntilMs).toBe(60_000);
});
