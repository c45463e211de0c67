/** What the look for the processes of a run is given: the tree itself is made up here, and remembers what it was made with. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { ProcessIdentity, Run } from '../../../src/core/model/job.ts';
import { runDirectory, writeCgroup, writeJobUser } from '../../../src/jobs/files/run-directory.ts';
import { RunCgroup } from '../../../src/jobs/process/cgroups.ts';
import type { ProcessEntry } from '../../../src/jobs/process/process-table.ts';
import type { ProcessTree } from '../../../src/jobs/process/process-tree.ts';
import { RunTrees } from '../../../src/jobs/supervise/run-trees.ts';
import { unitName } from '../../../src/jobs/supervise/shim-unit.ts';
import { bootId, makeRun, startTicksOf } from '../support.ts';

type Made = ConstructorParameters<typeof ProcessTree>[0];

/** Living processes of each run, by its mark; the group that the kernel shows of every process. */
const host = vi.hoisted(() => ({ members: [] as number[], group: '/none' }));

vi.mock(import('../../../src/jobs/process/process-tree.ts'), async (original) => ({
  ...(await original()),
  ProcessTree: class {
    readonly made: Made;
    constructor(made: Made) {
      this.made = made;
    }
    members(): Promise<readonly number[]> {
      return Promise.resolve(host.members);
    }
    knows({ pid }: ProcessEntry): boolean {
      return host.members.includes(pid);
    }
  } as unknown as typeof ProcessTree,
}));

vi.mock(import('../../../src/jobs/process/cgroups.ts'), async (original) => {
  const whole = await original();
  return { ...whole, cgroupOf: () => new whole.RunCgroup(host.group) };
});

const SOCKET = '/run/a.sock';
const PASSWD = readFileSync('/etc/passwd', 'utf8')
  .split('\n')
  .map((line) => line.split(':'));
let state: string;
let trees: RunTrees;
let run: Run;
let directory: string;

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'run-trees-'));
  const made = state;
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  Object.assign(host, { members: [7, 8], group: '/none' });
  trees = new RunTrees({ stateDirectory: state, socketPath: SOCKET, bootId });
  run = makeRun(['true'], {}, { job: 'copy', number: 1 });
  directory = runDirectory(state, 'copy', 1);
  mkdirSync(join(directory, '.shim'), { recursive: true });
});

const made = (of: Run): Made => (trees.of(of) as unknown as { made: Made }).made;
const identity = (pid: number): ProcessIdentity => ({ pid, bootId, startTicks: '5' });
const self = (): ProcessIdentity => ({
  ...identity(process.pid),
  startTicks: startTicksOf(process.pid),
});
const record = (text: string): void => writeFileSync(join(directory, '.shim/started.1'), text);

describe('the shim', () => {
  test('is the one that this agent knows, then that of the store, then that of the record', () => {
    expect(made(run).shim).toBeUndefined();
    record(`4194301 another-boot 5 ${SOCKET}\n`);
    expect(made(run).shim).toEqual({ pid: 4_194_301, bootId: 'another-boot', startTicks: '5' });
    trees.forget(run);
    const stored = { ...run, process: identity(4_194_302) };
    expect(made(stored).shim).toEqual(stored.process);
    trees.forget(run);
    trees.addShim(run, identity(4_194_303));
    expect(made(stored).shim).toEqual(identity(4_194_303));
    trees.forget(run);
    expect(made(stored).shim).toEqual(stored.process);
  });

  test('that a record names and that lives is one only if it carries the mark of the run', () => {
    record(`${process.pid} ${bootId} ${startTicksOf(process.pid)} ${SOCKET}\n`);
    expect(made(run).shim).toBeUndefined();
  });

  test('of a run that has ended is not known any more', () => {
    trees.addShim(run, identity(9));
    trees.removeShim(run);
    expect(made(run).shim).toBeUndefined();
  });
});

describe('the mark', () => {
  test('has the socket that the run was started with, which may have moved since', () => {
    expect(made(run).mark).toContain(`MIGRATION_AGENT_SOCKET=${SOCKET}`);
    record('4194301 another-boot 5 /run/earlier.sock\n');
    expect(made(run).mark).toContain('MIGRATION_AGENT_SOCKET=/run/earlier.sock');
  });
});

describe('the users', () => {
  const users = (user?: string): readonly number[] => {
    const named =
      user === undefined ? run : makeRun(['true'], { user }, { job: 'copy', number: 1 });
    return made(named).users.filter((uid) => uid !== process.geteuid?.());
  };

  test('are the agent’s own and that of the job', () => {
    expect(made(run).users).toEqual([process.geteuid?.()]);
    expect(users('4711')).toEqual([4711]);
    const [name = '', , uid = ''] = PASSWD.find(([, , id]) => Number(id) > 0) ?? [];
    expect(users(name)).toEqual([Number(uid)].filter((id) => id !== process.geteuid?.()));
    // A directory service may know it: nobody waits for that.
    expect(users('nobody-of-this-name')).toEqual([]);
    expect(users('47-11')).toEqual([]);
  });

  test('that were written down at the start count, whoever has the name now', () => {
    writeJobUser(directory, 1, 4712);
    expect(users('4711')).toEqual([4712]);
    expect(users()).toEqual([4712]);
  });
});

describe('what was found once', () => {
  test('is remembered if the shim is known, until nothing is left', async () => {
    trees.addShim(run, identity(4_194_303));
    const tree = trees.of(run);
    expect(trees.of(run)).toBe(tree);
    expect(await trees.members(run)).toEqual([7, 8]);
    expect(trees.of(run)).toBe(tree);
    host.members = [];
    expect(await trees.members(run)).toEqual([]);
    expect(trees.of(run)).not.toBe(tree);
  });

  test('is not remembered without a shim: a record of it may still come', () => {
    expect(trees.of(run)).not.toBe(trees.of(run));
  });

  test('is forgotten with the run', () => {
    trees.addShim(run, identity(4_194_303));
    const tree = trees.of(run);
    trees.forget(run);
    expect(trees.of({ ...run, process: identity(4_194_303) })).not.toBe(tree);
  });

  test('has the shim in it, which is not one of those that are left', async () => {
    expect(await trees.membersBesideShim(run)).toEqual([7, 8]);
    expect(await trees.membersBesideShim({ ...run, process: identity(7) })).toEqual([8]);
    trees.addShim(run, identity(8));
    expect(await trees.membersBesideShim({ ...run, process: identity(7) })).toEqual([7]);
  });
});

describe('a process of another run', () => {
  const other = makeRun(['true'], {}, { job: 'other', number: 2 });
  const entry = (pid: number, startTicks = '5'): ProcessEntry =>
    ({ pid, startTicks }) as ProcessEntry;

  test('is its shim, with its start time, or one that was found in its tree', () => {
    trees.addShim(other, identity(9));
    trees.addShim(run, identity(10));
    const { isElsewhere } = made(run);
    const elsewhere = (...of: Parameters<typeof entry>): unknown => isElsewhere?.(entry(...of));
    expect(elsewhere(9)).toBe(true);
    expect(elsewhere(9, '6')).toBe(false);
    expect(elsewhere(10)).toBe(false);
    // Its own tree knows this one.
    expect(elsewhere(7)).toBe(false);
    trees.of(other);
    expect(elsewhere(7)).toBe(true);
    expect(elsewhere(11)).toBe(false);
  });
});

describe('the control group', () => {
  const path = (): string | undefined => made(run).cgroup?.path;

  test('is the one that was written down', () => {
    expect(path()).toBeUndefined();
    writeCgroup(directory, 1, bootId, new RunCgroup('/sys/fs/cgroup/x'));
    expect(path()).toBe('/sys/fs/cgroup/x');
  });

  test('is that of a living shim, if an agent died before it wrote it down: the unit has the name of the run', () => {
    const unit = `/sys/fs/cgroup/migration-jobs.slice/${unitName(run, SOCKET)}`;
    host.group = unit;
    run = { ...run, process: identity(4_194_303) };
    expect(path()).toBeUndefined();
    trees.forget(run);
    run = { ...run, process: self() };
    expect(path()).toBe(unit);
    trees.forget(run);
    trees.addShim(run, self());
    run = { ...run, process: identity(4_194_303) };
    expect(path()).toBe(unit);
    trees.forget(run);
    run = { ...run, process: self() };
    host.group = '/sys/fs/cgroup/migration-jobs.slice/of-somebody-else.service';
    expect(path()).toBeUndefined();
  });

  test('goes with the last process, and not before', async () => {
    const group = join(state, 'group');
    mkdirSync(group);
    writeCgroup(directory, 1, bootId, new RunCgroup(group));
    await trees.members(run);
    expect(() => mkdirSync(group)).toThrow('EEXIST');
    host.members = [];
    await trees.members(run);
    mkdirSync(group);
  });
});
