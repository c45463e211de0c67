/** Processes that are watched: what each look means for a run. The looks are made up here. */
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { Event } from '../../../src/core/model/event.ts';
import type { Run } from '../../../src/core/model/job.ts';
import { PidWatch } from '../../../src/jobs/tracked/pids.ts';
import { definition } from '../../support/settings.ts';
import { until } from '../../support/until.ts';

const host = vi.hoisted(() => ({
  lives: (): boolean => true,
  looks: 0,
}));
vi.mock(import('../../../src/jobs/process/process-table.ts'), async (original) => ({
  ...(await original()),
  lives: () => {
    host.looks += 1;
    return host.lives();
  },
}));

let events: Event[];
let watch: PidWatch;
let laterMs: number;
const PROCESS = { pid: 4711, bootId: 'this-boot', startTicks: '5' };

beforeEach(() => {
  Object.assign(host, { lives: () => true, looks: 0 });
  events = [];
  laterMs = 0;
  const now = performance.now.bind(performance);
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + laterMs);
  onTestFinished(() => clock.mockRestore());
  watch = new PidWatch({
    post: (event) => events.push(event),
    ...{ bootId: 'this-boot', graceMs: 60_000, checkEveryMs: 1 },
  });
});
afterEach(() => watch.close());

function runOf(name: string, process = PROCESS): Run {
  return {
    ...{ id: `${name}/1`, job: name, number: 1, origin: 'tracked', state: 'starting', spawn: 1 },
    definition: definition(name, { command: [], tracked: { by: 'pid', process } }),
    requestedAt: { wallMs: 0, bootMs: 0 },
  };
}

async function looks(): Promise<void> {
  const before = host.looks;
  await until('it was looked at', () => host.looks >= before + 2);
}

test('it is seen once, and lost when it has been gone for its whole time', async () => {
  watch.add(runOf('copy'));
  await looks();
  host.lives = () => false;
  await looks();
  laterMs += 59_000;
  await looks();
  expect(events).toEqual([{ type: 'run-seen', run: 'copy/1', process: PROCESS }]);
  laterMs += 1_000;
  await until('it is lost', () => events.length > 1);
  expect(events[1]).toEqual({
    ...{ type: 'run-lost', run: 'copy/1' },
    reason: 'process 4711 is gone, and nobody reported how it ended',
  });
  const before = host.looks;
  watch.add(runOf('of-another-boot', { ...PROCESS, bootId: 'another' }));
  await until('that is lost', () => events.length > 2);
  expect(host.looks).toBe(before);
});

test('what cannot be seen is a problem and proves nothing: its time begins anew', async () => {
  host.lives = () => false;
  watch.add(runOf('copy'));
  await looks();
  laterMs += 50_000;
  host.lives = () => {
    throw new Error('no descriptors');
  };
  await looks();
  host.lives = () => false;
  await looks();
  laterMs += 50_000;
  await looks();
  expect(events).toEqual([
    { type: 'watch-problem', run: 'copy/1', reason: 'no descriptors' },
    { type: 'watch-problem', run: 'copy/1' },
  ]);
  laterMs += 20_000;
  await until('it is lost', () => events.some(({ type }) => type === 'run-lost'));
});

test('one that was released is looked at no more', async () => {
  const run = runOf('copy');
  watch.add(run);
  await looks();
  watch.remove(run);
  host.lives = () => false;
  laterMs += 3_600_000;
  watch.add(runOf('next'));
  await looks();
  expect(events.some((event) => event.type === 'run-lost' && event.run === 'copy/1')).toBe(false);
});

test('very many do not hold the loop: others have a turn every three milliseconds', async () => {
  // Each look takes one.
  host.lives = () => {
    laterMs += 1;
    return true;
  };
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  for (let index = 0; index < 40; index++) watch.add(runOf(`job-${index}`));
  await until('all are seen', () => events.length >= 40);
  isOver = true;
  expect(turns).toBeGreaterThanOrEqual(9);
});
