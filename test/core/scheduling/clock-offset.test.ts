import { expect, test } from 'vitest';
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

test('an impossible date is ignored; a host that is in 1970 believes a possible one at once', () => {
  const offset = new ClockOffset();
  answers(offset, -50 * YEAR_MS, 9);
  expect(offset.isKnown).toBe(false);
  const now: Now = { wallMs: 60_000, bootMs: 60_000 };
  offset.learn(WALL_MS, now, now);
  expect(offset.isDoubtful).toBe(false);
  expect(Math.abs(now.wallMs + offset.ms - WALL_MS)).toBeLessThan(SECOND_MS);
});

test('what an earlier agent knew does not outvote an answer that is years away from it', () => {
  const offset = new ClockOffset();
  offset.restore(0, 0);
  answers(offset, 30 * YEAR_MS);
  expect(offset.isDoubtful).toBe(true);
  answers(offset, 30 * YEAR_MS, 2);
  expect([offset.ms, offset.isDoubtful]).toEqual([30 * YEAR_MS, false]);
});
