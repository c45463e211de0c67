/** A pid that is given to another process between the look and the signal: the other process gets no signal. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test, vi } from 'vitest';
import { ProcessTree } from '../../../src/jobs/process/process-tree.ts';
import { bootId, startTicksOf } from '../support.ts';

const reused = vi.hoisted(() => new Set<number>());

// The look right before a signal alone goes through this function; the scan before it sees what is there.
vi.mock(import('../../../src/jobs/process/process-table.ts'), async (original) => {
  const table = await original();
  return {
    ...table,
    readProcess: (pid: number) => {
      const entry = table.readProcess(pid);
      if (entry === undefined || !reused.has(pid)) return entry;
      return { ...entry, startTicks: String(Number(entry.startTicks) + 1) };
    },
  };
});

test.each(['SIGTERM', 'SIGKILL'])('is spared by %s', async (signal) => {
  const child = spawn('sleep', ['600'], { stdio: 'ignore', detached: true });
  const ended = once(child, 'exit');
  const pid = child.pid!;
  const sent = vi.spyOn(process, 'kill');
  try {
    const shim = { pid, bootId, startTicks: startTicksOf(pid) };
    const tree = new ProcessTree({ shim, mark: ['NONE=1'], users: [], bootId });
    expect(await tree.members()).toEqual([pid]);
    reused.add(pid);
    expect(await (signal === 'SIGKILL' ? tree.kill() : tree.signal(signal))).toBe(0);
    expect(sent).not.toHaveBeenCalled();
    reused.delete(pid);
    expect(await (signal === 'SIGKILL' ? tree.kill() : tree.signal(signal))).toBe(1);
    expect(await ended).toEqual([null, signal]);
  } finally {
    sent.mockRestore();
    child.kill('SIGKILL');
  }
});
