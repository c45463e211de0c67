/** `outbox` against a real socket: what it shows, asks and answers. */
import { expect, test } from 'vitest';
import { renderOutbox } from '../../../src/cli/views/outbox.ts';
import type { OutboxEntry } from '../../../src/core/model/outbox.ts';
import { serve } from '../../control/control-server-fixture.ts';
import { jobNamed } from '../../control/operator-in-memory.ts';
import { run } from '../terminal-in-memory.ts';

const WAITING: OutboxEntry = {
  job: 'copy',
  run: 2,
  destination: 'migrationHub',
  operation: 'NotifyMigrationTaskState',
  task: 'copy',
  message: 'FAILED (failed: exit code 3)',
  since: '2026-11-22T02:00:00.000Z',
  attempts: 7,
  nextTryAt: '2026-11-22T03:00:20.000Z',
  lastError: 'connect ECONNREFUSED',
  quarantined: false,
};
const ASIDE: OutboxEntry = {
  job: 'dump',
  run: 1,
  destination: 'dataPipeline',
  operation: 'SetTaskStatus',
  task: 'task-1',
  message: 'FINISHED (completed)',
  attempts: 2,
  lastError: 'InvalidRequestException: \u001b[31mno',
  quarantined: true,
};

test('a row for each report, with what delays it', () => {
  const view = { width: 120, color: false, now: new Date('2026-11-22T03:00:00.000Z') };
  expect(renderOutbox([WAITING, ASIDE], view)).toEqual([
    'JOB   RUN  TO        REPORT                          AGE  TRIES  NEXT     LAST ERROR',
    'copy    2  hub       FAILED (failed: exit code 3)  1h00m      7  in 20s   connect ECONNREFUSED',
    'dump    1  pipeline  FINISHED (completed)                     2  refused  InvalidRequestException: no',
  ]);
  expect(renderOutbox([WAITING, ASIDE], view).join('')).not.toContain('\u001b');
});

test('shown as a table, as JSON, of one job, and that nothing is pending', async () => {
  const { operator, socketPath } = await serve();
  operator.show(jobNamed('copy', {}));
  const socket = ['--socket', socketPath];
  expect(await run(['outbox', ...socket])).toEqual({
    code: 0,
    stdout: '',
    stderr: 'nothing is pending\n',
  });
  operator.pending = [WAITING, ASIDE];
  expect((await run(['outbox', ...socket])).stdout.split('\n')).toHaveLength(4);
  const { stdout } = await run(['outbox', 'copy', '--json', ...socket]);
  expect(JSON.parse(stdout)).toEqual({ schema: 1, outbox: [WAITING] });
  const pipeline = await run(['outbox', '--to', 'dataPipeline', '--json', ...socket]);
  expect(JSON.parse(pipeline.stdout)).toEqual({ schema: 1, outbox: [ASIDE] });
  expect((await run(['outbox', 'nobody', ...socket])).code).toBe(3);
});

test('retry and drop ask the agent, and print its answer', async () => {
  const { operator, socketPath } = await serve();
  const socket = ['--socket', socketPath];
  operator.answer = () => ({ ok: true, message: '2 reports are tried now' });
  expect(await run(['outbox', 'retry', ...socket])).toEqual({
    code: 0,
    stdout: '',
    stderr: '2 reports are tried now\n',
  });
  expect((await run(['outbox', 'drop', 'copy', '--to', 'migrationHub', ...socket])).code).toBe(0);
  expect(operator.asked).toMatchObject([
    { type: 'outbox', action: 'retry', choice: {} },
    { type: 'outbox', action: 'drop', choice: { job: 'copy', destination: 'migrationHub' } },
  ]);
  operator.answer = () => ({ ok: false, code: 'no-such-job', message: 'there is no job "x"' });
  expect((await run(['outbox', 'drop', 'x', ...socket])).code).toBe(3);
});

test('wrong usage, nobody there, and help', async () => {
  expect((await run(['outbox', '--to', 'mars'])).code).toBe(2);
  expect((await run(['outbox', '--socket', '/nowhere/agent.sock'])).code).toBe(4);
  const { stdout } = await run(['outbox', '--help']);
  expect(stdout).toContain('\nExample:\n  migration-agent outbox retry nightly-files');
});
