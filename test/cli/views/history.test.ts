/** `history` as an operator reads it. */
import { expect, test } from 'vitest';
import { renderHistory } from '../../../src/cli/views/history.ts';
import type { HistoryDocument } from '../../../src/control/routes/documents.ts';

const VIEW = { width: 60, color: false, now: new Date('2026-11-22T03:12:00.000Z') };
type Update = HistoryDocument['updates'][number];

const history = (updates: readonly object[]): HistoryDocument => ({
  ...{ schema: 1, job: 'copy', run: 2, region: 'eu-central-1', stream: 'acme' },
  ...{ task: 'copy\u001b[2J', updates: updates as Update[] },
});

const at = (minute: number, rest: object): object => ({
  ...{ at: `2026-11-22T03:0${minute}:00.000Z`, status: 'IN_PROGRESS', ...rest },
});
const THREE = [
  at(0, { percent: 0 }),
  at(1, { percent: 50, detail: 'a\u0007b' }),
  at(2, { status: 'COMPLETED', percent: 100, detail: 'done' }),
];
const lines = (updates: readonly object[], limit = 100, view = VIEW): string[] =>
  renderHistory(history(updates), limit, view).split('\n');

test('a title, percent over time, and a row for each update', () => {
  const shown = lines(THREE);
  expect(shown[0]).toBe('copy  stream acme, eu-central-1, 3 updates');
  expect([shown[1], shown[2]?.slice(0, 5), shown[6]?.slice(0, 5)]).toEqual(['', ' 100%', '   0%']);
  expect(shown[6]).toHaveLength(60);
  expect(shown.slice(7)).toEqual([
    '',
    'TIME      STATUS       PERCENT  DETAIL',
    '03:00:00  IN_PROGRESS       0%',
    '03:01:00  IN_PROGRESS      50%  a b',
    '03:02:00  COMPLETED       100%  done',
  ]);
});

test('the newest ones are shown, all of them are drawn, and how to see the rest', () => {
  const shown = lines(THREE, 2);
  expect(shown.slice(9)).toEqual([
    '03:01:00  IN_PROGRESS      50%  a b',
    '03:02:00  COMPLETED       100%  done',
    'and 1 older ones: --limit 3',
  ]);
  expect(shown.slice(0, 7)).toEqual(lines(THREE).slice(0, 7));
  expect(lines(THREE, 3).at(-1)).toContain('COMPLETED');
});

test('what was not recorded is left out, and what has no time or percent is not drawn', () => {
  expect(lines([])).toEqual(['copy  stream acme, eu-central-1, 0 updates']);
  expect(lines([at(0, { percent: 5 }), { status: 'IN_PROGRESS', percent: 10 }, at(3, {})])).toEqual(
    [
      ...['copy  stream acme, eu-central-1, 3 updates', ''],
      'TIME      STATUS       PERCENT',
      '03:00:00  IN_PROGRESS       5%',
      '          IN_PROGRESS      10%',
      '03:03:00  IN_PROGRESS',
    ],
  );
});

test('a wider terminal has no wider plot, and how a run ended has its colour', () => {
  const view = { ...VIEW, width: 200 };
  expect(Math.max(...lines(THREE, 1, view).map((line) => line.length))).toBe(100);
  const failed = [at(0, {}), at(1, { status: 'FAILED' }), at(2, { status: 'COMPLETED' })];
  const coloured = renderHistory(history(failed), 100, { ...view, color: true });
  expect(coloured).toContain('\u001b[31mFAILED');
  expect(coloured).toContain('\u001b[32mCOMPLETED');
  expect(coloured).not.toMatch(/\u001b\[\d+mIN_PROGRESS/);
});
