/** P4 cancel means gone, in virtual time. The model of the services checks what it receives, and knows nothing of the planner. */
import { expect, test } from 'vitest';
import { MINUTE_MS, SECOND_MS } from '../../../src/core/lib/time.ts';
import { definition } from '../../support/settings.ts';
import { world, task, start, operationsOf, timesOf, SILENT } from './promise-world.ts';

test('canceled: the tree is ended and proven empty, the Hub gets FAILED, no SetTaskStatus', () => {
  const made = world([definition('copy')]);
  made.service.offer(task('copy'));
  made.runUntil(5 * MINUTE_MS);
  made.service.cancel('@copy_1_Attempt=1');
  made.runUntil(7 * MINUTE_MS);
  expect(made.running()).toBe(0);
  expect(made.notes.map((note) => note.event)).toContain('tree.empty');
  const last = made.service.lastNotify('copy');
  expect(last?.status).toBe('FAILED');
  expect(last?.detail).toMatch(/canceled/);
  expect(operationsOf(made)).not.toContain('SetTaskStatus');
  expect(made.service.close()).toMatchObject({ statusAfterCancel: 0 });
});

test('a tree that outlives SIGKILL is reported as such after ten seconds', () => {
  const made = world([definition('copy')]);
  start(made, 'copy');
  made.runUntil(MINUTE_MS);
  const { planner } = made;
  const now = () => made.time.now();
  planner.observe({ type: 'cancel-requested', job: 'copy', by: 'test' }, now());
  const signals: string[] = [];
  while (now().bootMs < 3 * MINUTE_MS) {
    for (const action of planner.decide(now())) {
      if (action.type !== 'signal-tree' && action.type !== 'check-tree') continue;
      if (action.type === 'signal-tree') {
        const { signal } = action;
        signals.push(signal);
        planner.observe({ type: 'tree-signalled', run: 'copy/1', signal, processes: 1 }, now());
      }
      planner.observe({ type: 'tree-checked', run: 'copy/1', survivors: [42] }, now());
    }
    // Its leader ends at the first signal; a child hangs in the kernel.
    if (signals.length === 1 && made.state.runs.get('copy/1')?.exitCode === undefined) {
      planner.observe({ type: 'run-exited', run: 'copy/1', exitCode: 143 }, now());
      expect(made.state.runs.get('copy/1')?.state).toBe('canceling');
    }
    made.time.moveTo(now().bootMs + 100);
    planner.observe({ type: 'time-passed' }, now());
  }
  expect(signals.slice(0, 2)).toEqual(['SIGTERM', 'SIGKILL']);
  const run = made.state.runs.get('copy/1');
  expect(run).toMatchObject({ state: 'canceled', survivors: [42] });
  const tookMs = (run?.endedAt?.bootMs ?? 0) - (run?.ending?.since.bootMs ?? 0);
  expect(Math.abs(tookMs - 40 * SECOND_MS)).toBeLessThan(SECOND_MS);
  const last = made.state.hubTasks.get('copy')?.finalReports.at(-1);
  expect(last?.payload.detail).toContain('1 processes could not be ended');
});

test('a cancel that comes while the final report is pending withholds it', () => {
  const made = world([definition('copy')], {
    jobs: { ...SILENT, durationMs: () => 5 * MINUTE_MS },
    isOut: (call, ms) => call.operation === 'SetTaskStatus' && ms < 20 * MINUTE_MS,
  });
  made.service.offer(task('copy'));
  made.runUntil(10 * MINUTE_MS);
  expect(made.state.runs.get('copy/1')?.state).toBe('succeeded');
  made.service.cancel('@copy_1_Attempt=1');
  made.runUntil(30 * MINUTE_MS);
  expect(made.service.close()).toMatchObject({ statusAfterCancel: 0 });
  expect(timesOf(made, 'SetTaskStatus').at(-1)).toBeLessThan(12 * MINUTE_MS);
  expect(made.state.runs.get('copy/1')?.pipeline?.delivery.state).toBe('withheld');
});
