/** After a sleep pipeline tasks are reported first: what ends the wait of everything else. */
import { expect, test } from 'vitest';
import { ResumeHold } from '../../../src/core/scheduling/resume-hold.ts';

const at = (bootMs: number) => ({ wallMs: 0, bootMs });

test('everything waits until each task was answered', () => {
  const hold = new ResumeHold();
  hold.begin(['a', 'b'], at(1_000));
  expect(hold.untilMs(at(1_000))).toBe(11_000);
  expect([hold.isAwaited('a'), hold.isAwaited('c')]).toEqual([true, false]);
  hold.answered('a', at(1_000));
  expect(hold.untilMs(at(1_000))).toBe(11_000);
  hold.answered('b', at(1_001));
  expect(hold.untilMs(at(1_001))).toBeUndefined();
});

test('the answer to a call from before the sleep says nothing', () => {
  const hold = new ResumeHold();
  hold.begin(['a'], at(1_000));
  hold.answered('a', at(999));
  expect(hold.isAwaited('a')).toBe(true);
});

test('a task that has nothing more to report is not waited for', () => {
  const hold = new ResumeHold();
  hold.begin(['a'], at(1_000));
  hold.forget('a');
  expect(hold.untilMs(at(1_000))).toBeUndefined();
});

test('the wait ends after ten seconds, and the next sleep begins another with its own tasks', () => {
  const hold = new ResumeHold();
  hold.begin(['a'], at(1_000));
  expect(hold.untilMs(at(10_999))).toBe(11_000);
  expect(hold.untilMs(at(11_000))).toBeUndefined();
  hold.begin(['b'], at(20_000));
  expect([hold.isAwaited('a'), hold.isAwaited('b')]).toEqual([false, true]);
  expect(hold.untilMs(at(20_000))).toBe(30_000);
});

test('nothing is held before the first sleep, nor after one without tasks', () => {
  const hold = new ResumeHold();
  expect(hold.untilMs(at(0))).toBeUndefined();
  hold.answered('a', at(0));
  hold.begin([], at(1_000));
  expect(hold.untilMs(at(1_000))).toBeUndefined();
});
