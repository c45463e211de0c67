/** `status --watch` into a file, and how long it rests between two pictures. */
import { afterEach, expect, test, vi } from 'vitest';
import { serve } from '../../control/control-server-fixture.ts';
import { jobNamed } from '../../control/operator-in-memory.ts';
import { begin } from '../terminal-in-memory.ts';
import type { Running } from '../terminal-in-memory.ts';

const rests = vi.hoisted(() => ({ ms: [] as number[], last: undefined as Running | undefined }));
/** The second rest ends the command, as Ctrl-C does. */
vi.mock(import('node:timers/promises'), async (original) => ({
  ...(await original()),
  setTimeout: ((ms: number) => {
    if (rests.ms.push(ms) === 2) rests.last?.stop();
    return Promise.resolve();
  }) as never,
}));
afterEach(() => void vi.restoreAllMocks());

async function watch(...more: string[]): Promise<string> {
  const { operator, socketPath } = await serve();
  operator.show(jobNamed('copy', { run: 2, state: 'running' }));
  rests.ms = [];
  rests.last = begin(['status', '--watch', ...more, '--socket', socketPath]);
  return (await rests.last.done).stdout;
}

test('one picture after the other, without commands of a terminal', async () => {
  const both = await watch();
  const first = both.slice(0, both.length / 2);
  expect(both).toBe(first + first);
  expect(first).toMatch(/^[^\u001b]*copy +running\n\n$/);
});

test('as JSON, a document a line', async () => {
  const lines = (await watch('--json')).trimEnd().split('\n');
  expect(lines).toHaveLength(2);
  for (const line of lines) expect(JSON.parse(line)).toMatchObject({ schema: 1 });
});

test('the rest is a second, or ten times as long as the picture took', async () => {
  vi.spyOn(performance, 'now').mockReturnValue(5);
  await watch();
  expect(rests.ms).toEqual([1_000, 1_000]);
  let nowMs = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => (nowMs += 200));
  await watch();
  expect(rests.ms[0]! % 2_000).toBe(0);
  expect(rests.ms[0]).toBeGreaterThanOrEqual(2_000);
});
