import { uptime } from 'node:os';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
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

test('each suspend counts once, however many there were, and the time between them as it is', () => {
  const host = new Host();
  const clock = createClock(host.readings);
  const before = clock.now().bootMs;
  for (let suspends = 1; suspends <= 3; suspends += 1) {
    host.suspend(3_600_000);
    host.run(60_000);
    expect(Math.abs(clock.now().bootMs - before - suspends * 3_660_000)).toBeLessThan(20);
  }
  host.run(1_000);
  expect(Math.abs(clock.now().bootMs - before - 3 * 3_660_000 - 1_000)).toBeLessThan(20);
});

test('a drift that is smaller than what a busy moment makes is none', () => {
  const host = new Host();
  const clock = createClock(host.readings);
  const before = clock.now().bootMs;
  host.suspended += 190;
  host.run(2_000);
  expect(clock.now().bootMs - before).toBe(2_000);
  host.suspended += 20;
  host.run(2_000);
  expect(clock.now().bootMs - before).toBeGreaterThanOrEqual(4_200);
});

test('the clocks of this host: milliseconds since its boot, suspended time too, and since 1970', () => {
  const beforeMs = uptime() * 1_000;
  const { bootMs, wallMs } = createClock().now();
  // The kernel gives the time since the boot in steps of 10 ms.
  expect(bootMs).toBeGreaterThanOrEqual(beforeMs - 20);
  expect(bootMs).toBeLessThanOrEqual(uptime() * 1_000 + 20);
  expect(wallMs).toBeLessThanOrEqual(Date.now());
  expect(wallMs).toBeGreaterThan(Date.now() - 100_000);
});

describe('a wake', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
  });

  test('comes at its time, at once if that has passed, and not if it was taken back', () => {
    const clock = createClock(new Host().readings);
    const { bootMs } = clock.now();
    const woken: string[] = [];
    clock.wakeAt(bootMs + 1_000.5, () => woken.push('later'));
    clock.wakeAt(bootMs - 5_000, () => woken.push('past'));
    const cancel = clock.wakeAt(bootMs + 10, () => woken.push('never'));
    cancel();
    vi.advanceTimersByTime(0);
    expect(woken).toEqual(['past']);
    vi.advanceTimersByTime(1_000);
    expect(woken).toEqual(['past']);
    vi.advanceTimersByTime(1);
    expect(woken).toEqual(['past', 'later']);
  });

  test('that is far away comes after a minute, and whoever asked asks again', () => {
    const clock = createClock(new Host().readings);
    let wakes = 0;
    clock.wakeAt(clock.now().bootMs + 1e10, () => (wakes += 1));
    vi.advanceTimersByTime(59_999);
    expect(wakes).toBe(0);
    vi.advanceTimersByTime(1);
    expect(wakes).toBe(1);
  });
});
