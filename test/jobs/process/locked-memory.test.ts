/** Whether a process may hold the lock of its memory, and what a long look at its environment shows. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { mayBeLocked, readsMarked } from '../../../src/jobs/process/locked-memory.ts';
import { readProcess } from '../../../src/jobs/process/process-table.ts';

const NOBODY = 4_194_303;

test('one whose thread sleeps in the kernel may; one that cannot be seen any more, too', () => {
  const own = readProcess(process.pid)!;
  expect(own.threads).toBeGreaterThan(1);
  expect(mayBeLocked({ ...own, state: 'D', threads: 1 })).toBe(true);
  expect(mayBeLocked({ ...own, state: 'S', threads: 1 })).toBe(false);
  expect(mayBeLocked({ ...own, state: 'S' })).toBe(false);
  expect(mayBeLocked({ ...own, state: 'S', pid: NOBODY })).toBe(true);
  expect(mayBeLocked({ ...own, state: 'S', pid: NOBODY, threads: 1 })).toBe(false);
});

test('a long look shows whether all entries are there; one that has ended has none', async () => {
  const child = spawn('sleep', ['600'], { stdio: 'ignore', env: { A: '1', B: '2' } });
  await once(child, 'spawn');
  try {
    expect(await readsMarked(child.pid!, ['A=1', 'B=2'])).toBe(true);
    expect(await readsMarked(child.pid!, ['A=1', 'B=3'])).toBe(false);
    expect(await readsMarked(NOBODY, ['A=1'])).toBe(false);
  } finally {
    child.kill('SIGKILL');
  }
});
