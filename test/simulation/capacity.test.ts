/** What a budget carries is promised and kept; what it cannot carry is not promised. Long form: `npm run test:capacity`. */
import { expect, test } from 'vitest';
import { IS_LONG } from '../support/long-run.ts';
import { simulateDay } from './capacity-day.ts';

const KEPT = { staleMs: 0, missed: 0, overLimit: 0 };
const SEEDS = IS_LONG ? [1, 2, 3] : [2];

test.each(SEEDS)(
  'at 0.95 of the budget, with a tenth of the calls failing, every promise is kept (seed %i)',
  (seed) => {
    const much = simulateDay(300, 0.95, seed);
    expect(much).toMatchObject(KEPT);
    expect(much.promised).toBeGreaterThanOrEqual(290);
  },
);

test.each(SEEDS)(
  'at 1.2 times the budget and at twice the budget every promise is kept, and the other jobs wait unreported (seed %i)',
  (seed) => {
    const much = simulateDay(1000, 1.2, seed);
    expect(much).toMatchObject(KEPT);
    expect(much.promised).toBeGreaterThan(750);
    expect(much.waiting).toBeGreaterThan(100);
    expect(simulateDay(1000, 2, seed)).toMatchObject(KEPT);
  },
);
