/** Elapsed time and the estimate of what is left. */
import { expect, test } from 'vitest';
import { elapsedSeconds, etaSeconds, timingText } from '../../../src/core/model/run-time.ts';

const at = (s: number): { wallMs: number; bootMs: number } => ({ wallMs: 0, bootMs: s * 1000 });
const run = { state: 'running', startedAt: at(100), percent: 25, progressAt: at(200) } as const;

test('elapsed until now, or until the end', () => {
  expect(elapsedSeconds(run, at(250))).toBe(150);
  expect(elapsedSeconds({ ...run, endedAt: at(220) }, at(250))).toBe(120);
  expect(elapsedSeconds({ state: 'queued' }, at(250))).toBeUndefined();
});

test('seconds are rounded', () => {
  const [early, late] = [100_499, 100_500].map((bootMs) => ({ wallMs: 0, bootMs }));
  const started = { state: 'running', startedAt: at(0) } as const;
  expect([early, late].map((now) => elapsedSeconds(started, now!))).toEqual([100, 101]);
});

test('the least progress, the least time and the longest rest that make an estimate', () => {
  const just = { ...run, percent: 2, startedAt: at(0), progressAt: at(10) };
  expect(etaSeconds(just, at(10))).toBe(490);
  expect(etaSeconds({ ...just, progressAt: { wallMs: 0, bootMs: 9_999 } }, at(10))).toBeUndefined();
  const month = { ...just, percent: 50, progressAt: at(30 * 86_400) };
  expect(etaSeconds(month, month.progressAt)).toBe(30 * 86_400);
  const longer = { ...month, progressAt: at(30 * 86_400 + 1) };
  expect(etaSeconds(longer, longer.progressAt)).toBeUndefined();
});

test('what is left at the rate so far, less the time since the last progress, and never negative', () => {
  expect(etaSeconds(run, at(200))).toBe(300);
  expect(etaSeconds(run, at(260))).toBe(240);
  expect(etaSeconds(run, at(900))).toBe(0);
});

test.each([
  ['it does not run', { ...run, state: 'canceling' }],
  ['it stalls', { ...run, stalled: true }],
  ['there is no percent', { ...run, percent: undefined }],
  ['there is hardly any progress', { ...run, percent: 1 }],
  ['it has just started', { ...run, progressAt: at(105) }],
  ['it would take months', { ...run, percent: 2, progressAt: at(100_000_000) }],
] as const)('no estimate if %s', (_why, { percent, ...rest }) => {
  expect(etaSeconds({ ...rest, ...(percent === undefined ? {} : { percent }) }, at(200))).toBe(
    undefined,
  );
});

test.each([
  ['running for 2m30s, about 4m10s left', run, 250],
  ['running for 9s, with no text', run, 109],
  ['running for 15s', { ...run, percent: 1, progressAt: at(110) }, 115],
  ['running for 1h40m', { ...run, stalled: true }, 6105],
  ['running for 1d2h, about 3d6h left', { ...run, progressAt: at(93_700) }, 93_700],
] as const)('for a StatusDetail: %s', (text, { ...progressing }, nowS) => {
  const expected = text.endsWith('no text') ? undefined : text;
  expect(timingText(progressing, at(nowS))).toBe(expected);
});

test('a run that does not run, or whose percent is not known, has no timing', () => {
  expect(timingText({ ...run, state: 'canceling' }, at(300))).toBeUndefined();
  const { percent, ...without } = run;
  expect(percent).toBe(25);
  expect(timingText(without, at(300))).toBeUndefined();
});
