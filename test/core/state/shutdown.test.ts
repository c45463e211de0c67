/** Draining can be taken back, termination and shutdown cannot; a shutdown has five seconds. */
import { expect, test } from 'vitest';
import { Shutdown } from '../../../src/core/state/shutdown.ts';

const at = (bootMs: number) => ({ wallMs: 0, bootMs });

test('draining begins once, ends with resume, and may begin again', () => {
  const shutdown = new Shutdown();
  expect([shutdown.isDraining, shutdown.drain(), shutdown.drain()]).toEqual([false, true, false]);
  expect(shutdown.isDraining).toBe(true);
  shutdown.resume();
  expect([shutdown.isDraining, shutdown.drain()]).toEqual([false, true]);
});

test('termination is new once, and resume does not end it', () => {
  const shutdown = new Shutdown();
  expect([shutdown.isTerminated, shutdown.terminate(), shutdown.terminate()]).toEqual([
    ...[false, true, false],
  ]);
  shutdown.resume();
  expect(shutdown.isTerminated).toBe(true);
});

test('the first request counts, and the agent ends five seconds after it', () => {
  const shutdown = new Shutdown();
  expect([shutdown.requestedAt, shutdown.endsAtMs]).toEqual([undefined, undefined]);
  expect([shutdown.request(at(1_000)), shutdown.request(at(2_000))]).toEqual([true, false]);
  expect([shutdown.requestedAt, shutdown.endsAtMs]).toEqual([at(1_000), 6_000]);
});

test('a task needs a shutdown report if its last report is older than the request', () => {
  const shutdown = new Shutdown();
  expect(shutdown.needsReport(at(0))).toBe(false);
  shutdown.request(at(1_000));
  expect([shutdown.needsReport(at(999)), shutdown.needsReport(at(1_000))]).toEqual([true, false]);
});
