import { expect, test } from 'vitest';
import { steadyPerSecond } from '../../../src/core/scheduling/token-bucket.ts';
import { Context } from '../../../src/core/scheduling/context.ts';
import { PersistentState } from '../../../src/core/state/ledger.ts';
import { settings } from '../../support/settings.ts';

const NOTIFY = 'NotifyMigrationTaskState' as const;

test('promises count on what throttling and failures leave of what the gate gives', () => {
  const context = new Context(new PersistentState(), settings(), () => 0.5, {
    wallMs: 0,
    bootMs: 0,
  });
  const gives = steadyPerSecond({ perSecond: 1, burst: 10 });
  expect(context.rateOf(NOTIFY)).toEqual({ perSecond: gives, burst: 10 });
  context.pacing.of(NOTIFY).speed = 0.5;
  expect(context.rateOf(NOTIFY).perSecond).toBeCloseTo(gives / 2, 9);
  context.pacing.of(NOTIFY).success = 0.5;
  expect(context.rateOf(NOTIFY).perSecond).toBeCloseTo(gives / 4, 9);
  expect(context.rateOf('ImportMigrationTask').perSecond).toBe(gives);
});
