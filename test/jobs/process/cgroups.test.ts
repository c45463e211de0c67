/**
 * Runs in control groups of their own, in a cgroup v2 tree of this test: as root, where one is mounted. Under a real
 * systemd, with Delegate=yes, test/systemd looks at the same.
 */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Cgroups, ownCgroup, RunCgroup } from '../../../src/jobs/process/cgroups.ts';
import { cgroupRoot, whyNoCgroups, withCgroupBase } from './cgroup-tree.ts';
import {
  fixtures,
  kill,
  killUntilGone,
  makeRun,
  processesWith,
  sh,
  until,
  withHosts,
} from '../support.ts';

const skipped = whyNoCgroups === '' ? '' : ` (skipped: ${whyNoCgroups})`;

describe.skipIf(whyNoCgroups !== '')(`a run in a control group of its own${skipped}`, () => {
  test('has everything in it that it starts, and leaves no group behind', () =>
    withCgroupBase((base) =>
      withHosts(async (newHost, directory) => {
        const host = newHost(undefined, base);
        const go = join(directory, 'go');
        const shown = 'setsid sh -c "exec cat /proc/self/cgroup" & wait; cat';
        const run = makeRun(sh(`${shown}; until [ -e ${go} ]; do sleep 0.05; done`));
        host.host.start(run);
        await host.event('run-started');
        const [group] = readdirSync(base).filter((name) => name.startsWith('run-'));
        expect(group).toMatch(/^run-[0-9a-f]{8}-copy_files-\d+\.1$/);
        writeFileSync(go, '');
        await host.event('run-exited');
        expect(await host.read(run, 'stdout.log')).toMatch(
          new RegExp(`^0::.*/${basename(base)}/${group!}$`, 'm'),
        );
        await until(
          () => !readdirSync(base).some((name) => name.startsWith('run-')),
          () => 'the group to go',
        );
      }),
    ));

  test('is prepared by a move of the agent to where it is, one at a time, which leaves nothing open', () =>
    withCgroupBase(async (base) => {
      const cgroups = new Cgroups(base, '/socket');
      const place = readFileSync('/proc/self/cgroup', 'utf8');
      const open = (): string[] =>
        readdirSync('/proc/self/fd').flatMap((file) => {
          const path = linkOf(`/proc/self/fd/${file}`);
          return path?.endsWith('/cgroup.procs') === true ? [path] : [];
        });
      for (let asked = 0; asked < 3; asked++) cgroups.prepare();
      expect(open()).toHaveLength(1);
      await until(
        () => open().length === 0,
        () => 'the file to be closed',
      );
      expect(readFileSync('/proc/self/cgroup', 'utf8')).toBe(place);
    }));

  test('is gone also where a process of the job ends a little later than the job', () =>
    withCgroupBase((base) =>
      withHosts(async (newHost) => {
        const host = newHost(undefined, base);
        const file = join(host.directory, 'go');
        const late = `until [ -e ${file} ]; do sleep 0.02; done`;
        const run = makeRun(sh(`(${late}) & echo up`));
        host.host.start(run);
        await host.event('run-exited');
        const groups = () => readdirSync(base).filter((name) => name.startsWith('run-'));
        expect(groups()).toHaveLength(1);
        writeFileSync(file, '');
        await until(
          () => groups().length === 0,
          () => 'the group to go',
        );
      }),
    ));

  test('is emptied by the kernel: also who is in no group, no session, and has no name', () =>
    withCgroupBase((base) =>
      withHosts(async (newHost) => {
        const host = newHost(undefined, base);
        const run = makeRun(['/bin/sh', join(fixtures, 'stubborn-tree.sh'), host.directory]);
        host.host.start(run);
        run.process = (await host.event('run-started')).process;
        await until(
          async () => (await host.read(run, 'stdout.log')) === 'ready\n',
          () => 'the tree',
        );
        await killUntilGone(host, run);
        expect(processesWith(host.directory)).toEqual([]);
        // On a busy machine the shim may be killed before it has recorded the end: then it is unknown.
        await until(
          () => host.types().some((type) => type === 'run-exited' || type === 'run-lost'),
          () => `the end in ${JSON.stringify(host.events)}`,
        );
        expect(readdirSync(base).filter((name) => name.startsWith('run-'))).toEqual([]);
      }),
    ));

  test('is emptied of who hops from session to session, without a pause and without a mark', () =>
    withCgroupBase((base) =>
      withHosts(async (newHost) => {
        const host = newHost(undefined, base);
        const hop = `/bin/sh ${join(fixtures, 'nameless-hopping.sh')} ${host.directory} &`;
        const run = makeRun(sh(`${hop.repeat(4)} exec sleep 600`));
        host.host.start(run);
        run.process = (await host.event('run-started')).process;
        await killUntilGone(host, run);
        expect(processesWith(host.directory)).toEqual([]);
      }),
    ));

  test('is ended at one stroke, with the groups below it', () =>
    withCgroupBase((base) =>
      withHosts(async (newHost) => {
        const host = newHost(undefined, base);
        const run = makeRun(['/bin/sh', join(fixtures, 'stubborn-tree.sh'), host.directory]);
        host.host.start(run);
        await until(
          async () => (await host.read(run, 'stdout.log').catch(() => '')) === 'ready\n',
          () => 'the tree',
        );
        const [name = ''] = readdirSync(base).filter((entry) => entry.startsWith('run-'));
        const group = new RunCgroup(join(base, name));
        mkdirSync(join(group.path, 'below'));
        new RunCgroup(join(group.path, 'below')).place(group.members().at(-1)!);
        expect(group.members().length).toBeGreaterThan(7);
        expect(group.kill()).toBe(true);
        await until(
          () => group.members().length === 0,
          () => 'the group to be empty',
        );
        expect(processesWith(host.directory)).toEqual([]);
        group.remove();
        expect(existsSync(group.path)).toBe(false);
      }),
    ));

  test('is found by the next agent, though its shim is gone and nobody carries its mark', () =>
    withCgroupBase((base) =>
      withHosts(async (newHost) => {
        const first = newHost(undefined, base);
        const run = makeRun(
          sh(
            `(env -i setsid /bin/sh -c "while :; do sleep 1; done" ${first.directory} &); echo on; exec sleep 600`,
          ),
        );
        first.host.start(run);
        run.process = (await first.event('run-started')).process;
        await until(
          async () => (await first.read(run, 'stdout.log')) === 'on\n',
          () => 'the run',
        );
        await first.host.close();
        kill(run.process.pid);
        const second = newHost(undefined, base);
        second.host.adopt(run);
        expect((await second.event('run-orphaned')).pids.length).toBeGreaterThan(1);
        await killUntilGone(second, run);
        expect(processesWith(second.directory)).toEqual([]);
      }),
    ));

  test('is in it also as another user, who cannot leave it', () =>
    withCgroupBase((base) =>
      withHosts(async (newHost) => {
        const host = newHost(undefined, base);
        const leave = `echo $$ > ${base}/cgroup.procs || cat /proc/self/cgroup`;
        const run = makeRun(sh(leave), { user: 'nobody' });
        host.host.start(run);
        await host.event('run-exited');
        expect(await host.read(run, 'stdout.log')).toMatch(/^0::.*\/run-[0-9a-f]{8}-/m);
      }),
    ));

  test('has it taken away by the next agent where nobody watched its end', () =>
    withCgroupBase((base) =>
      withHosts(async (newHost, directory) => {
        const first = newHost(undefined, base);
        const run = makeRun(sh(`until [ -e ${directory}/end ]; do sleep 0.02; done`));
        first.host.start(run);
        await first.event('run-started');
        await first.host.close();
        const [group = ''] = readdirSync(base).filter((name) => name.startsWith('run-'));
        mkdirSync(join(base, 'of-somebody-else'));
        execFileSync('touch', [join(directory, 'end')]);
        await until(
          () => new RunCgroup(join(base, group)).members().length === 0,
          () => 'the end',
        );
        newHost(undefined, base);
        expect(readdirSync(base).filter((name) => /^(run|of)-/.test(name))).toEqual([
          'of-somebody-else',
        ]);
        rmdirSync(join(base, 'of-somebody-else'));
      }),
    ));

  test('whose place cannot be written down is not started, and nobody waits for it', () =>
    withCgroupBase((base) =>
      withHosts(async (newHost) => {
        const host = newHost(undefined, base);
        const run = makeRun(sh('exit 3'));
        // As on a full disk.
        mkdirSync(host.path(run, 'cgroup.1'), { recursive: true });
        host.host.start(run);
        expect((await host.event('run-start-failed')).reason).toContain('cannot be started');
        await until(
          () => processesWith(host.directory).length === 0,
          () => 'its shim to end',
        );
        expect(host.has(run, '.shim/start-lock.1')).toBe(false);
      }),
    ));

  test('starts without one where the kernel refuses it', () =>
    withHosts(async (newHost) => {
      const host = newHost(undefined, join(cgroupRoot, 'cgroup.procs', 'no-such-place'));
      const run = makeRun(sh('exit 3'));
      host.host.start(run);
      expect(await host.event('run-exited')).toMatchObject({ exitCode: 3 });
      expect(existsSync(host.path(run, 'cgroup.1'))).toBe(false);
    }));
});

describe('the place of a process in the tree', () => {
  const line = (root: string, point: string, type = 'cgroup2'): string =>
    `36 25 0:30 ${root} ${point} rw,nosuid - ${type} ${type} rw,nsdelegate\n`;

  test.each([
    [
      'of its own tree',
      '0::/system.slice/a.service\n',
      line('/', '/sys/fs/cgroup'),
      '/sys/fs/cgroup/system.slice/a.service',
    ],
    [
      'beside v1',
      '4:memory:/x\n0::/a\n',
      line('/', '/sys/fs/cgroup/memory', 'cgroup') + line('/', '/sys/fs/cgroup/unified'),
      '/sys/fs/cgroup/unified/a',
    ],
    ['at the root', '0::/\n', line('/', '/sys/fs/cgroup'), '/sys/fs/cgroup'],
    [
      'where a part of the tree is mounted',
      '0::/docker/1/b\n',
      line('/docker/1', '/sys/fs/cgroup'),
      '/sys/fs/cgroup/b',
    ],
    [
      'where just this is mounted',
      '0::/docker/1\n',
      line('/docker/1', '/sys/fs/cgroup'),
      '/sys/fs/cgroup',
    ],
    ['with a blank in its way', '0::/a\n', line('/', '/mnt/c\\040g'), '/mnt/c g/a'],
    ['out of sight', '0::/../x\n', line('/', '/sys/fs/cgroup'), undefined],
    ['of another mount', '0::/docker/11\n', line('/docker/1', '/sys/fs/cgroup'), undefined],
    ['with v1 alone', '4:memory:/x\n', line('/', '/sys/fs/cgroup/memory', 'cgroup'), undefined],
  ])('%s', (_name, cgroup, mountinfo, place) => {
    expect(ownCgroup(cgroup, mountinfo)).toBe(place);
  });
});

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
