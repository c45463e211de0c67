import { expect, test } from 'vitest';
import { createClock } from '../../src/system/clock.ts';

/** A host whose clocks a test moves. */
class Host {
  monotonic = 5_000;
  suspended = 0;
  wall = 1_790_000_000_000;
  uptimeReads = 0;

  readonly readings = {
    monotonicMs: () => this.monotonic,
    wallMs: () => this.wall,
    uptimeMs: () => {
      this.uptimeReads++;
      // In steps of 10 ms, as the kernel gives it.
      return Math.floor((this.monotonic + this.suspended) / 10) * 10;
    },
  };

  run(ms: number): void {
    this.monotonic += ms;
    this.wall += ms;
  }

  suspend(ms: number): void {
    this.suspended += ms;
    this.wall += ms;
  }
}

test('a suspend counts at once', () => {
  const host = new Host();
  const clock = createClock(host.readings);
  const before = clock.now().bootMs;
  host.run(5);
  host.suspend(3_600_000);
  expect(clock.now().bootMs - before).toBeGreaterThan(3_600_000 - 20);
  expect(clock.now().bootMs - before).toBeLessThan(3_600_000 + 25);
});

test('a suspend that the wall clock does not show counts within a second', () => {
  const host = new Host();
  const clock = createClock(host.readings);
  const before = clock.now().bootMs;
  host.suspend(60_000);
  host.wall -= 60_000;
  host.run(1_000);
  expect(clock.now().bootMs - before).toBeGreaterThan(60_000);
});

test('a step of the wall clock moves the wall time alone', () => {
  const host = new Host();
  const clock = createClock(host.readings);
  const before = clock.now();
  host.wall += 86_400_000;
  host.run(10);
  const after = clock.now();
  expect(after.bootMs - before.bootMs).toBeCloseTo(10);
  expect(after.wallMs - before.wallMs).toBe(86_400_010);
});

test('the file of /proc is read once a second, however often the time is asked for', () => {
  const host = new Host();
  const clock = createClock(host.readings);
  const begun = host.uptimeReads;
  for (let i = 0; i < 1_000; i++) {
    host.run(0.1);
    clock.now();
  }
  expect(host.uptimeReads - begun).toBe(1);
  let last = clock.now().bootMs;
  for (let i = 0; i < 10_000; i++) {
    host.run(7);
    const { bootMs } = clock.now();
    expect(bootMs).toBeGreaterThanOrEqual(last);
    last = bootMs;
  }
});
