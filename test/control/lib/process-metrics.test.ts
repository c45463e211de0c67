/** What a scrape says of the process itself, beside what the kernel and the runtime say of it. */
import { readdirSync } from 'node:fs';
import { Registry } from 'prom-client';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { registerProcessMetrics } from '../../../src/control/lib/process-metrics.ts';

vi.mock('node:fs', { spy: true });
let registry: Registry;

beforeEach(() => {
  registry = new Registry();
  registerProcessMetrics(registry);
});

async function scrape(): Promise<ReadonlyMap<string, number>> {
  const lines = (await registry.metrics()).split('\n');
  const samples = lines.filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    samples.map((line): [string, number] => {
      const [name = '', value] = line.split(' ');
      return [name, Number(value)];
    }),
  );
}

function replaced(fake: { mockRestore: () => void }): void {
  onTestFinished(() => fake.mockRestore());
}

test('CPU time is that of program and kernel in seconds, at each scrape anew', async () => {
  let user = 2_000_000;
  replaced(
    vi
      .spyOn(process, 'cpuUsage')
      .mockImplementation(() => ({ user: (user += 1), system: 250_000 })),
  );
  expect((await scrape()).get('process_cpu_seconds_total')).toBe(2.250001);
  expect((await scrape()).get('process_cpu_seconds_total')).toBe(2.250002);
});

test('memory, descriptors and the start are those of this process', async () => {
  const descriptors = readdirSync('/proc/self/fd').length;
  const found = await scrape();
  expect(Math.abs(found.get('process_open_fds')! - descriptors)).toBeLessThan(20);
  expect(found.get('process_start_time_seconds')).toBe(performance.timeOrigin / 1000);
  expect(found.get('process_resident_memory_bytes')).toBeGreaterThan(10_000_000);
  expect(found.get('nodejs_heap_used_bytes')).toBeGreaterThan(1_000_000);
  expect([...found.keys()]).toHaveLength(6);
});

test('descriptors that cannot be counted are absent, not zero', async () => {
  // /proc is not mounted, or this process has no descriptor left to look.
  vi.mocked(readdirSync).mockImplementationOnce(() => {
    throw new Error('EMFILE');
  });
  expect((await scrape()).has('process_open_fds')).toBe(false);
});

test('the use of the loop is that since the last scrape', async () => {
  let now = { idle: 1000, active: 1000, utilization: 0.5 };
  const real = performance.eventLoopUtilization.bind(performance);
  replaced(
    vi
      .spyOn(performance, 'eventLoopUtilization')
      .mockImplementation((later, earlier) => (later === undefined ? now : real(later, earlier))),
  );
  registry = new Registry();
  registerProcessMetrics(registry);
  now = { idle: 1100, active: 1300, utilization: 0.6 };
  expect((await scrape()).get('nodejs_eventloop_utilization_ratio')).toBe(0.75);
  now = { idle: 1199, active: 1301, utilization: 0.5 };
  expect((await scrape()).get('nodejs_eventloop_utilization_ratio')).toBe(0.01);
});
