import { expect, test } from 'vitest';
import { Watchdog } from '../../src/agent/watchdog.ts';
import type { Now } from '../../src/core/lib/time.ts';

function at(bootMs: number): Now {
  return { bootMs, wallMs: 1_800_000_000_000 + bootMs };
}

function create(watchdogMs?: number) {
  const sent: string[] = [];
  const watchdog = new Watchdog({
    ...(watchdogMs === undefined ? {} : { watchdogMs }),
    ready: () => sent.push('ready'),
    reloading: () => sent.push('reloading'),
    status: (line: string) => sent.push(line),
    alive: () => sent.push('alive'),
    stopping: () => sent.push('stopping'),
  });
  const lines = () => sent.filter((one) => one !== 'alive');
  return { sent, lines, watchdog };
}

test('the status line is made once a second at most, and a turn in between asks for another one within two', () => {
  const { lines, watchdog } = create();
  expect(watchdog.turned(at(5_000), 1, () => 'healthy')).toBe(undefined);
  expect(watchdog.turned(at(5_020), 1, () => 'degraded: denied')).toBe(7_000);
  expect(lines()).toEqual(['healthy']);
  expect(watchdog.turned(at(6_000), 1, () => 'degraded: denied')).toBe(undefined);
  expect(lines()).toEqual(['healthy', 'degraded: denied']);
});

test('a line that has not changed is not sent again', () => {
  const { lines, watchdog } = create();
  watchdog.turned(at(5_000), 1, () => 'healthy');
  watchdog.turned(at(6_000), 1, () => 'healthy');
  expect(lines()).toEqual(['healthy']);
});

test('systemd is notified three times in an interval of its watchdog', () => {
  const { sent, watchdog } = create(30_000);
  for (let ms = 0; ms < 30_000; ms += 1_000) watchdog.turned(at(ms), 1, () => 'healthy');
  expect(sent.filter((one) => one === 'alive')).toHaveLength(3);
});

test('without a watchdog there is one notification', () => {
  const { sent, watchdog } = create();
  for (let ms = 0; ms < 30_000; ms += 1_000) watchdog.turned(at(ms), 1, () => 'healthy');
  expect(sent.filter((one) => one === 'alive').length).toBeLessThanOrEqual(1);
});

test('with ten thousand live runs it is made each second, with a hundred thousand every ten seconds', () => {
  const madeOf = (liveRuns: number): number => {
    const { watchdog } = create();
    let made = 0;
    for (let ms = 0; ms < 60_000; ms += 100) {
      watchdog.turned(at(ms), liveRuns, () => `line ${(made += 1)}`);
    }
    return made;
  };
  expect([madeOf(10_000), madeOf(100_000)]).toEqual([60, 6]);
});
