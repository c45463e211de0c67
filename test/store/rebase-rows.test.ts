/** After a reboot: what is moved onto the new boot's clock, and what of a row is then known no longer. */
import { expect, test } from 'vitest';
import { after } from '../../src/core/lib/time.ts';
import { rebaseHubTask } from '../../src/store/rebase-rows.ts';
import { START, aTask } from '../support/desk.ts';

/** The same wall clock, a minute later; the host has just booted. */
const NOW = { wallMs: START.wallMs + 60_000, bootMs: 5_000 };
const PROMISE = {
  ...{
    run: 'copy/1',
    payload: { status: 'IN_PROGRESS' as const },
    madeAt: START,
    nextUpdateS: 300,
  },
  until: after(START, 300_000),
};

test('a promise is as old as before, ends when it would have, and is to be renewed soon', () => {
  expect(rebaseHubTask(aTask({ promise: PROMISE }), NOW).promise).toEqual({
    ...PROMISE,
    madeAt: { wallMs: START.wallMs, bootMs: NOW.bootMs - 60_000 },
    until: { wallMs: START.wallMs + 300_000, bootMs: NOW.bootMs + 240_000 },
    isShutdown: true,
  });
});

test('a task without a promise has none afterwards', () => {
  expect(rebaseHubTask(aTask(), NOW)).toEqual(aTask());
});
