/**
 * What each look at a run shows: that its shim has ended, that it never began, or that it cannot be seen. The rounds come by hand
 * here, and the pauses are over at once.
 */
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Event } from '../../../src/core/model/event.ts';
import { Rounds } from '../../../src/jobs/supervise/rounds.ts';
import { watchRun } from '../../../src/jobs/supervise/run-watch.ts';
import type { Watched } from '../../../src/jobs/supervise/run-watch.ts';
import { eventually } from '../../support/until.ts';
import { bootId, makeRun, startTicksOf } from '../support.ts';

const pausesMs = vi.hoisted((): number[] => []);
vi.mock(import('../../../src/jobs/supervise/run-end.ts'), async (original) => ({
  ...(await original()),
  pause: async (ms, closing) => {
    pausesMs.push(ms);
    if (closing.aborted) return;
    // A limit is no pause: what it limits ends it.
    if (ms > 1000) await once(closing, 'abort');
    else await nextTurn();
  },
}));

/** No process has it: it is the largest. */
const NO_PID = 4_194_303;

class ByHand extends Rounds {
  #look: (() => number) | undefined;
  override add(look: () => number): () => void {
    this.#look = look;
    return () => (this.#look = undefined);
  }
  get isWaiting(): boolean {
    return this.#look !== undefined;
  }
  /** How many rounds it would let pass. */
  async round(): Promise<number | undefined> {
    const wait = this.#look?.();
    await nextTurn();
    return wait;
  }
}

let directory: string;
let records: string;
let events: Event[];
let closing: AbortController;
let rounds: ByHand;
let done: Promise<void>;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'run-watch-'));
  const made = directory;
  records = join(directory, '.shim');
  mkdirSync(records);
  events = [];
  closing = new AbortController();
  rounds = new ByHand(500);
  done = Promise.resolve();
  pausesMs.length = 0;
  const abort = closing;
  onTestFinished(async () => {
    abort.abort();
    await done;
    rmSync(made, { recursive: true, force: true });
  });
});

function record(name: string, text: string): void {
  writeFileSync(join(records, `${name}.tmp`), text);
  renameSync(join(records, `${name}.tmp`), join(records, name));
}

const run = makeRun(['true'], { progress: { parser: 'percent' } }, { spawn: 1 });
const logOf = (name: 'stdout' | 'stderr'): string => join(directory, `${name}.log`);

function watch(over: Partial<Watched>): void {
  done = watchRun({
    ...{ run, directory, bootId, rounds, members: () => Promise.resolve([]) },
    logs: { stdout: logOf('stdout'), stderr: logOf('stderr') },
    process: { pid: process.pid, bootId, startTicks: startTicksOf(process.pid) },
    ...{ closing: closing.signal, mask: (text) => text },
    launch: () => Promise.reject(new Error('not asked for')),
    post: (event) => events.push(event),
    ...over,
  });
}

const types = (): string[] => events.map(({ type }) => type);
const isWaiting = (): Promise<void> => eventually(() => expect(rounds.isWaiting).toBe(true));

/** A shim of this agent, and how it ends. */
function child(): {
  readonly ended: Promise<number | string>;
  readonly end: (how: number | string) => void;
} {
  let end: (how: number | string) => void = () => undefined;
  const ended = new Promise<number | string>((resolve) => (end = resolve));
  return { ended, end };
}

describe('a shim of this agent', () => {
  test('that ended before it recorded that it started: the run could not be set up', async () => {
    const { ended, end } = child();
    watch({ ended });
    end(3);
    await done;
    expect(events).toEqual([
      {
        ...{ type: 'run-start-failed', run: run.id },
        reason: 'the run could not be set up: it ended with 3',
      },
    ]);
  });

  test('says why with what it wrote', async () => {
    const { ended, end } = child();
    writeFileSync(logOf('stderr'), 'no room\n');
    watch({ ended });
    end('SIGKILL');
    await done;
    expect(events).toMatchObject([{ reason: 'the run could not be set up: no room' }]);
  });

  test('that is slow to record it is waited for, and so is a record that cannot be read', async () => {
    const { ended } = child();
    rmSync(records, { recursive: true });
    symlinkSync('.shim', records);
    watch({ ended });
    await eventually(() => expect(pausesMs.length).toBeGreaterThan(3));
    expect(new Set(pausesMs)).toEqual(new Set([15]));
    expect(types()).toEqual([]);
    rmSync(records);
    mkdirSync(records);
    record('started.1', `${process.pid} ${bootId} 5 /socket\n`);
    await isWaiting();
    expect(types()).toEqual(['run-started']);
  });

  test('is not waited for by a host that closes', async () => {
    closing.abort();
    watch({ ended: child().ended });
    await done;
    expect(types()).toEqual([]);
  });

  test('whose record is there, and that lives on, is seen at the fourth look', async () => {
    record('started.1', `${process.pid} ${bootId} 5 /socket\n`);
    watch({ ended: child().ended });
    await isWaiting();
    record('exit.1', '0\n');
    for (let look = 1; look < 4; look += 1) {
      await rounds.round();
      expect(rounds.isWaiting).toBe(true);
    }
    await rounds.round();
    await done;
    expect(types()).toEqual(['run-started', 'run-exited']);
    // It ends right after its record, and is none of the processes that are left.
    expect(pausesMs).toContain(100);
  });

  test('that lives at the fourth look and has no record goes on', async () => {
    record('started.1', `${process.pid} ${bootId} 5 /socket\n`);
    watch({ ended: child().ended });
    await isWaiting();
    for (let look = 0; look < 9; look += 1) expect(await rounds.round()).toBe(1);
    expect(types()).toEqual(['run-started']);
  });

  test.each<[number | string, string]>([
    ['SIGKILL', 'the shim of the run was ended by SIGKILL and left no exit record'],
    [1, 'the run is gone and left no exit record'],
  ])('that ended by %s without a record has lost its run', async (how, reason) => {
    const { ended, end } = child();
    record('started.1', `${process.pid} ${bootId} 5 /socket\n`);
    watch({ ended });
    await isWaiting();
    end(how);
    await done;
    expect(events.at(-1)).toEqual({ type: 'run-lost', run: run.id, reason });
    // A record may be a moment late.
    expect(pausesMs).toContain(100);
  });
});

describe('a shim that is not the agent’s child', () => {
  test('needs no record of its start, and is looked at again by a silent run’s fourth round at the latest', async () => {
    writeFileSync(logOf('stdout'), '');
    watch({});
    await isWaiting();
    expect(types()).toEqual(['run-started']);
    let wait = 1;
    for (let look = 0; look < 40 && wait === 1; look += 1) wait = (await rounds.round()) ?? 1;
    expect(wait).toBe(4);
  });

  test('is gone when no process has its pid', async () => {
    watch({ process: { pid: NO_PID, bootId, startTicks: '5' } });
    await isWaiting();
    await rounds.round();
    await done;
    expect(types()).toEqual(['run-started', 'run-lost']);
  });

  test('whose pid another process has is gone at the fourth look', async () => {
    watch({ process: { pid: process.pid, bootId, startTicks: '1' } });
    await isWaiting();
    for (let look = 1; look < 4; look += 1) {
      await rounds.round();
      expect(rounds.isWaiting).toBe(true);
    }
    await rounds.round();
    await done;
    expect(types()).toEqual(['run-started', 'run-lost']);
  });

  test('and its record is seen at the first look', async () => {
    watch({});
    await isWaiting();
    record('exit.1', '7\n');
    await rounds.round();
    await done;
    expect(events.at(-1)).toMatchObject({ type: 'run-exited', exitCode: 7 });
  });
});

test.each<[code: string, percent: number]>([
  ['0', 34],
  // It may have been killed in the middle of a number.
  ['1', 12],
])(
  'of a command that ended with %s the number at the end of its output is read so: %d',
  async (code, percent) => {
    const progress = { parser: 'regex', pattern: String.raw`at (?<percent>\d+)` } as const;
    watch({ run: makeRun(['true'], { progress }, { spawn: 1 }) });
    await isWaiting();
    writeFileSync(logOf('stdout'), 'at 12\nat 34');
    record('exit.1', `${code}\n`);
    await rounds.round();
    await done;
    expect(types()).toEqual(['run-started', 'progress-read', 'run-exited']);
    expect(events[1]).toMatchObject({ percent });
  },
);

test('a host that closes ends the watch, and nothing is posted of it', async () => {
  watch({});
  await isWaiting();
  closing.abort();
  await done;
  expect(rounds.isWaiting).toBe(false);
  expect(types()).toEqual(['run-started']);
});
