/**
 * A job puts FIFOs in the place of files of the agent, or works in a directory whose file system does not answer. Other jobs
 * go on, are canceled and report their progress; the daemon still ends.
 *
 * The jobs here have the agent's own user, as those of the default package: they may write wherever the agent may.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SizeMeter } from '../../src/jobs/progress/size.ts';
import { HangingMount, whyNoHangingMount } from '../support/hanging-mount.ts';
import { killUntilGone, makeRun, processesWith, sh, until, withHosts } from '../jobs/support.ts';
import type { Host } from '../jobs/support.ts';
import type { Run } from '../../src/core/model/job.ts';

/** More than the thread pool has threads. */
const ATTACKERS = 5;

/** More than a log may hold, in lines as long as they often are. */
const FLOOD = `seq -f 'line %.0f ${'x'.repeat(100)}' 6000`;

async function expectWork(host: Host): Promise<void> {
  const run = makeRun(sh('echo 41%; sleep 600'), { progress: { parser: 'percent' } });
  host.host.start(run);
  await until(
    () => host.all('progress-read').some((event) => event.run === run.id && event.percent === 41),
    () => 'the progress of another job',
  );
  await killUntilGone(host, run);
  // On a busy host the shim may be too slow to record the end.
  const ends = () => [...host.all('run-exited'), ...host.all('run-lost')];
  const end = () => ends().find((event) => event.run === run.id);
  await until(
    () => end() !== undefined,
    () => 'its end',
  );
  const ended = end();
  if (ended?.type === 'run-exited') expect(ended.exitCode).toBe(137);
}

function startAttackers(host: Host, attacker: () => Run): Run[] {
  const runs = Array.from({ length: ATTACKERS }, attacker);
  runs.forEach((run) => host.host.start(run));
  return runs;
}

/** A host, and a directory on a file system that does not answer before `use` has ended. */
function withDeadFiles(use: (host: Host, dead: string) => Promise<void>): Promise<void> {
  return withHosts(async (newHost) => {
    const host = newHost();
    const dead = join(host.directory, 'dead');
    mkdirSync(dead);
    const mount = await HangingMount.at(dead);
    try {
      await use(host, dead);
    } finally {
      await mount.release();
    }
    await until(
      () => stuckIn(dead).length === 0,
      () => 'the walks to end',
    );
  });
}

function untilStuck(dead: string): Promise<void> {
  return until(
    () => stuckIn(dead).length >= ATTACKERS,
    () => 'walks that hang',
  );
}

// A host each: most of the time they wait for their jobs, and what one of them blocked would stop the others as well.
describe('FIFOs in the place of', { concurrent: true }, () => {
  test.each([
    ['what a rotation writes', 'mkfifo stdout.log.000000000000000.part', FLOOD],
    ['archives', 'mkfifo stdout.log.000000000131072', FLOOD],
    ['the live log', 'rm stdout.log; mkfifo stdout.log; rm stderr.log; mkfifo stderr.log', ':'],
    [
      'what is read, devices and directories,',
      'rm stdout.log stderr.log; mknod stdout.log c 1 5; mkdir stderr.log; mkdir .shim/exit.1',
      ':',
    ],
    ['records', 'mkfifo exit.1 .shim/exit.1 user.1', ':'],
  ])('%s stop nothing but the job that made them', (_name, plant, print) =>
    withHosts(async (newHost) => {
      const host = newHost();
      startAttackers(host, () => {
        const attack = `(cd "$RUN_DIRECTORY" && { ${plant}; } 2>/dev/null); ${print}; echo planted; sleep 600`;
        const run = makeRun(sh(attack), {
          log: { sizeBytes: 200_000, files: 2 },
          progress: { parser: 'percent' },
        });
        const environment = { RUN_DIRECTORY: host.path(run, '') };
        return { ...run, definition: { ...run.definition, environment } };
      });
      await until(
        () => host.all('run-started').length === ATTACKERS && sleepersOf(host).length >= ATTACKERS,
        () => 'the attackers',
      );
      // Two looks of the watches: what they can block is blocked then.
      const asked = performance.now();
      await until(
        () => performance.now() - asked > 1200,
        () => 'two looks',
      );
      await expectWork(host);
      const begin = performance.now();
      await host.host.close();
      expect(performance.now() - begin).toBeLessThan(8000);
      execFileSync('sh', ['-c', `find "$1" -type p -delete`, 'sh', host.directory]);
    }),
  );
});

describe.skipIf(whyNoHangingMount !== '')(
  `a file system that does not answer${whyNoHangingMount === '' ? '' : ` (skipped: ${whyNoHangingMount})`}`,
  () => {
    test('as working directory stops the jobs in it alone', () =>
      withDeadFiles(async (host, dead) => {
        startAttackers(host, () => makeRun(sh('true'), { workingDirectory: join(dead, 'x') }));
        await until(
          () => host.all('run-started').length === ATTACKERS,
          () => 'their starts',
        );
        await expectWork(host);
      }));

    test.each([
      ['as what the size parser measures', (dead: string) => ({ target: dead, totalBytes: 1000 })],
      ['as what it measures against', (dead: string) => ({ target: '/etc/ssl', source: dead })],
    ])('%s stops neither other jobs nor their own cancel', (_name, measured) =>
      withDeadFiles(async (host, dead) => {
        const progress = { parser: 'size' as const, ...measured(join(dead, 'x')) };
        const runs = startAttackers(host, () => makeRun(sh('sleep 600'), { progress }));
        await untilStuck(dead);
        await expectWork(host);
        await Promise.all(runs.map((run) => killUntilGone(host, run)));
        expect(stuckIn(dead).length).toBeGreaterThanOrEqual(ATTACKERS);
        expect(host.host.problems?.()).toEqual([]);
      }),
    );

    test.each([
      ['dd', (dead: string) => ['dd', `if=${dead}`, 'of=/dev/null', 'status=progress']],
      ['tar', (dead: string) => ['tar', '-cf', '/dev/null', '--checkpoint=1', dead]],
    ] as const)('as what %s reads: its size is asked of another process', (parser, command) =>
      withDeadFiles(async (host, dead) => {
        startAttackers(host, () => makeRun(command(join(dead, 'x')), { progress: { parser } }));
        await untilStuck(dead);
        await expectWork(host);
      }),
    );

    test('is named with its path while it is measured, and given up until it answers', () =>
      withHosts(async (_newHost, directory) => {
        const target = join(directory, 'dead');
        mkdirSync(target);
        const mount = await HangingMount.at(target);
        const launch = () => Promise.resolve({ cwd: '/', env: {} });
        const closing = new AbortController();
        const meter = new SizeMeter(
          { target: join(target, 'x'), totalBytes: 1000 },
          { launch, closing: closing.signal, silentMsMax: 300 },
        );
        try {
          meter.read();
          await until(
            () => meter.problem !== undefined,
            () => 'the problem',
          );
          expect(meter.problem).toMatch(
            /^the size of .*dead\/x cannot be measured: .*not answered/,
          );
          expect(meter.read()).toBeUndefined();
          expect(stuckIn(target)).toHaveLength(1);
        } finally {
          await mount.release();
          closing.abort();
        }
        await meter.settled();
      }));
  },
);

/** The attackers whose files are planted: they sleep. */
function sleepersOf(host: Host): number[] {
  const sleepers = processesWith('sleep\0\u0036\u0030\u0030');
  const own = new Set(processesWith(host.directory));
  return sleepers.filter((pid) => own.has(pid));
}

/** The processes of find that look below a directory; the kernel ends none of them before the file system answers. */
function stuckIn(directory: string): number[] {
  return processesWith(`find\0-H\0${directory}`);
}

test('a thread pool that does not answer is noticed, and that it does again', () => {
  // Its own process: the pool of the tests must go on.
  const directory = execFileSync('mktemp', ['-d'], { encoding: 'utf8' }).trim();
  const script = join(directory, 'stuck.mjs');
  writeFileSync(
    script,
    `import { execFileSync } from 'node:child_process';
     import { open } from 'node:fs/promises';
     import { ThreadPoolWatch } from ${JSON.stringify(new URL('../../src/jobs/lib/thread-pool.ts', import.meta.url).href)};
     const fifo = ${JSON.stringify(join(directory, 'fifo'))};
     execFileSync('mkfifo', [fifo]);
     const watch = new ThreadPoolWatch(() => true, { probeEveryMs: 20, stuckMsMin: 100 });
     const opened = Array.from({ length: 8 }, () => open(fifo, 'r'));
     while (watch.stuckMs() === undefined) await new Promise((resolve) => setTimeout(resolve, 10));
     console.log('stuck');
     execFileSync('sh', ['-c', 'exec 3<>"$1"; sleep 0.2', 'sh', fifo], { stdio: 'ignore' });
     for (const file of await Promise.all(opened)) await file.close();
     while (watch.stuckMs() !== undefined) await new Promise((resolve) => setTimeout(resolve, 10));
     console.log('answers');
     watch.close();`,
  );
  try {
    expect(execFileSync(process.execPath, [script], { encoding: 'utf8', timeout: 100_000 })).toBe(
      'stuck\nanswers\n',
    );
  } finally {
    execFileSync('rm', ['-r', directory]);
  }
});
