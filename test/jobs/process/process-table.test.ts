/** What /proc shows of one process: whether it is there, whose it is, and what it was started with. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { RunCgroup } from '../../../src/jobs/process/cgroups.ts';
import {
  CannotSee,
  hasEnvironment,
  isMarked,
  lives,
  readProcess,
  readProcesses,
  userOf,
} from '../../../src/jobs/process/process-table.ts';
import { bootId, startTicksOf } from '../support.ts';

/** No process has it: it is the largest. */
const NO_PID = 4_194_303;

test.each<[string, string, readonly string[], boolean]>([
  ['all of them', 'A=1\0B=2\0C=3\0', ['B=2', 'A=1'], true],
  ['one is not there', 'A=1\0B=2', ['A=1', 'C=3'], false],
  ['one is longer', 'A=12\0B=2', ['A=1'], false],
  ['one ends like it', 'XA=1', ['A=1'], false],
  ['with another value', 'A=2', ['A=1'], false],
  ['an environment that is hidden shows nothing', '', [], false],
])('a mark is found: %s', (_what, environment, entries, isFound) => {
  expect(isMarked(environment, entries)).toBe(isFound);
});

test('this process lives, with its start time and in this boot', () => {
  const startTicks = startTicksOf(process.pid);
  const self = { pid: process.pid, bootId, startTicks };
  expect(lives(self, bootId)).toBe(true);
  expect(lives({ ...self, startTicks: '1' }, bootId)).toBe(false);
  expect(lives(self, 'another-boot')).toBe(false);
  expect(lives({ ...self, pid: NO_PID }, bootId)).toBe(false);
  expect(readProcess(process.pid)).toMatchObject({ pid: process.pid, startTicks });
  expect(userOf(process.pid)).toBe(process.getuid?.());
});

test('of a process that is not there nothing is shown', () => {
  expect(readProcess(NO_PID)).toBeUndefined();
  expect(userOf(NO_PID)).toBeUndefined();
  expect(hasEnvironment(NO_PID, [])).toBe(false);
});

test('a control group that is none has no members; one that cannot be read may have some', () => {
  expect(new RunCgroup('/etc/passwd/group').members()).toEqual([]);
  expect(new RunCgroup('/nowhere').members()).toEqual([]);
  expect(() => new RunCgroup(`/tmp/${'x'.repeat(300)}`).members()).toThrow(CannotSee);
});

/** The processes live until the test has ended. */
function sleepers(count: number): { start: () => ChildProcess; started: ChildProcess[] } {
  const started: ChildProcess[] = [];
  onTestFinished(() => started.forEach((child) => void child.kill('SIGKILL')));
  const start = (): ChildProcess => {
    const child = spawn('sleep', ['600'], { stdio: 'ignore' });
    started.push(child);
    return child;
  };
  for (let i = 0; i < count; i += 1) start();
  return { start, started };
}

test('the highest pid is read first', async () => {
  const order: number[] = [];
  await readProcesses(({ pid }) => order.push(pid));
  // The first list ends with it; what is started meanwhile comes after that.
  const listed = order.slice(0, order.indexOf(1) + 1);
  expect(listed).toContain(process.pid);
  expect(listed).toEqual(listed.toSorted((a, b) => b - a));
});

test('what a process has started that ended before it was read is read, too', async () => {
  const { start, started } = sleepers(2);
  const entries = await readProcesses(({ pid }) => {
    const other = started.find((child) => child.pid !== pid);
    if (started.length > 2 || !started.some((child) => child.pid === pid)) return;
    start();
    other?.kill('SIGKILL');
    while (readProcess(other!.pid!)?.state !== 'Z');
  });
  const pids = entries.map(({ pid }) => pid);
  expect(started).toHaveLength(3);
  expect(pids).toContain(started[2]!.pid);
  expect(new Set(pids).size).toBe(pids.length);
});
