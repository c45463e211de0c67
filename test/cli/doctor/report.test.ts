/** What `doctor` shows: what somebody has to look at first, checks that found the same together, and no check that hangs. */
import { expect, test, vi } from 'vitest';
import { renderChecks, runChecks } from '../../../src/cli/doctor/report.ts';
import type { Checked } from '../../../src/cli/doctor/report.ts';

const VIEW = { width: 60, color: false, now: new Date(0) };
const shown = (checks: readonly Checked[], view = VIEW): string[] =>
  renderChecks(checks, view).split('\n');

test('what failed comes first, then warnings, then what is in order, then what was skipped', () => {
  const checks: Checked[] = [
    { check: 'd', verdict: 'skipped', message: 'none' },
    { check: 'c', verdict: 'ok', message: 'fine' },
    { check: 'b', verdict: 'warning', message: 'hm', remedy: 'look' },
    { check: 'a', verdict: 'failed', message: 'no', remedy: 'do' },
    { check: 'e', verdict: 'ok', message: 'good' },
  ];
  expect(shown(checks)).toEqual([
    'failed   a: no',
    '         → do',
    'warning  b: hm',
    '         → look',
    'ok       c: fine',
    'ok       e: good',
    'skipped  d: none',
    '',
    '1 of 5 checks failed, 1 with a warning',
  ]);
});

test.each<[string, readonly Checked['verdict'][]]>([
  ['all checks passed', ['ok', 'skipped']],
  ['all checks passed, 1 with a warning', ['ok', 'warning']],
  ['all checks passed, 2 with a warning', ['warning', 'warning', 'ok']],
  ['1 of 2 checks failed', ['failed', 'ok']],
  ['2 of 2 checks failed', ['failed', 'failed']],
])('%s', (sum, verdicts) => {
  const checks = verdicts.map((verdict, index) => ({
    ...{ check: `c${index}`, verdict, message: `m${index}` },
  }));
  expect(shown(checks).at(-1)).toBe(sum);
});

test('checks that found the same are one line; another remedy or another right makes two', () => {
  const same = { verdict: 'failed', message: 'no credentials', remedy: 'log in' } as const;
  const checks: Checked[] = [
    { check: 'a', ...same },
    { check: 'b', ...same },
    { check: 'c', ...same, remedy: 'log out' },
    { check: 'd', ...same, iam: { Action: 'x' } },
  ];
  expect(shown(checks)).toEqual([
    'failed   a, b: no credentials',
    '         → log in',
    'failed   c: no credentials',
    '         → log out',
    'failed   d: no credentials',
    '         → log in',
    '         IAM: {"Action":"x"}',
    '',
    '4 of 4 checks failed',
  ]);
});

test('a long message is broken below itself, in a narrow terminal at thirty columns, and commands no terminal', () => {
  const message = `one two three four five six seven eight nine ten\u001b[2J`;
  const long = shown([{ check: 'a', verdict: 'ok', message }], { ...VIEW, width: 20 });
  expect(long.slice(0, 2)).toEqual([
    'ok       a: one two three four five six',
    '         seven eight nine ten',
  ]);
});

test.each([
  [24, ['ok       a: xxxxxxxxxxxxxxxxxxxxxxxx yy']],
  [25, ['ok       a: xxxxxxxxxxxxxxxxxxxxxxxxx', '         yy']],
])('thirty columns hold a word of %i and one of two, or not', (length, lines) => {
  const message = `${'x'.repeat(length)} yy`;
  const view = { ...VIEW, width: 20 };
  expect(shown([{ check: 'a', verdict: 'ok', message }], view).slice(0, -2)).toEqual(lines);
});

test('colours: a verdict has its own', () => {
  const [line] = shown([{ check: 'a', verdict: 'failed', message: 'no' }], {
    ...VIEW,
    color: true,
  });
  expect(line).toBe('\u001b[31mfailed   \u001b[39ma: no');
});

test('all checks run at once; one that throws, or hangs, has failed, and the others are as they are', async () => {
  vi.useFakeTimers();
  try {
    const hangs = (): Promise<never> => new Promise(() => undefined);
    const checked = runChecks([
      { name: 'hangs', look: hangs },
      { name: 'hangs soon', look: hangs, limitMs: 1_500 },
      { name: 'throws', look: () => Promise.reject(new Error('no way')) },
      { name: 'good', look: () => Promise.resolve({ verdict: 'ok', message: 'fine' }) },
    ]);
    let isOver = false;
    const over = checked.then(() => (isOver = true));
    await vi.advanceTimersByTimeAsync(29_999);
    expect(isOver).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await over;
    const failed = { verdict: 'failed', remedy: 'see the reason' };
    expect(await checked).toEqual([
      { check: 'hangs', ...failed, message: 'no result within 30 s' },
      { check: 'hangs soon', ...failed, message: 'no result within 1.5 s' },
      { check: 'throws', ...failed, message: 'no way' },
      { check: 'good', verdict: 'ok', message: 'fine' },
    ]);
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});
