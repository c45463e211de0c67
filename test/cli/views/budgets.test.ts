/** Which budgets are shown, and why one is paused. */
import { expect, test } from 'vitest';
import { painter } from '../../../src/cli/terminal/terminal.ts';
import { renderBudgets } from '../../../src/cli/views/budgets.ts';
import type { BudgetStatus } from '../../../src/core/model/status.ts';

const NOW = new Date('2026-11-22T03:12:00.000Z');

test('those that were used or are paused, with the reason of the pause', () => {
  const budget = (rest: Partial<BudgetStatus>): BudgetStatus => ({
    ...{ operation: 'PollForTask', perSecond: 1 / 3, burst: 10, accepted: 0, throttled: 0 },
    ...{ failed: 0, ...rest },
  });
  const shown = (...budgets: readonly Partial<BudgetStatus>[]): string[] =>
    renderBudgets(budgets.map(budget), 80, NOW, painter(false));
  expect(shown({})).toEqual([]);
  // As many throttled as accepted.
  expect(shown({ accepted: 2, throttled: 2 })).toEqual([
    'OPERATION    BUDGET left  ACCEPTED  THROTTLED',
    'PollForTask  10, 0.33/s          2          2',
  ]);
  for (const one of [{ accepted: 1 }, { throttled: 1 }, { failed: 1 }])
    expect(shown(one)).toHaveLength(2);
  const paused = { pausedUntil: '2026-11-22T03:12:12.000Z', pausedBecause: 'slow\u0007down' };
  expect(shown({ available: 0, ...paused }).slice(1)).toEqual([
    'PollForTask  0 of 10, 0.33/s  12s',
    '  slow down',
  ]);
});
