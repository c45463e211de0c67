/** How often a command calls when a call fails, and how long it waits in between. */
import { beforeEach, expect, test, vi } from 'vitest';
import { sendWithRetries } from '../../../src/cli/notify/send-with-retries.ts';
import type { Outcome } from '../../../src/core/model/call.ts';
import type { Services } from '../../../src/ports.ts';
import { Collector } from '../terminal-in-memory.ts';

/** The pauses, which end at once. */
const pausesMs = vi.hoisted(() => [] as number[]);
vi.mock(import('node:timers/promises'), async (original) => ({
  ...(await original()),
  setTimeout: (ms?: number) => {
    pausesMs.push(ms ?? 0);
    return Promise.resolve() as Promise<never>;
  },
}));
beforeEach(() => {
  pausesMs.length = 0;
});

/** The outcome of the command, how often it called, and what it printed. */
async function sent(...outcomes: readonly Outcome[]) {
  let calls = 0;
  const services = {
    send: () => Promise.resolve(outcomes[Math.min(calls++, outcomes.length - 1)]!),
  } as unknown as Services;
  const stderr = new Collector(undefined);
  const terminal = { stderr, stdout: new Collector(undefined), environment: {} } as never;
  const outcome = await sendWithRetries(services, { operation: 'GetHomeRegion' }, terminal);
  return { outcome, calls, printed: stderr.text };
}

const away: Outcome = { kind: 'unavailable', reason: 'away' };
const throttled = (retryAfterMs?: number): Outcome => ({
  ...{ kind: 'throttled', reason: 'slow down' },
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
});

test('three times in all, with pauses that double', async () => {
  const { outcome, calls, printed } = await sent(away);
  expect([outcome, calls]).toEqual([away, 3]);
  expect(printed).toBe('GetHomeRegion: away; retry in 1 s\nGetHomeRegion: away; retry in 2 s\n');
  expect(pausesMs).toEqual([1000, 2000]);
});

test('the pause that the service asks for counts if it is longer', async () => {
  const denied: Outcome = { kind: 'denied', reason: 'no' };
  const { outcome, calls, printed } = await sent(throttled(1_100), denied);
  expect([outcome, calls, printed]).toEqual([
    ...[denied, 2, 'GetHomeRegion: slow down; retry in 1.1 s\n'],
  ]);
  expect((await sent(throttled(), denied)).printed).toContain('retry in 1 s');
  expect((await sent(throttled(20_000), denied)).printed).toContain('retry in 20 s');
  expect(pausesMs).toEqual([1100, 1000, 20_000]);
});

test('nobody waits for more than twenty seconds: the answer comes at once', async () => {
  const { outcome, calls, printed } = await sent(throttled(20_001));
  expect([outcome.kind, calls, printed, pausesMs]).toEqual(['throttled', 1, '', []]);
});

test.each(['denied', 'refused', 'missing', 'gone'] as const)('%s is final', async (kind) => {
  expect((await sent({ kind, reason: 'no' })).calls).toBe(1);
});
