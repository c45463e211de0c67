/**
 * Which processes belong to a run, by each kind of evidence alone, and who is signalled: on a host whose processes this test
 * makes up, since real ones have all the evidence at once. Real processes are in process-tree.test.ts.
 */
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { RunCgroup } from '../../../src/jobs/process/cgroups.ts';
import type { ProcessEntry } from '../../../src/jobs/process/process-table.ts';
import { MayBeAlive, ProcessTree } from '../../../src/jobs/process/process-tree.ts';
import type { TreeEvidence } from '../../../src/jobs/process/process-tree.ts';

interface Made extends ProcessEntry {
  readonly user: number;
  readonly isMarked: boolean;
  /** A thread of it may hold the lock of its memory. */
  readonly isLocked: boolean;
  /** What a long look at a locked one shows. */
  readonly shows: boolean | undefined;
}

/** In the order in which /proc is read. */
const host = vi.hoisted(() => ({
  processes: new Map<number, unknown>(),
  looks: 0,
  longLooks: [] as number[],
  onLook: (): void => undefined,
}));

vi.mock(import('../../../src/jobs/process/process-table.ts'), async (original) => {
  const of = (pid: number): Made | undefined => host.processes.get(pid) as Made | undefined;
  return {
    ...(await original()),
    readProcess: of,
    readProcesses: (visit) => {
      host.looks += 1;
      host.onLook();
      const all = [...host.processes.values()] as Made[];
      all.forEach((one) => visit(one));
      return Promise.resolve(all);
    },
    userOf: (pid) => of(pid)?.user,
    hasEnvironment: (pid) => of(pid)?.isMarked === true,
  };
});
vi.mock(import('../../../src/jobs/process/locked-memory.ts'), () => ({
  mayBeLocked: (entry) => (entry as Made).isLocked,
  readsMarked: (pid: number) => {
    host.longLooks.push(pid);
    return Promise.resolve((host.processes.get(pid) as Made | undefined)?.shows);
  },
}));

const AGENT = 1000;
const bootId = 'this-boot';
const SHIM = { pid: 100, bootId, startTicks: '500' };
let kill: { mock: { calls: unknown[][] }; mockRestore: () => void };
/** Refuses a signal, as the kernel does. */
let refused: Set<number>;

beforeEach(() => {
  host.processes.clear();
  Object.assign(host, { looks: 0, longLooks: [], onLook: () => undefined });
  refused = new Set();
  kill = vi.spyOn(process, 'kill').mockImplementation((pid) => {
    if (refused.has(pid)) throw Object.assign(new Error('EPERM'), { code: 'EPERM' });
    return true;
  });
});
afterEach(() => {
  kill.mockRestore();
  vi.useRealTimers();
});

/** A process of the agent's user with no evidence at all, younger than the shim. */
function make(pid: number, over: Partial<Made> = {}): Made {
  const made: Made = {
    ...{ pid, parent: 1, group: pid, session: pid, state: 'S', threads: 1, startTicks: '600' },
    ...{ user: AGENT, isMarked: false, isLocked: false, shows: false },
    ...over,
  };
  host.processes.set(pid, made);
  return made;
}

function makeShim(over: Partial<Made> = {}): Made {
  return make(SHIM.pid, { startTicks: SHIM.startTicks, ...over });
}

function treeWith(over: Partial<TreeEvidence> = {}): ProcessTree {
  return new ProcessTree({ shim: SHIM, mark: ['A=1'], users: [AGENT], bootId, ...over });
}

function signals(): unknown[][] {
  return kill.mock.calls.map(([pid, signal]) => [pid, signal]);
}

class Group extends RunCgroup {
  pids: number[];
  isKnownEmpty = false;
  kills = 0;
  constructor(...pids: number[]) {
    super('/nowhere');
    this.pids = pids;
  }
  override members(): number[] {
    return this.pids;
  }
  override isEmpty(): boolean {
    return this.isKnownEmpty;
  }
  override kill(): boolean {
    this.kills += 1;
    return true;
  }
}

describe('a process is of the run', () => {
  test.each<[string, Partial<Made>]>([
    ['its group is that of the shim', { group: 100 }],
    ['its session is that of the shim', { session: 100 }],
    ['its parent is the shim', { parent: 100 }],
    ['it has the mark', { isMarked: true }],
    ['it has the mark and is as old as the shim', { isMarked: true, startTicks: '500' }],
    ['a long look shows the mark', { isLocked: true, shows: true }],
  ])('if %s', async (_why, evidence) => {
    makeShim();
    make(101, evidence);
    make(102);
    const tree = treeWith();
    expect(await tree.members()).toEqual([100, 101]);
    expect(host.processes.size).toBe(3);
  });

  test.each<[string, Partial<Made>]>([
    ['has no evidence', {}],
    ['has the mark and is of a user who runs no such job', { isMarked: true, user: 1001 }],
    ['has the mark and is older than the shim', { isMarked: true, startTicks: '499' }],
    ['is locked, of another user, and has the mark', { isLocked: true, shows: true, user: 1001 }],
    ['shows no mark when it is looked at for long', { isLocked: true, shows: false }],
    ['has ended and waits for its parent', { group: 100, state: 'Z' }],
    ['has ended', { group: 100, state: 'X', threads: 2 }],
  ])('not if it %s', async (_why, evidence) => {
    makeShim();
    make(101, evidence);
    expect(await treeWith().members()).toEqual([100]);
  });

  test('if its first thread alone has ended', async () => {
    makeShim();
    make(101, { group: 100, state: 'Z', threads: 2 });
    expect(await treeWith().members()).toEqual([100, 101]);
  });

  test('if it descends from one that is, however found, at any depth; lowest pid first', async () => {
    makeShim();
    make(140, { isMarked: true });
    make(130, { parent: 140 });
    make(120, { parent: 130 });
    make(160, { isLocked: true, shows: true });
    make(150, { parent: 160 });
    make(170, { parent: 1 });
    expect(await treeWith().members()).toEqual([100, 120, 130, 140, 150, 160]);
  });

  test('without a shim by the mark alone, of whatever age', async () => {
    make(101, { isMarked: true, startTicks: '1' });
    make(102, { group: 100 });
    expect(await new ProcessTree({ mark: ['A=1'], users: [AGENT], bootId }).members()).toEqual([
      101,
    ]);
  });

  test('the agent itself never is', async () => {
    makeShim();
    make(process.pid, { group: 100, isMarked: true });
    make(101, { parent: process.pid });
    expect(await treeWith().members()).not.toContain(process.pid);
  });

  test('nothing outlives its boot, and then nothing is looked at', async () => {
    makeShim();
    expect(await treeWith({ bootId: 'another' }).members()).toEqual([]);
    expect(host.looks).toBe(0);
  });
});

describe('the group of a process that has ended', () => {
  test('is still of the run: no process gets its number while the group has members', async () => {
    makeShim();
    make(110, { isMarked: true });
    const tree = treeWith();
    await tree.members();
    host.processes.clear();
    // Later children of one that led a group or a session, without any other evidence.
    make(111, { group: 110, session: 1 });
    make(112, { group: 1, session: 110 });
    make(113, { group: 100, session: 1 });
    expect(await tree.members()).toEqual([111, 112, 113]);
  });

  test('is not if another process has the number, or if it never led one', async () => {
    makeShim();
    make(110, { isMarked: true });
    make(120, { isMarked: true, group: 100, session: 100 });
    const tree = treeWith();
    await tree.members();
    host.processes.clear();
    make(110, { startTicks: '900' });
    make(111, { group: 110, session: 110 });
    make(121, { group: 120, session: 120 });
    expect(await tree.members()).toEqual([]);
  });

  test('one that led only its group, or only its session, led one', async () => {
    makeShim();
    make(110, { isMarked: true, session: 1 });
    make(120, { isMarked: true, group: 1 });
    const tree = treeWith();
    await tree.members();
    host.processes.clear();
    make(111, { group: 110, session: 1 });
    make(121, { group: 1, session: 120 });
    expect(await tree.members()).toEqual([111, 121]);
  });

  test('a process that was found once is known, with its start time alone', async () => {
    makeShim();
    const found = make(110, { isMarked: true });
    const tree = treeWith();
    expect(tree.knows(found)).toBe(false);
    await tree.members();
    expect(tree.knows(found)).toBe(true);
    expect(tree.knows({ ...found, startTicks: '601' })).toBe(false);
    // It has cleared its environment since.
    host.processes.clear();
    make(110, {});
    expect(await tree.members()).toEqual([110]);
  });
});

describe('with a control group', () => {
  test('its members are of the run, and so are their children', async () => {
    make(101, { user: 1001, startTicks: '1' });
    make(102, { parent: 101, user: 1001 });
    const cgroup = new Group(101, 199);
    expect(await treeWith({ cgroup }).members()).toEqual([101, 102]);
  });

  test('one that is empty proves that nothing is left, without a look', async () => {
    makeShim();
    const cgroup = new Group();
    cgroup.isKnownEmpty = true;
    expect(await treeWith({ cgroup }).members()).toEqual([]);
    expect(host.looks).toBe(0);
  });
});

describe('a process that does not show its environment', () => {
  const hidden = { isLocked: true, shows: undefined };

  test('may be of the run: without any other the run is not empty, and says who it may be', async () => {
    make(121, hidden);
    make(111, hidden);
    const error = await treeWith()
      .members()
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(MayBeAlive);
    expect((error as MayBeAlive).pids).toEqual([111, 121]);
    expect((error as MayBeAlive).message).toContain('process 111, 121 does not show');
  });

  test('is no matter while others are alive, or where the kernel names the members', async () => {
    make(111, hidden);
    expect(await treeWith({ cgroup: new Group() }).members()).toEqual([]);
    makeShim();
    expect(await treeWith().members()).toEqual([100]);
  });

  test('is not looked at again for two seconds, and may be of the run all that time', async () => {
    let nowMs = 10_000;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
    onTestFinished(() => clock.mockRestore());
    make(111, hidden);
    const tree = treeWith();
    const look = (): Promise<unknown> => tree.members().catch(() => 'may be alive');
    expect(await look()).toBe('may be alive');
    nowMs += 2000;
    expect(await look()).toBe('may be alive');
    expect(host.longLooks).toEqual([111]);
    nowMs += 1;
    make(111, { isLocked: true, shows: true });
    expect(await look()).toEqual([111]);
    expect(host.longLooks).toEqual([111, 111]);
  });

  test('one that shows that it is not of the run is looked at each time: its number may change hands', async () => {
    make(111, { isLocked: true, shows: false });
    const tree = treeWith();
    expect([await tree.members(), await tree.members()]).toEqual([[], []]);
    expect(host.longLooks).toEqual([111, 111]);
  });

  test('sixteen are looked at in one look, the others in the next', async () => {
    for (let pid = 201; pid <= 217; pid++) make(pid, hidden);
    const tree = treeWith();
    const error = await tree.members().catch((caught: unknown) => caught);
    expect((error as MayBeAlive).pids).toHaveLength(17);
    expect(host.longLooks).toHaveLength(16);
    await tree.members().catch(() => undefined);
    expect(new Set(host.longLooks).size).toBe(17);
    expect(host.longLooks).toHaveLength(17);
  });

  test('one of another run, or of the kernel, is none: neither is what descends from it', async () => {
    make(2, { parent: 0, user: 0 });
    make(51, { ...hidden, parent: 2 });
    make(300, {});
    make(301, { parent: 300 });
    make(302, { ...hidden, parent: 301 });
    const tree = treeWith({ isElsewhere: ({ pid }) => pid === 300 });
    expect(await tree.members()).toEqual([]);
    expect(host.longLooks).toEqual([]);
    // A circle of parents, as two looks can show one while pids are given away.
    make(401, { ...hidden, parent: 402 });
    make(402, { parent: 401 });
    await expect(tree.members()).rejects.toThrow(MayBeAlive);
  });
});

describe('a signal that can be caught', () => {
  test('goes to the group of the shim at one stroke, to each other by itself, and to nobody else', async () => {
    makeShim({ group: 100 });
    make(101, { group: 100 });
    make(110, { isMarked: true });
    make(120);
    expect(await treeWith().signal('SIGTERM')).toBe(3);
    expect(signals()).toEqual([
      [-100, 'SIGTERM'],
      [110, 'SIGTERM'],
    ]);
  });

  test('reaches those in the control group before others are looked for, and nobody twice', async () => {
    makeShim();
    make(101, { group: 100 });
    make(110, { user: 1001 });
    make(111, { user: 1001, state: 'Z' });
    make(120, { isMarked: true });
    let beforeTheLook: unknown[][] = [];
    host.onLook = () => (beforeTheLook = signals());
    const cgroup = new Group(100, 101, 110, 111);
    expect(await treeWith({ cgroup }).signal('SIGTERM')).toBe(4);
    expect(beforeTheLook).toEqual([
      [-100, 'SIGTERM'],
      [110, 'SIGTERM'],
    ]);
    expect(signals()).toEqual([...beforeTheLook, [120, 'SIGTERM']]);
  });

  test('never goes to the agent, though it is in the group', async () => {
    makeShim();
    make(process.pid);
    make(110, { user: 1001 });
    const cgroup = new Group(100, process.pid, 110);
    expect(await treeWith({ cgroup }).signal('SIGTERM')).toBe(2);
    expect(signals().flat()).not.toContain(process.pid);
    expect(await treeWith({ cgroup }).members()).toEqual([100, 110]);
  });

  test('goes on in a stopped process', async () => {
    makeShim();
    make(101, { group: 100, state: 'T' });
    make(110, { isMarked: true, state: 'T' });
    await treeWith().signal('SIGINT');
    expect(signals()).toEqual([
      [-100, 'SIGINT'],
      [110, 'SIGINT'],
      [110, 'SIGCONT'],
      [101, 'SIGCONT'],
    ]);
  });

  test('goes to each by itself if the shim has ended, or the group refuses', async () => {
    make(101, { group: 100 });
    expect(await treeWith().signal('SIGTERM')).toBe(1);
    makeShim();
    refused.add(-100);
    refused.add(101);
    expect(await treeWith().signal('SIGTERM')).toBe(1);
    expect(signals()).toEqual([
      [101, 'SIGTERM'],
      [-100, 'SIGTERM'],
      [100, 'SIGTERM'],
      [101, 'SIGTERM'],
    ]);
  });

  test('is not given to a process that ended after the look, nor is its group', async () => {
    makeShim();
    make(101, { group: 100 });
    make(110, { isMarked: true });
    const tree = treeWith();
    const signalled = tree.signal('SIGTERM');
    makeShim({ state: 'Z' });
    make(110, { state: 'X' });
    expect(await signalled).toBe(1);
    expect(signals()).toEqual([[101, 'SIGTERM']]);
  });
});

describe('SIGKILL', () => {
  /** Each look at the host takes so long, and ends whoever got SIGKILL unless it cannot be ended. */
  function looksTake(ms: number, undying: readonly number[] = []): void {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    host.onLook = () => {
      vi.advanceTimersByTime(ms);
      for (const [pid, signal] of kill.mock.calls) {
        if (signal === 'SIGKILL' && !undying.includes(Number(pid)))
          host.processes.delete(Number(pid));
      }
    };
  }

  test('nobody is killed before all are known; each is counted once; the shim only when it had its time', async () => {
    looksTake(100, [110]);
    makeShim();
    make(101, { group: 100 });
    make(110, { isMarked: true });
    let killedByFirstLook = -1;
    const onLook = host.onLook;
    host.onLook = () => {
      onLook();
      if (host.looks === 2) killedByFirstLook = kill.mock.calls.length;
    };
    expect(await treeWith().kill()).toBe(3);
    expect(killedByFirstLook).toBe(0);
    const ofShim = signals().findIndex(([pid]) => pid === 100);
    // Looks at 100, 200, 300 and 400 ms spare it.
    expect(
      signals()
        .slice(0, ofShim)
        .filter(([pid]) => pid === 110).length,
    ).toBeGreaterThanOrEqual(3);
    expect(signals().filter(([pid]) => pid === 101)).toHaveLength(2);
    // What cannot be ended is left after two seconds.
    expect(host.looks).toBe(20);
  });

  test('ends after two looks in a row that find nothing, one look more for each that was found between', async () => {
    looksTake(1);
    expect(await treeWith().kill()).toBe(0);
    expect(host.looks).toBe(3);
    const onLook = host.onLook;
    host.looks = 0;
    host.onLook = () => {
      onLook();
      if (host.looks === 3) make(120, { isMarked: true });
    };
    expect(await treeWith().kill()).toBe(1);
    expect(host.looks).toBe(5);
  });

  test('what cannot be seen is no reason to spare the control group', async () => {
    const cgroup = new Group(101);
    host.onLook = () => {
      throw new Error('no descriptors');
    };
    await expect(treeWith({ cgroup }).kill()).rejects.toThrow('no descriptors');
    expect(cgroup.kills).toBe(1);
  });

  test('the control group gets it again at each look once the shim is no longer spared', async () => {
    looksTake(300, [101]);
    make(101);
    const cgroup = new Group(101);
    await treeWith({ cgroup }).kill();
    // By the timer, and at the looks that end at 1500, 1800 and 2100 ms.
    expect(host.looks).toBe(7);
    expect(cgroup.kills).toBe(4);
  });
});
