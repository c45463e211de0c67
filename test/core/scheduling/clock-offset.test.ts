import { describe, expect, test } from 'vitest';
import { ClockOffset } from '../../../src/core/scheduling/clock-offset.ts';
import { HOUR_MS, SECOND_MS } from '../../../src/core/lib/time.ts';
import type { Now } from '../../../src/core/lib/time.ts';

const WALL_MS = Date.UTC(2026, 0, 1);

/** A host whose clock is behind the service's by `behindMs`. */
function answers(offset: ClockOffset, behindMs: number, count = 1, tripMs = 100): void {
  for (let i = 0; i < count; i++) {
    const sentAt: Now = { wallMs: WALL_MS, bootMs: 0 };
    const now: Now = { wallMs: sentAt.wallMs + tripMs, bootMs: tripMs };
    const serverMs = sentAt.wallMs + tripMs / 2 + behindMs;
    // The header has whole seconds: half of one is missing on average.
    offset.learn(serverMs - 500, sentAt, now);
  }
}

test('one answer is enough to learn the clock', () => {
  const offset = new ClockOffset();
  answers(offset, HOUR_MS);
  expect(offset.ms).toBe(HOUR_MS);
});

test('an offset below two seconds is noise of the header', () => {
  const offset = new ClockOffset();
  answers(offset, 1900);
  expect(offset.ms).toBe(0);
});

test('one wrong answer among right ones changes nothing', () => {
  const offset = new ClockOffset();
  answers(offset, HOUR_MS, 5);
  answers(offset, 0);
  expect(offset.ms).toBe(HOUR_MS);
});

test('a drifting clock is followed once most of the last answers agree', () => {
  const offset = new ClockOffset();
  answers(offset, HOUR_MS, 9);
  answers(offset, HOUR_MS + 30 * SECOND_MS, 5);
  expect(offset.ms).toBe(HOUR_MS + 30 * SECOND_MS);
});

test('the answer of a long poll is ignored: it took too long', () => {
  const offset = new ClockOffset();
  answers(offset, HOUR_MS, 1, 80 * SECOND_MS);
  expect(offset.ms).toBe(0);
});

test('half of the round trip is before the header was written', () => {
  const offset = new ClockOffset();
  answers(offset, HOUR_MS, 1, 4 * SECOND_MS);
  expect(offset.ms).toBe(HOUR_MS);
});

test('a step of the host clock changes the offset at once and for all later answers', () => {
  const offset = new ClockOffset();
  answers(offset, HOUR_MS, 9);
  offset.stepped(HOUR_MS);
  expect(offset.ms).toBe(0);
  answers(offset, 0);
  expect(offset.ms).toBe(0);
  offset.stepped(-2 * HOUR_MS);
  expect(offset.ms).toBe(2 * HOUR_MS);
  answers(offset, 2 * HOUR_MS);
  expect(offset.ms).toBe(2 * HOUR_MS);
});

const YEAR_MS = 365 * 24 * HOUR_MS;

test('a first answer that is years off changes nothing and makes the clock doubtful; three that agree decide', () => {
  const offset = new ClockOffset();
  answers(offset, 10 * YEAR_MS);
  expect([offset.ms, offset.isDoubtful]).toEqual([0, true]);
  answers(offset, 0, 2);
  expect([offset.ms, offset.isDoubtful]).toEqual([0, false]);
  const wrong = new ClockOffset();
  answers(wrong, 10 * YEAR_MS, 3);
  expect([wrong.ms, wrong.isDoubtful]).toEqual([10 * YEAR_MS, false]);
});

test('two first answers that are years off do not decide either, nor do answers that differ by years', () => {
  const offset = new ClockOffset();
  answers(offset, 10 * YEAR_MS, 2);
  answers(offset, 0);
  expect([offset.ms, offset.isDoubtful]).toEqual([0, true]);
  answers(offset, 0, 2);
  expect([offset.ms, offset.isDoubtful]).toEqual([0, false]);
  const wild = new ClockOffset();
  for (let years = 1; years <= 9; years++) answers(wild, years * YEAR_MS);
  expect([wild.ms, wild.isDoubtful]).toEqual([0, true]);
});

test('an impossible date is ignored', () => {
  const offset = new ClockOffset();
  answers(offset, -50 * YEAR_MS, 9);
  expect(offset.isKnown).toBe(false);
});

test('a host that is in 1970 does not believe the first answer that comes: it may be wild', () => {
  const offset = new ClockOffset();
  const now: Now = { wallMs: 60_000, bootMs: 60_000 };
  offset.learn(WALL_MS + 10 * YEAR_MS, now, now);
  expect([offset.ms, offset.isDoubtful]).toEqual([0, true]);
  for (let count = 1; count <= 3; count++) {
    expect(offset.isDoubtful).toBe(true);
    offset.learn(WALL_MS, now, now);
  }
  expect(offset.isDoubtful).toBe(false);
  expect(Math.abs(now.wallMs + offset.ms - WALL_MS)).toBeLessThan(SECOND_MS);
});

test('a host whose clock is right again is not led astray by an offset of the time when it was not', () => {
  const offset = new ClockOffset();
  offset.restore(-56 * YEAR_MS, 0);
  answers(offset, 10 * YEAR_MS);
  expect(offset.isDoubtful).toBe(true);
  const right = new ClockOffset();
  right.restore(-56 * YEAR_MS, 0);
  answers(right, 0);
  expect([right.ms, right.isDoubtful]).toEqual([0, false]);
});

test('what an earlier agent knew does not outvote an answer that is years away from it', () => {
  const offset = new ClockOffset();
  offset.restore(0, 0);
  answers(offset, 30 * YEAR_MS);
  expect(offset.isDoubtful).toBe(true);
  answers(offset, 30 * YEAR_MS, 2);
  expect([offset.ms, offset.isDoubtful]).toEqual([30 * YEAR_MS, false]);
});

/** An answer of a service whose clock is ahead of this host's by so much. */
function answer(offset: ClockOffset, aheadMs: number, wallMs = WALL_MS): void {
  const now: Now = { wallMs, bootMs: 0 };
  offset.learn(wallMs + aheadMs - 500, now, now);
}

describe('what an earlier agent knew', () => {
  test('counts as two samples, and is outvoted by three', () => {
    const offset = new ClockOffset();
    offset.restore(60_000, 0);
    expect([offset.isKnown, offset.ms]).toEqual([true, 60_000]);
    for (const expected of [60_000, 90_000, 90_000]) {
      answer(offset, 90_000);
      expect(offset.ms).toBe(expected);
    }
  });

  test('is less by the step of the host since; below two seconds it is none', () => {
    const restored = (offsetMs: number, stepMs: number): number => {
      const offset = new ClockOffset();
      offset.restore(offsetMs, stepMs);
      return offset.ms;
    };
    expect([restored(60_000, 20_000), restored(1_999, 0), restored(2_000, 0)]).toEqual([
      ...[40_000, 0, 2_000],
    ]);
    expect(restored(-1_999, 0)).toBe(0);
  });

  test('goes at once if an answer is more than an hour from it, and only what it knew', () => {
    const near = new ClockOffset();
    near.restore(0, 0);
    answer(near, HOUR_MS);
    expect(near.ms).toBe(0);
    const far = new ClockOffset();
    far.restore(2 * HOUR_MS, 0);
    answer(far, -2 * HOUR_MS);
    answer(far, -2 * HOUR_MS);
    expect(far.ms).toBe(2 * HOUR_MS);
    answer(far, -2 * HOUR_MS);
    expect(far.ms).toBe(-2 * HOUR_MS);
  });

  test('is gone after eight answers: a far one then counts like any other', () => {
    const offset = new ClockOffset();
    offset.restore(0, 0);
    for (let i = 0; i < 9; i++) answer(offset, 0);
    answer(offset, 2 * HOUR_MS);
    for (let i = 0; i < 3; i++) answer(offset, 2 * HOUR_MS);
    expect(offset.ms).toBe(0);
    answer(offset, 2 * HOUR_MS);
    expect(offset.ms).toBe(2 * HOUR_MS);
  });
});

test.each([
  ['an answer that took five seconds counts', 5_000, HOUR_MS],
  ['a longer one does not', 5_001, 0],
])('%s', (_what, tripMs, expected) => {
  const offset = new ClockOffset();
  answers(offset, HOUR_MS, 1, tripMs);
  expect(offset.ms).toBe(expected);
  expect(offset.learn(WALL_MS, { wallMs: 0, bootMs: 0 }, { wallMs: WALL_MS, bootMs: tripMs })).toBe(
    expected !== 0,
  );
});

test('the median is taken, in whole milliseconds, and noise around zero is zero', () => {
  const offset = new ClockOffset();
  for (const aheadMs of [90_000, 10_000, 50_000, 20_000, 60_000]) answer(offset, aheadMs);
  expect(offset.ms).toBe(50_000);
  const now: Now = { wallMs: WALL_MS, bootMs: 1 };
  const odd = new ClockOffset();
  odd.learn(WALL_MS + 60_000 - 500, { wallMs: WALL_MS, bootMs: 0 }, now);
  expect(odd.ms).toBe(60_001);
  const noise = new ClockOffset();
  for (const aheadMs of [30_000, 1_000, 1_000]) answer(noise, aheadMs);
  expect(noise.ms).toBe(0);
});

test('nine answers count, not eight', () => {
  const offset = new ClockOffset();
  for (let i = 0; i < 5; i++) answer(offset, 60_000);
  for (let i = 0; i < 4; i++) answer(offset, 90_000);
  expect(offset.ms).toBe(60_000);
  answer(offset, 90_000);
  expect(offset.ms).toBe(90_000);
});

test('right answers end a doubt and an offset', () => {
  const offset = new ClockOffset();
  answers(offset, 10 * YEAR_MS);
  expect(offset.isDoubtful).toBe(true);
  for (let i = 0; i < 9; i++) answer(offset, 0);
  expect([offset.isDoubtful, offset.ms]).toEqual([false, 0]);
  for (let i = 0; i < 9; i++) answer(offset, 60_000);
  for (let i = 0; i < 9; i++) answer(offset, 0);
  expect(offset.ms).toBe(0);
});

test('a step that leaves less than two seconds leaves none', () => {
  const stepped = (stepMs: number): number => {
    const offset = new ClockOffset();
    answer(offset, 60_000);
    offset.stepped(stepMs);
    return offset.ms;
  };
  expect([stepped(58_001), stepped(58_000), stepped(61_999)]).toEqual([0, 2_000, 0]);
});

test('the median is the one in the middle, in whatever order the answers came', () => {
  const offset = new ClockOffset();
  for (const behindS of [10, 30, 20]) answers(offset, behindS * SECOND_MS);
  expect(offset.ms).toBe(20 * SECOND_MS);
});

test('one answer that is far from what an earlier agent knew is doubtful, also if it says that the host is right', () => {
  const offset = new ClockOffset();
  offset.restore(10 * YEAR_MS, 0);
  answers(offset, 10 * SECOND_MS);
  expect([offset.ms, offset.isDoubtful]).toEqual([10 * YEAR_MS, true]);
  answers(offset, 10 * SECOND_MS, 2);
  expect([offset.ms, offset.isDoubtful]).toEqual([10 * SECOND_MS, false]);
});

test('what this agent has seen often enough is not forgotten for one wild answer', () => {
  const offset = new ClockOffset();
  offset.restore(HOUR_MS, 0);
  answers(offset, HOUR_MS, 30);
  answers(offset, 10 * YEAR_MS);
  expect([offset.ms, offset.isDoubtful]).toEqual([HOUR_MS, false]);
});

test('a host whose clock is not yet possible believes no single answer, however near', () => {
  const offset = new ClockOffset();
  const minute = 60 * SECOND_MS;
  const before: Now = { wallMs: Date.UTC(2020, 0, 1) - minute, bootMs: 0 };
  offset.learn(before.wallMs + 2 * minute, before, before);
  expect([offset.ms, offset.isDoubtful]).toEqual([0, true]);
});
