/** Which percentages are reported: each case is what a program prints from poll to poll, and what is reported after each. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PercentFilter } from '../../../src/jobs/progress/percent-filter.ts';
import type { Candidate } from '../../../src/jobs/progress/percent-filter.ts';

/** A number, nothing in this poll, or several numbers in one. */
type Poll = number | null | Candidate | readonly (number | Candidate)[];

function reported(polls: readonly Poll[], confirmsSteps = true): (number | undefined)[] {
  const filter = new PercentFilter({ confirmsSteps });
  return polls.map((poll) => {
    for (const one of poll === null ? [] : [poll].flat()) {
      filter.offer(typeof one === 'number' ? { percent: one } : one);
    }
    filter.endPoll();
    return filter.percent;
  });
}

const doubtful = (percent: number): Candidate => ({ percent, isDoubtful: true });
const share = (done: number, total: number): Candidate => ({
  percent: (done * 100) / total,
  total,
});
const U = undefined;

describe('what is reported after each poll', () => {
  test.each<[what: string, polls: readonly Poll[], reports: readonly (number | undefined)[]]>([
    ['small steps: each at once', [1, 2, 5, 6, 9], [1, 2, 5, 6, 9]],
    ['large steps: when the next ones confirm them', [20, 40, 60, 80], [U, U, 20, 40]],
    [
      'large steps with pauses: when the next one confirms it',
      [20, null, 40, null],
      [U, U, 20, 20],
    ],
    [
      'one number and nothing more: after two seconds',
      [42, null, null, null, null],
      [U, U, U, U, 42],
    ],
    ['a stray number first', [79, 1, 2, 3], [U, 1, 2, 3]],
    ['a stray number between others', [1, 2, 79, 3, 4], [1, 2, 2, 3, 4]],
    ['two stray numbers in a row, after one alone', [1, 60, 2, 70, 75, 3], [1, 1, 2, 2, 2, 3]],
    [
      'a doubtful number alone: never',
      [doubtful(79), null, null, null, null, null],
      [U, U, U, U, U, U],
    ],
    [
      'a doubtful number with a later one',
      [doubtful(20), null, doubtful(30), null],
      [U, U, 20, 20],
    ],
    [
      'the same doubtful number: a disk that stays full',
      [doubtful(79), doubtful(79), doubtful(79), 1],
      [U, U, U, 1],
    ],
    ['a copy that is resumed and slow', [60, 60, 60, 60, 60], [U, U, U, U, 60]],
    [
      'several numbers in one poll: the last',
      [
        [90, 3],
        [95, 4],
      ],
      [3, 4],
    ],
    ['lower numbers never lower it', [1, 3, 5, 2, 1], [1, 3, 5, 5, 5]],
  ])('%s', (_what, polls, reports) => {
    expect(reported(polls)).toEqual(reports);
  });

  test('a total that grows: no share of it before it stays', () => {
    const polls = [share(5, 10), share(8, 30), share(12, 100), share(14, 100), share(16, 100)];
    expect(reported(polls, false)).toEqual([U, U, U, 14, 16]);
  });

  test('a total that was read once: after five seconds, unless others came before', () => {
    const silence: null[] = Array.from({ length: 10 }, () => null);
    expect(reported([share(3, 4), ...silence]).at(-1)).toBe(75);
    expect(reported([share(3, 4), share(3, 5), ...silence]).at(-1)).toBeUndefined();
  });

  test('a total that a cut line made smaller', () => {
    expect(reported([share(3, 1000), share(4, 1000), share(5, 10), share(6, 1000)])).toEqual([
      U,
      0.4,
      0.4,
      0.6,
    ]);
  });

  test('exact formats need no confirmation', () => {
    expect(reported([20, 60, 100], false)).toEqual([20, 60, 100]);
  });
});

test('the end of the command confirms the last number, and what it shows counts most', () => {
  const filter = new PercentFilter({ confirmsSteps: true });
  filter.offer({ percent: 50 });
  filter.end();
  expect(filter.percent).toBe(50);
  filter.end(100);
  expect(filter.percent).toBe(100);
});

test('single wrong numbers, however high and wherever they are, never raise it by more than five points', () => {
  const wrong = fc.record({ at: fc.nat(197), percent: fc.nat(100) });
  fc.assert(
    fc.property(fc.array(wrong, { maxLength: 40 }), (strays) => {
      const filter = new PercentFilter({ confirmsSteps: true });
      for (let index = 0; index <= 200; index += 1) {
        const truth = index / 2;
        // Two right numbers follow each wrong one.
        const stray = index % 3 === 0 ? strays.find(({ at }) => at === index) : undefined;
        filter.offer({ percent: stray?.percent ?? truth });
        filter.endPoll();
        expect(filter.percent ?? 0).toBeLessThanOrEqual(truth + 5);
      }
      expect(filter.percent).toBeGreaterThanOrEqual(90);
    }),
  );
});
