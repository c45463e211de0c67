/** The runner's own heartbeat: at once, then before each fifteen minutes have passed; and whose id it has. */
import { describe, expect, test } from 'vitest';
import { HOUR_MS, MINUTE_MS } from '../../../src/core/lib/time.ts';
import { RunnerHeartbeat, runnerId } from '../../../src/core/pipeline/runner-heartbeat.ts';
import { PersistentState } from '../../../src/core/state/persistent-state.ts';
import { START, UNAVAILABLE } from '../../support/desk.ts';
import { PIPELINE, settings } from '../../support/settings.ts';

const OPERATION = 'ReportTaskRunnerHeartbeat';
const CALL = { operation: OPERATION, taskRunnerId: 'runner-1', hostname: 'test-host' } as const;
const OK = { kind: 'accepted', answer: {} } as const;

function heartbeatOf(random = 0, dataPipeline: typeof PIPELINE | null = PIPELINE) {
  const state = new PersistentState();
  const current = settings(dataPipeline === null ? {} : { dataPipeline });
  return new RunnerHeartbeat({ state, settings: { current }, random: () => random });
}

test('the first is due at once, and says who calls', () => {
  const heartbeat = heartbeatOf();
  expect(heartbeat.next()).toEqual({ operation: OPERATION, readyAtMs: 0, sinceMs: 0 });
  expect(heartbeat.call()).toEqual({ ...CALL, workerGroup: 'files' });
  expect(heartbeat.isSettled).toBe(false);
});

test.each([
  [0, 0.9],
  [1, 0.81],
])(
  'with a jitter of %d the next is due after %d of the interval, urgent at 95 %',
  (jitter, part) => {
    const heartbeat = heartbeatOf(jitter);
    expect(
      heartbeat.settled(CALL, OK, { ...START, bootMs: START.bootMs + 500 }, START),
    ).toBeUndefined();
    expect(heartbeat.isSettled).toBe(true);
    const next = heartbeat.next();
    expect(next?.readyAtMs).toBeCloseTo(START.bootMs + 15 * MINUTE_MS * part, 3);
    expect(next?.deadline).toEqual({
      urgentAtMs: START.bootMs + 15 * MINUTE_MS * 0.95,
      byMs: START.bootMs + 15 * MINUTE_MS,
    });
    expect(next).not.toHaveProperty('sinceMs');
  },
);

test('a failure is retried with growing pauses, and settles the first one', () => {
  const heartbeat = heartbeatOf(1);
  heartbeat.settled(CALL, UNAVAILABLE, START, START);
  expect(heartbeat.isSettled).toBe(true);
  expect(heartbeat.next()).toMatchObject({
    readyAtMs: START.bootMs + 1_000,
    sinceMs: START.bootMs + 1_000,
  });
  heartbeat.settled(CALL, UNAVAILABLE, START, START);
  expect(heartbeat.next()?.readyAtMs).toBe(START.bootMs + 2_000);
  heartbeat.settled(CALL, OK, START, START);
  heartbeat.settled(CALL, UNAVAILABLE, { ...START, bootMs: START.bootMs + HOUR_MS }, START);
  expect(heartbeat.next()?.readyAtMs).toBe(START.bootMs + HOUR_MS + 1_000);
});

test('after a failure of a later one, the retry may be later than its time', () => {
  const heartbeat = heartbeatOf(1);
  heartbeat.settled(CALL, OK, START, START);
  const dueMs = heartbeat.next()?.readyAtMs ?? 0;
  heartbeat.settled(CALL, UNAVAILABLE, { ...START, bootMs: dueMs }, START);
  expect(heartbeat.next()?.readyAtMs).toBe(dueMs + 1_000);
  heartbeat.settled(CALL, OK, { ...START, bootMs: dueMs }, { ...START, bootMs: dueMs });
  expect(heartbeat.next()?.readyAtMs).toBeGreaterThan(dueMs + 10 * MINUTE_MS);
});

test('the answer may terminate the runner', () => {
  const heartbeat = heartbeatOf();
  const terminate = (value: boolean) =>
    heartbeat.settled(CALL, { kind: 'accepted', answer: { terminate: value } }, START, START);
  expect([terminate(false), terminate(true)]).toEqual([undefined, { type: 'runner-terminated' }]);
});

test('without the destination, or an id, there is none', () => {
  expect([heartbeatOf(0, null).next(), heartbeatOf(0, null).call()]).toEqual([
    undefined,
    undefined,
  ]);
  const { taskRunnerId, ...unnamed } = PIPELINE;
  expect(taskRunnerId).toBeDefined();
  const heartbeat = heartbeatOf(0, unnamed);
  expect([heartbeat.next(), heartbeat.call()]).toEqual([undefined, undefined]);
});

describe('the runner’s id', () => {
  const idOf = (metadata: PersistentState['metadata'], configured?: string) => {
    const state = new PersistentState();
    state.metadata = metadata;
    const { taskRunnerId, ...unnamed } = PIPELINE;
    expect(taskRunnerId).toBeDefined();
    const dataPipeline =
      configured === undefined ? unnamed : { ...unnamed, taskRunnerId: configured };
    return runnerId({ state, settings: { current: settings({ dataPipeline }) } });
  };
  test('is the configured one, else the one that was made', () => {
    expect(idOf({ streams: [], taskRunnerId: 'made' }, 'configured')).toBe('configured');
    expect(idOf({ streams: [], taskRunnerId: 'made' })).toBe('made');
    expect(idOf({ streams: [] })).toBeUndefined();
  });

  test('of a copied host is never the configured one, which the first host has', () => {
    const copied = { streams: [], copiedFrom: { identity: {} } };
    expect(idOf({ ...copied, taskRunnerId: 'made' }, 'configured')).toBe('made');
    expect(idOf(copied, 'configured')).toBeUndefined();
  });
});
