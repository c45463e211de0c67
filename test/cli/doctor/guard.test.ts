/** Who watches over `doctor`: what its child reports is shown, and whatever becomes of the child, the command ends. */
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { guarded } from '../../../src/cli/doctor/guard.ts';
import type { ExitCode } from '../../../src/cli/exit-codes.ts';
import type { Terminal } from '../../../src/cli/terminal/terminal.ts';
import { Collector } from '../terminal-in-memory.ts';

const IS_CHILD = 'MIGRATION_AGENT_DOCTOR_CHILD';

class Child extends EventEmitter {
  readonly pid = 4711;
  readonly stderr = new PassThrough();
  connected = true;
  readonly disconnect = vi.fn();
  readonly unref = vi.fn();
}

interface Made {
  child: Child;
  spawned: unknown[];
  killed: (number | undefined)[];
}
const made = vi.hoisted(() => ({ killed: [] }) as unknown as Made);
vi.mock(import('node:child_process'), async (original) => ({
  ...(await original()),
  spawn: ((...given: unknown[]) => {
    made.spawned = given;
    return made.child;
  }) as never,
}));
vi.mock(import('../../../src/cli/process-tree.ts'), () => ({
  killTree: (pid) => void made.killed.push(pid),
}));

const never = (): Promise<ExitCode> => Promise.reject(new Error('performed in the wrong process'));
let stdout: string;
let stderr: Collector;

function ofProcess(): Terminal {
  stderr = new Collector(undefined);
  const unused = (): void => undefined;
  return {
    ...{ stdout: process.stdout, stderr, environment: {} },
    ...{ setExitCode: unused, exit: unused },
  };
}

beforeEach(() => {
  Object.assign(made, { child: new Child(), spawned: [], killed: [] });
  stdout = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    stdout += String(text);
    return true;
  });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test('a test has the checks in its own process', async () => {
  const own = { ...ofProcess(), stdout: new Collector(undefined) };
  expect(await guarded(own, () => Promise.resolve(3))).toBe(3);
  expect(made.spawned).toEqual([]);
});

describe('the child', () => {
  test('is the same command in the same shape, and shares no open output', async () => {
    const done = guarded(ofProcess(), never);
    const [, program, ...rest] = process.argv;
    const { columns, isTTY } = process.stdout;
    expect(made.spawned).toEqual([
      process.execPath,
      [...process.execArgv, program, ...rest],
      {
        env: { ...process.env, [IS_CHILD]: JSON.stringify({ columns, isTTY }) },
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      },
    ]);
    made.child.emit('close', 0);
    expect(await done).toBe(0);
  });

  test('has reported: that is shown, its code is that of the command, and nothing of it is left', async () => {
    const done = guarded(ofProcess(), never);
    made.child.stderr.emit('data', Buffer.from('a warning\n'));
    made.child.emit('message', { code: 78, stdout: 'all\n', stderr: 'why\n' });
    expect(await done).toBe(78);
    expect([stdout, stderr.text]).toEqual(['all\n', 'a warning\nwhy\n']);
    expect(made.killed).toEqual([4711]);
    expect(made.child.disconnect).toHaveBeenCalledOnce();
    expect(made.child.unref).toHaveBeenCalledOnce();
    expect(made.child.stderr.destroyed).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each<[string, number | null, ExitCode]>([
    ['its own code', 2, 2],
    ['1 after a signal', null, 1],
  ])('has ended without a report: %s', async (_what, code, expected) => {
    const done = guarded(ofProcess(), never);
    made.child.connected = false;
    made.child.emit('close', code);
    expect(await done).toBe(expected);
    expect([stdout, stderr.text]).toEqual(['', '']);
    expect(made.child.disconnect).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('cannot be started: why', async () => {
    const done = guarded(ofProcess(), never);
    made.child.emit('error', new Error('spawn EAGAIN'));
    expect(await done).toBe(1);
    expect(stderr.text).toBe('spawn EAGAIN\n');
  });

  test('hangs: after 50 s it is killed, and the message says how to see what waits', async () => {
    let code: ExitCode | undefined;
    const done = guarded(ofProcess(), never).then((ended) => (code = ended));
    await vi.advanceTimersByTimeAsync(49_999);
    expect(code).toBeUndefined();
    expect(made.killed).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    await done;
    expect(code).toBe(1);
    expect(stderr.text).toContain('doctor has no result within 50 s');
    expect(stderr.text).toContain(`--ppid 1,${process.pid}`);
    expect(made.killed).toEqual([4711]);
  });
});

test('as the child: the checks write into the report, nothing that they start is such a child, and without its parent it ends', async () => {
  process.env[IS_CHILD] = JSON.stringify({ columns: 99, isTTY: true });
  const before = process.listeners('disconnect');
  const added = () => process.listeners('disconnect').filter((one) => !before.includes(one));
  onTestFinished(() => {
    Reflect.deleteProperty(process.env, IS_CHILD);
    for (const one of added()) process.off('disconnect', one);
  });
  const reports: unknown[] = [];
  const own = Object.getOwnPropertyDescriptor(process, 'send');
  const value = (...given: [object]): boolean => {
    if ('stdout' in given[0]) return reports.push(given[0]) > 0;
    // The runner of the tests sends to its own parent, too.
    return Reflect.apply(own?.value as () => boolean, process, given) as boolean;
  };
  Object.defineProperty(process, 'send', { configurable: true, writable: true, value });
  onTestFinished(() => {
    if (own === undefined) Reflect.deleteProperty(process, 'send');
    else Object.defineProperty(process, 'send', own);
  });
  const code = await guarded(ofProcess(), (terminal) => {
    expect(process.env[IS_CHILD]).toBeUndefined();
    expect(terminal.stdout).toMatchObject({ columns: 99, isTTY: true });
    expect(terminal.stderr.isTTY).toBeUndefined();
    terminal.stdout.write('found ');
    terminal.stdout.write('nothing');
    terminal.stderr.write('a note');
    return Promise.resolve(5);
  });
  expect(code).toBe(5);
  expect(reports).toEqual([{ code: 5, stdout: 'found nothing', stderr: 'a note' }]);
  expect([made.spawned, stdout]).toEqual([[], '']);
  const kill = vi.spyOn(process, 'kill').mockReturnValue(true);
  expect(added()).toHaveLength(1);
  for (const one of added()) one();
  expect(made.killed).toEqual([process.pid]);
  expect(kill).toHaveBeenCalledWith(process.pid, 'SIGKILL');
});
