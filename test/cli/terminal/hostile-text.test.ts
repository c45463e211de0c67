/** Every command shows names, reasons and answers of others: none of them commands the terminal that they are shown on. */
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import type { JobStatus } from '../../../src/core/model/status.ts';
import { createLog } from '../../../src/system/logger.ts';
import { prettyLines } from '../../../src/system/pretty-lines.ts';
import { serve } from '../../control/control-server-fixture.ts';
import { FULL_STATUS, jobNamed } from '../../control/operator-in-memory.ts';
import { until } from '../../support/until.ts';
import { begin, run } from '../terminal-in-memory.ts';

const EVIL = 'evil\u001b]0;title\u0007\u001b[?1049h\u001b[5C\u009b31m\u202etxt\u2066\u0007\r\b';
const TERMINAL = { columns: 80, rows: 24 };

/** What is left after the colours and cursor moves that the commands themselves write. */
function obeyed(text: string): string[] {
  const own = /\u001b\[(?:\d+(?:;\d+)*)?[mJKAH]|[\n\t]|^\r/gm;
  return text.replaceAll(own, '').match(/[\p{Cc}\p{Cf}]/gu) ?? [];
}

const job: JobStatus = {
  ...jobNamed(EVIL, { run: 2, state: 'failed' }),
  startedAt: '2026-11-22T03:00:00.000Z',
  endedAt: '2026-11-22T03:10:00.000Z',
  detail: EVIL,
  reason: EVIL,
  exitSignal: EVIL,
  unit: EVIL,
  destinations: {
    migrationHub: { task: EVIL, delivery: 'refused', reason: EVIL },
    dataPipeline: {
      taskId: EVIL,
      attemptId: EVIL,
      pipelineId: EVIL,
      workerGroup: EVIL,
      delivery: 'refused',
      reason: EVIL,
    },
  },
};

test.each([
  ['status'],
  ['status', '--json'],
  ['status', '--names'],
  ['status', EVIL],
  ['status', EVIL, '--json'],
  ['events', EVIL],
  ['events', EVIL, '--json'],
  ['history', EVIL],
  ['logs', EVIL],
  ['wait', EVIL],
  ['wait', EVIL, '--for', 'delivered'],
  ['start', EVIL],
  ['start', EVIL, '--wait'],
  ['cancel', EVIL],
  ['report', EVIL, '--percent', '3'],
  ['run', '--name', 'x', '--', 'true'],
  ['track', 'x'],
  ['outbox'],
  ['outbox', '--json'],
  ['outbox', 'retry', EVIL],
  ['outbox', 'drop', EVIL],
  ['status', `no-${EVIL}`],
  ['cancel', `no-${EVIL}`],
  ['drain'],
  ['resume'],
  ['claim'],
  ['reload'],
])('%j', async (...message) => {
  const { operator, socketPath, directory } = await serve({
    makeDefinition: () => ({
      name: 'x',
      command: ['true'],
      environment: {},
      autostart: false,
      progress: { parser: 'none' },
      stop: { signal: 'SIGTERM', graceMs: 1 },
    }),
  });
  operator.document = {
    ...FULL_STATUS,
    agent: { ...FULL_STATUS.agent, host: EVIL, homeRegion: EVIL, problems: [EVIL] },
    jobs: [job],
  };
  operator.answer = () => ({ ok: true, run: `${EVIL}/2`, message: EVIL });
  operator.reloadReply = { ok: false, code: 'invalid', message: EVIL };
  operator.pending = [
    {
      job: EVIL,
      run: 2,
      destination: 'migrationHub',
      operation: EVIL,
      message: EVIL,
      attempts: 1,
      lastError: EVIL,
      quarantined: false,
    },
  ] as never;
  operator.entries.set(EVIL, [
    { at: 1, event: EVIL, fields: { message: EVIL, [EVIL]: EVIL } },
  ] as never);
  await appendFile(join(directory, `${EVIL}-2.out`), EVIL);
  const { stdout, stderr } = await run([...message, '--socket', socketPath], {
    terminal: TERMINAL,
  });
  expect(stdout + stderr).not.toBe('');
  expect(obeyed(stdout)).toEqual([]);
  expect(obeyed(stderr)).toEqual([]);
});

test('status --watch', async () => {
  const { operator, socketPath } = await serve();
  operator.document = { ...FULL_STATUS, jobs: [job] };
  const running = begin(['status', '--watch', '--socket', socketPath], { terminal: TERMINAL });
  await until('it is shown', () => running.stdout().includes('evil'));
  running.stop();
  await running.done;
  expect(obeyed(running.stdout())).toEqual([]);
});

test('the log of an agent that runs on a terminal', () => {
  const lines: string[] = [];
  const destination = { write: (line: string) => lines.push(line) };
  const log = createLog({ level: 'info', format: prettyLines, destination });
  log.write('error', 'job.ended', 'a job ended', {
    job: EVIL,
    [EVIL]: EVIL,
    problems: [EVIL],
    err: new Error(EVIL),
  });
  expect(lines.join('')).toContain('evil');
  expect(obeyed(lines.join(''))).toEqual([]);
});
