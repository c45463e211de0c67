import { expect, test } from 'vitest';
import { Context } from '../../src/core/context.ts';
import { Ledger } from '../../src/core/ledger.ts';
import { settings } from '../support/settings.ts';

const NOTIFY = 'NotifyMigrationTaskState' as const;

test('promises count on what throttling and failures leave of the configured rate', () => {
  const context = new Context(new Ledger(), settings(), () => 0.5);
  expect(context.rateOf(NOTIFY)).toEqual({ perSecond: 1, burst: 10 });
  context.pacing.of(NOTIFY).speed = 0.5;
  expect(context.rateOf(NOTIFY).perSecond).toBe(0.5);
  context.pacing.of(NOTIFY).success = 0.5;
  expect(context.rateOf(NOTIFY).perSecond).toBe(0.25);
  expect(context.rateOf('ImportMigrationTask').perSecond).toBe(1);
});
