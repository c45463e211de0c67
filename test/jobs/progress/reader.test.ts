/** Progress of real runs: real programs if they are installed, floods, and what is reported of it. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SizeMeter } from '../../../src/jobs/progress/size.ts';
import { measure } from '../../../src/jobs/progress/tree-size.ts';
import { withinTime } from '../../../src/jobs/progress/time-limit.ts';
import { watchLoop } from '../../support/loop-hold.ts';
import { isInstalled, makeRun, sh, until, withHosts } from '../support.ts';
import type { Host } from '../support.ts';

const launch = { cwd: '/', env: {} };
const options = { launch, closing: new AbortController().signal };

function percents(host: Host): (number | undefined)[] {
  return host.all('progress-read').map(({ percent }) => percent);
}

test('a flood does no harm: its newest progress is reported, and the loop is not blocked', () =>
  withHosts(async (newHost) => {
    const host = newHost();
    const flood =
      'for (let i = 0; i < 3e5; i += 1) process.stdout.write(`${i} of 3e5 ${i % 101}%\\n`)';
    const run = makeRun([process.execPath, '-e', `${flood}; console.log('all 77%')`], {
      progress: { parser: 'percent' },
    });
    const hold = watchLoop();
    host.host.start(run);
    await host.event('run-exited');
    const heldMs = hold.stop();
    expect(percents(host).at(-1)).toBe(77);
    expect(heldMs).toBeLessThan(250);
  }));

test('work that had no processor for a while is not given up', () => {
  const memory = new Int32Array(new SharedArrayBuffer(4));
  // It takes no CPU time and longer than the limit.
  expect(withinTime(50, () => Atomics.wait(memory, 0, 0, 75))).toEqual({ result: 'timed-out' });
});

// Each waits for its own run most of the time.
test.skipIf(!isInstalled('rsync'))(
  'rsync (skipped where it is not installed)',
  { concurrent: true },
  () =>
    withHosts(async (newHost, directory) => {
      const [from, to] = [join(directory, 'from'), join(directory, 'to')];
      await mkdir(from);
      await writeFile(join(from, 'a'), Buffer.alloc(1_500_000));
      await writeFile(join(from, 'b'), Buffer.alloc(1_500_000));
      const options = ['-a', '--info=progress2', '--no-inc-recursive', '--bwlimit=1000'];
      const host = newHost();
      const run = makeRun(['rsync', ...options, `${from}/`, `${to}/`], {
        progress: { parser: 'rsync' },
      });
      host.host.start(run);
      expect(await host.event('run-exited')).toMatchObject({ exitCode: 0 });
      expect(percents(host).length).toBeGreaterThan(2);
      expect(percents(host).at(-1)).toBe(100);
      const details = host.all('progress-read').map(({ detail }) => detail!);
      expect(details.join('\n')).toMatch(/MB, [\d.]+ [kM]B\/s, \d:\d\d:\d\d left/);
      expect(details.at(-1)).toMatch(/^3\.0 MB, .*B\/s, 3 of 3 files$/);
    }),
);

test.concurrent('a change is reported once, the last one before the end', () =>
  withHosts(async (newHost, directory) => {
    const host = newHost();
    const read = join(directory, 'read');
    const text = `echo '{"percent":3}'; until [ -e ${read} ]; do sleep 0.05; done; echo '{"percent":3}'; sleep 0.8
      printf '%s\\n' '{"detail":"at hunter2\\u001b[1m\\n now"}'; exit 1`;
    host.host.start(makeRun(sh(text), { progress: { parser: 'json' } }));
    await host.event('progress-read');
    await writeFile(read, '');
    await host.event('run-exited');
    const run = host.all('run-started')[0]!.run;
    expect(host.events.slice(1, 3)).toEqual([
      { type: 'progress-read', run, percent: 3 },
      { type: 'progress-read', run, percent: 3, detail: 'at ***  now' },
    ]);
    expect(host.types().at(-1)).toBe('run-exited');
  }),
);

test.concurrent('a pattern that would search for ever is given up', () =>
  withHosts(async (newHost) => {
    const host = newHost();
    const line = `echo ${'x'.repeat(60)}; sleep 0.6;`;
    const run = makeRun(sh(`${line} ${line} exit 0`), {
      progress: { parser: 'regex', pattern: '(x+)+y(?<percent>1)' },
    });
    host.host.start(run);
    expect(await host.event('run-exited')).toMatchObject({ exitCode: 0 });
    expect(withinTime(20, () => /(x+)+y/.test('x'.repeat(60)))).toBeUndefined();
    expect(withinTime(1000, () => /x+y/.test('xy'))).toEqual({ result: true });
  }),
);

test.concurrent('size: bytes under the target of the bytes under the source', () =>
  withHosts(async (newHost, directory) => {
    const [source, target] = [join(directory, 'source'), join(directory, 'target')];
    await mkdir(join(source, 'deep', 'er'), { recursive: true });
    await writeFile(join(source, 'a'), 'a'.repeat(6000));
    await writeFile(join(source, 'deep', 'er', 'b'), 'b'.repeat(4000));
    const host = newHost();
    const copy = `mkdir -p ${target}/deep; head -c 2900 /dev/zero > ${target}/deep/a; sleep 600`;
    host.host.start(makeRun(sh(copy), { progress: { parser: 'size', source, target } }));
    const is29 = (): boolean => percents(host).includes(29);
    await until(is29, () => `29 % in ${JSON.stringify(host.events)}`);
    expect(host.all('progress-read').at(-1)?.detail).toBe('2.9 kB of 10.0 kB');
  }),
);

test.concurrent('size: against a total, of a file, of what is not there yet', () =>
  withHosts(async (_newHost, directory) => {
    const target = join(directory, 'image');
    const meter = new SizeMeter(
      { target, totalBytes: 4000 },
      { ...options, launch: () => Promise.resolve(launch) },
    );
    expect(meter.read()).toBeUndefined();
    await meter.settled();
    expect(meter.read()).toEqual({ percent: 0, detail: '0 B of 4.0 kB' });
    await writeFile(target, 'x'.repeat(1999));
    expect(await measure(target, options)).toEqual({ bytes: 1999, isWhole: true });
    expect(await measure(join(target, 'below a file'), options)).toMatchObject({
      bytes: 0,
      isWhole: false,
      problem: expect.stringContaining('Not a directory') as string,
    });
  }),
);
