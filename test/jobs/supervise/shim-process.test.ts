/** How a shim is started as a child: in which order, with what, and why it is not. The child is played here. */
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { readCgroup } from '../../../src/jobs/files/run-directory.ts';
import { Cgroups, RunCgroup } from '../../../src/jobs/process/cgroups.ts';
import { StartRefused } from '../../../src/jobs/supervise/launch.ts';
import { startShimProcess } from '../../../src/jobs/supervise/shim-process.ts';
import { eventually } from '../../support/until.ts';
import { bootId, makeRun, startTicksOf } from '../support.ts';

class FakeChild extends EventEmitter {
  pid: number | undefined = process.pid;
  readonly stdio = [null, null, null, new PassThrough()];
  isHeld = true;
  unref(): void {
    this.isHeld = false;
  }
}

interface Spawned {
  readonly program: string;
  readonly args: readonly string[];
  readonly options: SpawnOptions;
}
let child: FakeChild;
let failure: Error | undefined;
let spawned: Spawned | undefined;

vi.mock(import('node:child_process'), async (original) => ({
  ...(await original()),
  spawn: ((program: string, args: readonly string[], options: SpawnOptions) => {
    spawned = { program, args, options };
    setImmediate(() =>
      failure === undefined ? child.emit('spawn') : child.emit('error', failure),
    );
    return child as unknown as ChildProcess;
  }) as never,
}));

let state: string;
let directory: string;

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'shim-process-'));
  const made = state;
  onTestFinished(() => rmSync(made, { recursive: true }));
  directory = join(state, 'run');
  mkdirSync(join(directory, '.shim'), { recursive: true });
  child = new FakeChild();
  failure = undefined;
  spawned = undefined;
});

const run = makeRun(['tool', 'an argument'], {}, { job: 'copy', number: 1, spawn: 3 });
function start(cgroups?: Cgroups): ReturnType<typeof startShimProcess> {
  return startShimProcess(
    {
      ...{ run, directory, bootId, launch: { cwd: '/', env: { A: '1' } } },
      logs: { stdout: join(directory, 'stdout.log'), stderr: join(directory, 'stderr.log') },
    },
    cgroups,
  );
}

class Groups extends Cgroups {
  readonly group: string | undefined;
  readonly takes: boolean;
  asked: string[] = [];
  constructor(group: string | undefined, takes = true) {
    super('/nowhere', '/run/a.sock');
    this.group = group;
    this.takes = takes;
  }
  override create(): RunCgroup | undefined {
    this.asked.push('create');
    if (this.group === undefined) return undefined;
    const cgroup = new RunCgroup(this.group);
    vi.spyOn(cgroup, 'place').mockImplementation((pid) => {
      this.asked.push(`place ${pid}`);
      return this.takes;
    });
    return cgroup;
  }
  override prepare(): void {
    this.asked.push('prepare');
  }
}

/** What the shim waits for before it begins. */
const isReleased = (): boolean => String(child.stdio[3]?.read()) === '\n';

test('the process is known by its start time, has a session of its own, and nothing holds the agent', async () => {
  const { process: shim, ended } = await start();
  expect(shim).toEqual({ pid: process.pid, bootId, startTicks: startTicksOf(process.pid) });
  expect(child.isHeld).toBe(false);
  expect(isReleased()).toBe(true);
  expect(spawned?.options).toMatchObject({ cwd: join(directory, '.shim'), detached: true });
  expect(spawned?.options.stdio).toEqual([
    'ignore',
    expect.any(Number),
    expect.any(Number),
    'pipe',
  ]);
  const args = spawned?.args ?? [];
  expect(args.slice(args.indexOf('-c') + 2)).toEqual(
    expect.arrayContaining(['migration-agent', '3', 'tool', 'an argument']),
  );
  expect(existsSync(join(directory, 'stderr.log'))).toBe(true);
  child.emit('exit', 7, null);
  expect(await ended).toBe(7);
});

test('that it was killed is known by the signal', async () => {
  const { ended } = await start();
  child.emit('exit', null, 'SIGKILL');
  expect(await ended).toBe('SIGKILL');
});

describe('a control group', () => {
  test('is written down before anything runs in it', async () => {
    const groups = new Groups('/sys/fs/cgroup/x');
    let isWrittenFirst = false;
    child.stdio[3]?.once(
      'data',
      () => (isWrittenFirst = readCgroup(directory, 3, bootId) !== undefined),
    );
    await start(groups);
    expect(groups.asked).toEqual(['create', 'prepare', `place ${process.pid}`]);
    expect(readCgroup(directory, 3, bootId)?.path).toBe('/sys/fs/cgroup/x');
    await eventually(() => expect(isWrittenFirst).toBe(true));
    // No orphan leaves it: nobody has to adopt them.
    expect(spawned?.program).toBe('/bin/sh');
  });

  test('that does not take the process is not written down, and the shim begins all the same', async () => {
    await start(new Groups('/sys/fs/cgroup/x', false));
    expect(readCgroup(directory, 3, bootId)).toBeUndefined();
    expect(isReleased()).toBe(true);
  });

  test('that cannot be written down keeps the shim from beginning', async () => {
    writeFileSync(join(directory, 'cgroup.3'), 'of an earlier agent');
    await expect(start(new Groups('/sys/fs/cgroup/x'))).rejects.toThrow(StartRefused);
    expect(child.stdio[3]?.destroyed).toBe(true);
    expect(readFileSync(join(directory, 'cgroup.3'), 'utf8')).toBe('of an earlier agent');
  });

  test.skipIf(!existsSync('/usr/bin/perl'))(
    'that the kernel refuses: the shim adopts orphans instead (skipped without perl)',
    async () => {
      await start(new Groups(undefined));
      expect(spawned?.program).toBe('/usr/bin/perl');
      expect(spawned?.args).toContain('/bin/sh');
    },
  );
});

describe('a start that cannot be made', () => {
  test.each<[string, RegExp]>([
    ['ENOENT', /^there is no \/bin\/sh on this host$/],
    ['E2BIG', /^the command and its environment are too long for the kernel$/],
    ['EAGAIN', /^the host has no room for another process \(.*EAGAIN/],
    ['ENOMEM', /^the host has no room for another process \(.*ENOMEM/],
    ['EPERM', /^the command cannot be started: .*EPERM/],
  ])('because of %s says so', async (code, message) => {
    failure = Object.assign(new Error(`spawn /bin/sh ${code}`), { code });
    child.pid = undefined;
    const refused = await start().catch((error: unknown) => error as Error);
    expect(refused).toBeInstanceOf(StartRefused);
    expect((refused as Error).message).toMatch(message);
  });

  test('because the process cannot be seen says so, and the shim does not begin', async () => {
    child.pid = 4_194_303;
    await expect(start()).rejects.toThrow('/proc does not show the started process');
    expect(child.stdio[3]?.destroyed).toBe(true);
  });
});
