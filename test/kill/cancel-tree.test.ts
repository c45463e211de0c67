/**
 * A tree that forks, calls setsid, drops its environment, ignores SIGTERM and spawns while it is being killed is gone
 * within its grace and a second: every time, with a control group and without one. The test checks /proc.
 *
 * `npm test` does it a few times; `npm run test:kill` a hundred times (ROUNDS).
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { whyNoCgroups, withCgroupBase } from '../jobs/process/cgroup-tree.ts';
import { fixtures, makeRun, processesWith, until, withHosts } from '../jobs/support.ts';
import type { Host } from '../jobs/support.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 2);
const GRACE_MS = 500;
/** By the clock only in the long form, which has a machine of its own. */
const AFTER_GRACE_MS_MAX = ROUNDS >= 100 ? 1000 : Infinity;
/**
 * A second in timers of this process, which a busy machine delays as much as it delays the sweep. On a quiet one the sweep
 * takes about ten of them.
 */
const TICK_MS = 5;
const AFTER_GRACE_TICKS_MAX = 1000 / TICK_MS;
/** The long form kills trees for minutes; the short one has the limit of every test. */
const LIMIT_MS = Math.max(120_000, ROUNDS * 5000);
const skipped = whyNoCgroups === '' ? '' : ` (skipped: ${whyNoCgroups})`;

describe(`${ROUNDS} of ${ROUNDS} stubborn trees are gone${ROUNDS >= 100 ? ' within grace + 1 s' : ''}`, () => {
  test(
    'without a control group',
    () =>
      withHosts(async (newHost) => {
        await cancelOverAndOver(() => newHost());
      }),
    LIMIT_MS,
  );

  test.skipIf(whyNoCgroups !== '')(
    `with one${skipped}`,
    () =>
      withCgroupBase((base) =>
        withHosts(async (newHost) => {
          await cancelOverAndOver(() => newHost(undefined, base));
        }),
      ),
    LIMIT_MS,
  );
});

async function cancelOverAndOver(newHost: () => Host): Promise<void> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) times.push(await cancel(newHost()));
  process.stdout.write(
    `${ROUNDS} trees: gone after ${Math.max(...times).toFixed(0)} ms at the latest, grace ${GRACE_MS} ms\n`,
  );
  expect(Math.max(...times)).toBeLessThan(GRACE_MS + AFTER_GRACE_MS_MAX);
}

/** From the first signal to the proof, in milliseconds. */
async function cancel(host: Host): Promise<number> {
  const run = makeRun(['/bin/sh', join(fixtures, 'stubborn-tree.sh'), host.directory]);
  host.host.start(run);
  await until(
    async () => (await host.read(run, 'stdout.log').catch(() => '')) === 'ready\n',
    () => 'the tree',
  );
  run.process = (await host.event('run-started')).process;
  const begin = performance.now();
  host.host.signalTree(run, 'SIGTERM');
  await sleep(GRACE_MS);
  // On a busy machine the look after SIGTERM comes later than that.
  await host.event('tree-checked');
  expect(processesWith(host.directory).length).toBeGreaterThan(7);
  const looksBefore = host.all('tree-checked').length;
  const ticks = countTicks();
  host.host.signalTree(run, 'SIGKILL');
  await until(
    () => host.all('tree-checked').some(({ survivors }) => survivors.length === 0),
    () => 'an empty tree',
  );
  const ms = performance.now() - begin;
  expect(ticks.stop()).toBeLessThan(AFTER_GRACE_TICKS_MAX);
  // One SIGKILL is one sweep, and the first look after it is the proof.
  const looks = host.all('tree-checked').slice(looksBefore);
  expect(looks.map(({ survivors }) => survivors)).toEqual([[]]);
  expect(processesWith(host.directory)).toEqual([]);
  return ms;
}

/** How often a short timer of this process has fired. */
function countTicks(): { stop: () => number } {
  let count = 0;
  const timer = setInterval(() => (count += 1), TICK_MS);
  return {
    stop: () => {
      clearInterval(timer);
      return count;
    },
  };
}
