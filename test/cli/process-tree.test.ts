/** Of a tree that is killed nothing is left, whatever its processes do meanwhile. */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { killTree } from '../../src/cli/process-tree.ts';
import { until } from '../support/until.ts';

interface Tree {
  readonly child: ChildProcess;
  /** Those of it that still run. */
  readonly left: () => string[];
}

function tree(command: string, args: readonly string[]): Tree {
  const mark = `TREE=${process.pid}-${performance.now()}`;
  const child = spawn(command, args, { env: { ...process.env, TREE: mark }, stdio: 'ignore' });
  const left = (): string[] => readdirSync('/proc').filter((pid) => isOf(pid, `TREE=${mark}\0`));
  onTestFinished(() => left().forEach((pid) => process.kill(Number(pid), 'SIGKILL')));
  return { child, left };
}

function isOf(pid: string, variable: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(variable);
  } catch {
    return false;
  }
}

async function expectNothingLeft({ child, left }: Tree): Promise<void> {
  killTree(child.pid);
  await untilNothingRuns(left);
}

function untilNothingRuns(left: Tree['left']): Promise<void> {
  return until(
    'nothing of it runs',
    () => left().length === 0,
    () => left().join(),
  );
}

test('children and grandchildren, also of a process that ignores signals', async () => {
  const started = tree('sh', ['-c', 'trap "" TERM INT HUP; sh -c "sleep 600; true" & sleep 601']);
  await until('all of them run', () => started.left().length === 4);
  await expectNothingLeft(started);
});

test('a process that starts the next child when one has ended', async () => {
  const started = tree('sh', ['-c', 'while :; do sleep 600; done']);
  await until('both run', () => started.left().length === 2);
  await expectNothingLeft(started);
});

const hasPython = spawnSync('python3', ['-c', '']).status === 0;

/** Ten threads that end at once and begin again, as long as it runs. */
const THREADS = `
import subprocess, threading
subprocess.Popen(['sleep', '600'])
while True:
    threads = [threading.Thread(target=lambda: None) for _ in range(10)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
`;

test.skipIf(!hasPython)(
  'a process whose threads end while they are listed (skipped where python3 is missing)',
  async () => {
    const started = Array.from({ length: 3 }, () => tree('python3', ['-c', THREADS]));
    await until('all of them run', () => started.every(({ left }) => left().length === 2));
    for (const one of started) await expectNothingLeft(one);
  },
);

const KILLS_ITS_OWN = `
import { spawn } from 'node:child_process';
import { killTree } from '${new URL('../../src/cli/process-tree.ts', import.meta.url).href}';
spawn('sh', ['-c', 'sleep 600; true'], { stdio: 'ignore' }).once('spawn', () => {
  killTree(process.pid);
  process.exitCode = 7;
});
`;

test('a process that names itself goes on, without what it has started', async () => {
  const { child, left } = tree(process.execPath, ['--input-type=module', '-e', KILLS_ITS_OWN]);
  expect(await once(child, 'exit')).toEqual([7, null]);
  await untilNothingRuns(left);
});

test('a process that has ended, or that there is none of, is no error', () => {
  const { pid } = spawnSync('true');
  killTree(pid);
  killTree(undefined);
});
