import { describe, expect, test } from 'vitest';
import {
  deadlineOf,
  fenceAtMs,
  fenceGraceMs,
  finalNextUpdateS,
  freshnessMs,
  nextUpdateS,
  renewAtMs,
  reportByMs,
  reportEveryMs,
  promisesMax,
  shutdownNextUpdateS,
  spareReportMs,
  takeBackAtMs,
} from '../../../src/core/scheduling/deadlines.ts';
import type { Run } from '../../../src/core/model/job.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, after } from '../../../src/core/lib/time.ts';
import { HUB, definition } from '../../support/settings.ts';

const AT = { wallMs: 0, bootMs: 1000 };

describe('a promise', () => {
  test('is renewed from its half on, and goes before status changes when a quarter is left, three minutes at most', () => {
    const short = { madeAt: AT, until: after(AT, 300_000), nextUpdateS: 300 };
    expect([renewAtMs(short, 0), deadlineOf(short).urgentAtMs]).toEqual([151_000, 226_000]);
    const long = { madeAt: AT, until: after(AT, 3_600_000), nextUpdateS: 3600 };
    expect([renewAtMs(long, 0), deadlineOf(long).urgentAtMs]).toEqual([1_801_000, 3_421_000]);
  });

  test('is renewed up to a tenth of that earlier, by its jitter', () => {
    const promise = { madeAt: AT, until: after(AT, 300_000), nextUpdateS: 300 };
    expect(renewAtMs(promise, 1)).toBe(136_000);
    expect(renewAtMs(promise, 0.5)).toBe(143_500);
  });

  test('is renewed earlier if its stamp was behind, and no later if its stamp was ahead', () => {
    const made = { madeAt: AT, nextUpdateS: 300 };
    expect(renewAtMs({ ...made, until: after(AT, 100_000) }, 0)).toBe(-48_000);
    expect(renewAtMs({ ...made, until: after(AT, 500_000) }, 0)).toBe(151_000);
  });

  test('is the configured one while the budget has room', () => {
    expect(nextUpdateS(HUB, 1, { perSecond: 1, burst: 10 })).toBe(300);
    expect(nextUpdateS(HUB, 100, { perSecond: 1, burst: 10 })).toBe(300);
  });

  test('is stretched until each task can be reported at two thirds of the rate in half of it', () => {
    expect(nextUpdateS(HUB, 400, { perSecond: 1, burst: 10 })).toBe(1200);
    expect(nextUpdateS(HUB, 400, { perSecond: 2, burst: 10 })).toBe(600);
  });

  test('is stretched no further than the configuration allows', () => {
    expect(nextUpdateS(HUB, 100_000, { perSecond: 1, burst: 10 })).toBe(3600);
  });

  test('fits the 32 bits of its field', () => {
    const long = { ...HUB, nextUpdateMs: 100_000 * DAY_MS, nextUpdateMaxMs: 100_000 * DAY_MS };
    expect(nextUpdateS(long, 1, { perSecond: 1, burst: 1 })).toBe(2 ** 31 - 1);
    expect(finalNextUpdateS({ ...HUB, finalNextUpdateMs: 100_000 * DAY_MS })).toBe(2 ** 31 - 1);
  });

  test('leaves budget for status changes: progress is reported no faster than all tasks can be', () => {
    expect(freshnessMs(1, { perSecond: 1, burst: 10 })).toBe(5 * SECOND_MS);
    expect(freshnessMs(100, { perSecond: 1, burst: 10 })).toBe(150 * SECOND_MS);
  });
});

describe('a window', () => {
  test('has three reports at least', () => {
    expect(reportEveryMs(MINUTE_MS, 15 * MINUTE_MS)).toBe(MINUTE_MS);
    expect(reportEveryMs(MINUTE_MS, MINUTE_MS)).toBe(20 * SECOND_MS);
  });

  test('is late after five minutes, or earlier if it is shorter', () => {
    expect(reportByMs(AT, 15 * MINUTE_MS)).toBe(1000 + 5 * MINUTE_MS);
    expect(reportByMs(AT, 2 * MINUTE_MS)).toBe(1000 + 2 * MINUTE_MS);
  });
});

describe('the fence', () => {
  function pipelineRun(windowMs: number, graceMs: number, isAccepted = true): Run {
    return {
      id: 'copy/1',
      job: 'copy',
      number: 1,
      definition: definition('copy', { stop: { signal: 'SIGTERM', graceMs } }),
      origin: 'pipeline',
      state: 'running',
      requestedAt: AT,
      spawn: 1,
      pipeline: {
        task: {
          taskId: 't',
          pipelineId: 'df-1',
          attemptId: 'a',
          instance: 'i',
          workerGroup: 'files',
          windowMs,
          receivedAt: AT,
        },
        ...(isAccepted ? { acceptedAt: { wallMs: 0, bootMs: 60_000 } } : {}),
        delivery: { state: 'pending' },
      },
    };
  }

  test('starts so early that the grace and a margin fit before the window ends', () => {
    expect(fenceAtMs(pipelineRun(15 * MINUTE_MS, 30 * SECOND_MS))).toBe(
      60_000 + 15 * MINUTE_MS - 40 * SECOND_MS,
    );
  });

  test('never starts in the first half of the window', () => {
    expect(fenceAtMs(pipelineRun(15 * MINUTE_MS, HOUR_MS))).toBe(60_000 + 7.5 * MINUTE_MS);
  });

  test('that comes late leaves the job the part of its grace that fits into the window', () => {
    const run = pipelineRun(15 * MINUTE_MS, 30 * SECOND_MS);
    const endMs = 60_000 + 15 * MINUTE_MS;
    const graceMs = (leftMs: number): number =>
      fenceGraceMs(run, { wallMs: 0, bootMs: endMs - leftMs });
    expect([40, 25, 10, -3600].map((leftS) => graceMs(leftS * SECOND_MS))).toEqual([
      30_000, 15_000, 0, 0,
    ]);
  });

  test('of a task that was never acknowledged is two minutes after its hand-out', () => {
    expect(fenceAtMs(pipelineRun(15 * MINUTE_MS, SECOND_MS, false))).toBe(1000 + 2 * MINUTE_MS);
  });

  test('is only for tasks that may still be reported', () => {
    const run = pipelineRun(15 * MINUTE_MS, SECOND_MS);
    if (run.pipeline !== undefined) run.pipeline.delivery = { state: 'withheld', reason: '' };
    expect(fenceAtMs(run)).toBeUndefined();
    delete run.pipeline;
    expect(fenceAtMs(run)).toBeUndefined();
  });
});

describe('other promises', () => {
  const halves = { ...HUB, nextUpdateMs: 1_500, nextUpdateMaxMs: 7_500, finalNextUpdateMs: 9_900 };

  test('are whole seconds: a needed one is rounded up, the longest ones are rounded down', () => {
    expect(nextUpdateS(halves, 1, { perSecond: 10, burst: 1 })).toBe(2);
    expect([shutdownNextUpdateS(halves), finalNextUpdateS(halves)]).toEqual([7, 9]);
    expect([shutdownNextUpdateS(HUB), finalNextUpdateS(HUB)]).toEqual([3600, 365 * 86_400]);
    const long = { ...HUB, nextUpdateMaxMs: 100_000 * DAY_MS };
    expect(shutdownNextUpdateS(long)).toBe(2 ** 31 - 1);
  });

  test('of a stop are taken back within ten seconds of the next start, by the reporter’s jitter', () => {
    expect([takeBackAtMs(AT, 0), takeBackAtMs(AT, 0.5), takeBackAtMs(AT, 1)]).toEqual([
      ...[1_000, 6_000, 11_000],
    ]);
  });

  test('are no more than 0.93 of the budget keeps with the longest one', () => {
    expect(promisesMax(HUB, { perSecond: 1, burst: 10 })).toBe(3348);
    expect(promisesMax(HUB, { perSecond: 0.5, burst: 10 })).toBe(1674);
    expect(promisesMax({ ...HUB, nextUpdateMaxMs: 10_000 }, { perSecond: 1, burst: 1 })).toBe(9);
  });
});

test.each([
  ['a budget that has plenty: a quarter of the interval', 1, 10, 15_000],
  ['never more often than every five seconds', 1, 10, 5_000, 8_000],
  ['a budget that is used: as often as a tenth of it allows', 40, 10, 40_000],
  ['a budget that is short: the interval itself', 100, 10, 60_000],
] as const)('with %s', (_what, tasks, perSecond, expected, everyMs: number = MINUTE_MS) => {
  expect(spareReportMs(everyMs, tasks, { perSecond, burst: 1 })).toBe(expected);
});
