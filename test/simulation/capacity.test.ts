/** What a budget carries is promised and kept; what it cannot carry is not promised. Long form: `npm run test:capacity`. */
import { expect, test } from 'vitest';
import { simulateDay } from './capacity-day.ts';

const KEPT = { staleMs: 0, missed: 0, overLimit: 0 };
const SEEDS = [1, 2, 3];

test.each(SEEDS)(
  'at 95 %% of the budget, a tenth of the calls failing, all is kept (seed %i)',
  (seed) => {
    const much = simulateDay(300, 0.95, seed);
    expect(much).toMatchObject(KEPT);
    expect(much.promised).toBeGreaterThanOrEqual(290);
  },
);

test.each(SEEDS)(
  'at 120 %% and 200 %% what was promised is kept, and the rest waits untold (seed %i)',
  (seed) => {
    const much = simulateDay(1000, 1.2, seed);
    expect(much).toMatchObject(KEPT);
    expect(much.promised).toBeGreaterThan(750);
    expect(much.waiting).toBeGreaterThan(100);
    expect(simulateDay(1000, 2, seed)).toMatchObject(KEPT);
  },
);
