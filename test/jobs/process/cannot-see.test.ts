/** A process that cannot be seen has not ended: the table, trees and control groups fail instead of guessing. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Cgroups, RunCgroup } from '../../../src/jobs/process/cgroups.ts';
import { isAlive, lives, readProcess } from '../../../src/jobs/process/process-table.ts';
import { bootId, makeRun, sh, startTicksOf, until, withHosts } from '../support.ts';
import { whyNoCgroups, withCgroupBase } from './cgroup-tree.ts';

const skipped = whyNoCgroups === '' ? '' : ` (skipped: ${whyNoCgroups})`;

/** Opens files until the process may open no more; the limit is that of this process. */
const SCRIPT = `
  const fs = await import('node:fs');
  const { lives, CannotSee } = await import(process.argv[1]);
  const { ProcessTree } = await import(process.argv[2]);
  const { RunCgroup } = await import(process.argv[3]);
  const [pid, bootId, startTicks] = process.argv.slice(4);
  const shim = { pid: Number(pid), bootId, startTicks };
  const tree = new ProcessTree({ shim, mark: ['NONE=1'], users: [], bootId });
  const group = new RunCgroup('/sys/fs/cgroup/none');
  const files = [];
  try { for (;;) files.push(fs.openSync('/dev/null')); } catch {}
  const seen = [];
  for (const look of [() => lives(shim, bootId), () => tree.members(), () => tree.signal('SIGCONT'), () => group.isEmpty(), () => group.members()]) {
    try { seen.push(String(await look())); } catch (error) { seen.push(error instanceof CannotSee ? 'cannot see' : String(error)); }
  }
  for (const file of files) fs.closeSync(file);
  console.log(JSON.stringify([...seen, lives(shim, bootId), await tree.members()]));`;

const HIDDEN = `
  const { lives, CannotSee } = await import(process.argv[1]);
  const [pid, bootId, startTicks] = process.argv.slice(2);
  for (const one of [Number(pid), 2 ** 22 - 1]) {
    try { console.log(lives({ pid: one, bootId, startTicks }, bootId)); }
    catch (error) { console.log(error instanceof CannotSee ? error.message : String(error)); }
  }`;
const NOBODY = 65_534;
/** A /proc that shows a user nothing of others, as on a hardened host, for the commands that follow. */
const hiding = (command: string): string =>
  `mount -t proc -o hidepid=invisible proc /proc && exec setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups ${command}`;
const whyNoHiding =
  process.getuid?.() !== 0
    ? 'needs root'
    : spawnSync('unshare', ['--mount', 'sh', '-c', hiding(`${process.execPath} -e 0`)]).status === 0
      ? ''
      : 'no /proc can be mounted here';

test.skipIf(whyNoHiding !== '')(
  `a process that /proc hides from this user is not taken for ended${whyNoHiding && ` (skipped: ${whyNoHiding})`}`,
  () => {
    const child = spawn('sleep', ['600'], { stdio: 'ignore', detached: true });
    try {
      const table = new URL('../../../src/jobs/process/process-table.ts', import.meta.url).href;
      const looking = spawnSync(
        'unshare',
        [
          '--mount',
          'sh',
          '-c',
          hiding('"$@"'),
          'sh',
          process.execPath,
          '--input-type=module',
          '-e',
          HIDDEN,
        ].concat([table, String(child.pid), bootId, startTicksOf(child.pid!)]),
        { encoding: 'utf8' },
      );
      const [hidden, none] = looking.stdout.split('\n');
      expect(hidden).toContain(`process ${child.pid} is hidden from this user (hidepid= of /proc)`);
      expect(none).toBe('false');
    } finally {
      child.kill('SIGKILL');
    }
  },
);

test('without descriptors nothing is known of a living process; with them it lives', async () => {
  const child = spawn('sleep', ['600'], { stdio: 'ignore', detached: true });
  try {
    const modules = ['process-table', 'process-tree', 'cgroups'].map(
      (name) => new URL(`../../../src/jobs/process/${name}.ts`, import.meta.url).href,
    );
    const node = ['--input-type=module', '-e', SCRIPT, ...modules];
    const looking = spawn(
      'sh',
      [
        '-c',
        'ulimit -n 64; exec "$@"',
        'sh',
        process.execPath,
        ...node,
        String(child.pid),
        bootId,
        startTicksOf(child.pid!),
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let printed = '';
    looking.stdout.on('data', (data: Buffer) => (printed += data.toString()));
    await once(looking, 'close');
    expect(JSON.parse(printed)).toEqual([
      ...Array<string>(5).fill('cannot see'),
      true,
      [child.pid],
    ]);
  } finally {
    child.kill('SIGKILL');
  }
});

describe('a process', () => {
  test('whose first thread has ended lives on in the others', async () => {
    const script = `use strict; use Config; exit 77 unless $Config{useithreads};
      require threads; threads->create(sub { sleep 600 });
      syscall(${process.arch === 'arm64' ? 93 : 60}, 0);`;
    const child = spawn('perl', ['-e', script], { stdio: 'ignore' });
    await once(child, 'spawn');
    try {
      await until(
        () => child.exitCode !== null || readProcess(child.pid!)?.state === 'Z',
        () => 'the first thread to end',
      );
      if (child.exitCode === 77) return;
      const entry = readProcess(child.pid!)!;
      expect(entry).toMatchObject({ state: 'Z', threads: 2 });
      expect(isAlive(entry)).toBe(true);
      expect(lives({ pid: entry.pid, bootId, startTicks: entry.startTicks }, bootId)).toBe(true);
    } finally {
      child.kill('SIGKILL');
    }
  });
});

describe.skipIf(whyNoCgroups !== '')(`control groups${skipped}`, () => {
  test('a process in a group below keeps it from being empty', () =>
    withCgroupBase(async (base) => {
      const group = new RunCgroup(join(base, 'run-x'));
      mkdirSync(join(group.path, 'below'), { recursive: true });
      expect(group.isEmpty()).toBe(true);
      const child = spawn('sleep', ['600'], { stdio: 'ignore' });
      await once(child, 'spawn');
      expect(new RunCgroup(join(group.path, 'below')).place(child.pid!)).toBe(true);
      expect(group.members()).toEqual([child.pid]);
      expect(group.isEmpty()).toBe(false);
      expect(group.remove()).toBe(false);
      child.kill('SIGKILL');
      await once(child, 'exit');
      await until(
        () => group.remove(),
        () => 'the group to go',
      );
      expect(group.isEmpty()).toBe(true);
    }));

  test('an agent removes its own empty groups and no others', () =>
    withCgroupBase((base) => {
      const [one, other] = [
        new Cgroups(base, '/run/one.sock'),
        new Cgroups(base, '/run/other.sock'),
      ];
      const run = makeRun(sh('true'), {}, { number: 1 });
      one.create(run);
      other.create(run);
      expect(readdirSync(base).filter((name) => name.startsWith('run-'))).toHaveLength(2);
      one.removeEmpty();
      expect(readdirSync(base).filter((name) => name.startsWith('run-'))).toEqual([
        other.nameOf(run),
      ]);
      other.removeEmpty();
      return Promise.resolve();
    }));
});

test('a run whose process cannot be seen for a while is neither lost nor orphaned', () =>
  withHosts(async (newHost) => {
    const host = newHost();
    const run = makeRun(sh('sleep 600'));
    host.host.start(run);
    run.process = (await host.event('run-started')).process;
    const next = newHost();
    next.host.adopt(run);
    await next.event('run-started');
    const limit = Number(/open files\s+(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]);
    const files: number[] = [];
    if (limit <= 100_000) {
      try {
        for (;;) files.push(openSync('/dev/null', 'r'));
      } catch {
        // No more descriptors.
      }
    }
    const since = performance.now();
    await until(
      () => performance.now() - since > 1500,
      () => 'three looks',
    );
    for (const file of files) closeSync(file);
    expect(next.types()).toEqual(['run-started']);
  }));
