/** The log: JSON lines, secrets masked, no end of the agent for a line that cannot be written. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

import { describe, expect, test } from 'vitest';

import { logText } from '../../src/system/log-text.ts';
import { prettyLines } from '../../src/system/pretty-lines.ts';
import { createLog, isJournalStream, priorityLines } from '../../src/system/logger.ts';

function capture(level: 'debug' | 'info' = 'info', pretty = false) {
  const lines: string[] = [];
  const destination = { write: (line: string) => lines.push(line) };
  const log = createLog({ level, destination, ...(pretty ? { format: prettyLines } : {}) });
  return { log, lines, last: () => JSON.parse(lines.at(-1)!) as Record<string, unknown> };
}

test('a line is one JSON object with level, ISO time, event, fields and msg', () => {
  const { log, lines, last } = capture();
  log.write('warn', 'report.throttled', 'service asked to slow down', {
    retryMs: 2000,
    job: 'copy',
  });
  expect(lines[0]).toMatch(
    /^\{"level":"warn","time":"\d{4}-\d\d-\d\dT[\d:.]+Z","event":"report.throttled","retryMs":2000,"job":"copy","msg":"service asked to slow down"\}\n$/,
  );
  expect(Math.abs(Date.parse(last()['time'] as string) - Date.now())).toBeLessThan(10_000);
});

test('the level can be changed while the agent runs', () => {
  const { log, lines, last } = capture();
  log.write('debug', 'a', 'a', {});
  expect(lines).toHaveLength(0);
  log.setLevel('debug');
  log.write('debug', 'a', 'a', {});
  expect(last()).toMatchObject({ level: 'debug' });
  log.setLevel('error');
  log.write('warn', 'a', 'a', {});
  expect(lines).toHaveLength(1);
  log.write('error', 'a', 'a', {});
  expect(lines).toHaveLength(2);
});

test('secrets are masked wherever they stand', () => {
  const { log, lines } = capture();
  const cause = new Error('login as postgres://anna:hunter2@db/x failed');
  log.write('error', 'job.exited', 'job exited', {
    command: ['psql', 'postgres://anna:hunter2@db/x'],
    nested: { deep: [{ url: 'https://u:hunter2@host/' }] },
    err: new AggregateError([new Error('password=hunter2')], 'outer', { cause }),
  });
  expect(lines[0]).not.toContain('hunter2');
  expect(lines[0]).toContain('outer');
});

test('a command is masked as a whole: a flag and its secret are two words', () => {
  const { log, last } = capture();
  const command = ['sshpass', '-p', 'hunter2', 'rsync', '-a', '/srv/a b/', 'host:/srv'];
  log.write('info', 'a', 'a', { command });
  expect(last()).toMatchObject({ command: command.with(2, '***') });
});

test('a text is masked and then cut: a secret across the border leaves no half', () => {
  const { log, last } = capture();
  // 8,192 characters are kept: the address would be cut in the middle of its password.
  for (let before = 8170; before < 8192; before += 1) {
    log.write('info', 'a', 'a', {
      text: `${'x'.repeat(before - 1)} redis://u:hunter2hunter2@db/0`,
    });
    expect(JSON.stringify(last())).not.toMatch(/:hu/);
  }
});

test.each([
  'password',
  'dbPassword',
  'PGPASSWORD',
  'secret',
  'secretAccessKey',
  'AWS_SECRET_ACCESS_KEY',
  'sessionToken',
  'x-api-key',
  'authorization',
  'credentials',
  'set-cookie',
  'privateKey',
])('a field named %s is not written, whatever it holds', (name) => {
  const { log, last } = capture();
  log.write('info', 'a', 'a', { [name]: 'plainword', inside: { [name]: { user: 'plainword' } } });
  expect(JSON.stringify(last())).not.toContain('plainword');
});

test('names that only resemble secrets are written', () => {
  const { log, last } = capture();
  log.write('info', 'a', 'a', { taskId: 't-1', tokens: 3, token: 5, secretaryName: 'anna' });
  expect(last()).toMatchObject({ taskId: 't-1', tokens: 3, token: 5, secretaryName: 'anna' });
});

test('nothing that a field holds can break or flood the line', () => {
  const { log, last, lines } = capture();
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  log.write('info', 'a', 'real', {
    circle,
    big: 12n,
    bytes: Buffer.alloc(9),
    long: 'word '.repeat(10_000),
    when: new Date(Number.NaN),
    many: Array.from({ length: 5000 }, () => 1),
    msg: 'not this',
    level: 'fatal',
    error: new Error('broken', { cause: 'text' }),
  });
  expect(last()).toMatchObject({
    level: 'info',
    msg: 'real',
    msg_: 'not this',
    level_: 'fatal',
    big: '12',
    bytes: '9 bytes',
    when: 'no date',
  });
  expect(last()['error']).toMatchObject({ type: 'Error', message: 'broken', cause: 'text' });
  expect(lines[0]!.length).toBeLessThan(20_000);
});

test('people get the same words in a readable form', () => {
  const { log, lines } = capture('info', true);
  log.write('warn', 'report.throttled', 'service asked to slow down', { retryMs: 2000 });
  const text = stripVTControlCharacters(lines.join(''));
  expect(text).toMatch(
    /^\[[\d:.]{12}\] WARN: service asked to slow down {2}report\.throttled retryMs=2000\n$/,
  );
});

test('for people a line stays one row; only stacks and lists of problems stand below it', () => {
  const faint = (text: string) => `<${text}>`;
  const line = { level: 'info', time: 'x', msg: 'it began', event: 'a.b' };
  expect(logText({ ...line, file: '/a', message: 'two words', at: { port: 1 } }, faint)).toBe(
    'it began  <a.b file=/a message="two words" at={"port":1}>',
  );
  const long = {
    ...line,
    err: { stack: 'Error: no\n at x' },
    problems: ['f:1:1 a: b', 'f:2:1 c: d'],
  };
  expect(logText(long, faint)).toBe(
    'it began  <a.b>\n    Error: no\n     at x\n    f:1:1 a: b\n    f:2:1 c: d',
  );
});

/** Runs a small program with the log on its standard output. */
function program(text: string, stdout: 'pipe' | number) {
  const source = `import { createLog } from ${JSON.stringify(new URL('../../src/system/logger.ts', import.meta.url).href)};
    const log = createLog({ level: 'info' });
    ${text}`;
  return spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['pipe', stdout, 'pipe'],
  });
}

describe('under the journal', () => {
  test('each line has the priority of its level', () => {
    const lines: string[] = [];
    const log = createLog({
      level: 'debug',
      destination: priorityLines({ write: (line) => lines.push(line) }),
    });
    for (const level of ['debug', 'info', 'warn', 'error', 'fatal'] as const) {
      log.write(level, 'a.b', 'it began', {});
    }
    expect(lines.map((line) => line.slice(0, 4))).toEqual(['<7>{', '<6>{', '<4>{', '<3>{', '<2>{']);
  });

  test('a text of a job makes no line, and no priority, of its own', () => {
    const lines: string[] = [];
    const log = createLog({
      level: 'info',
      destination: priorityLines({ write: (line) => lines.push(line) }),
    });
    const forged = '\n<0>{"level":"fatal","event":"agent.stopped"}\n\u2028<0>x\r<0>y';
    log.write('info', 'a.b', 'it began', { detail: forged, [forged]: forged });
    expect(lines).toHaveLength(1);
    expect(lines[0]?.startsWith('<6>{')).toBe(true);
    expect(lines[0]?.trimEnd()).not.toMatch(/[\n\r]/);
    expect(JSON.parse(lines[0]?.slice(3) ?? '')).toMatchObject({ level: 'info', event: 'a.b' });
  });

  test('is where JOURNAL_STREAM names the device and inode of standard output, and nowhere else', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'migration-agent-journal-')), 'out');
    const handle = await open(file, 'w');
    const { dev, ino } = await handle.stat({ bigint: true });
    expect(isJournalStream({ JOURNAL_STREAM: `${dev}:${ino}` }, handle.fd)).toBe(true);
    for (const other of [undefined, '', `${dev}`, `${dev}:${ino + 1n}`, `${dev + 1n}:${ino}`]) {
      expect(isJournalStream({ JOURNAL_STREAM: other }, handle.fd)).toBe(false);
    }
    await handle.close();
    rmSync(dirname(file), { recursive: true });
  });
});

test('lines are out before the program ends, even when it ends at once', async () => {
  const child = program(`log.write('fatal', 'a', 'final message', {}); process.exit(3);`, 'pipe');
  let text = '';
  child.stdout!.on('data', (piece: Buffer) => (text += piece.toString()));
  const [code] = (await once(child, 'close')) as [number];
  expect(code).toBe(3);
  expect(text).toContain('final message');
});

test('a reader that went away does not end the agent', async () => {
  const child = program(
    `process.stdin.once('data', () => {
      for (let line = 0; line < 1000; line += 1) log.write('info', 'a', 'a', {});
      setTimeout(() => process.exit(5), 50);
    });`,
    'pipe',
  );
  child.stdout!.destroy();
  child.stdin!.write('go');
  const [code] = (await once(child, 'close')) as [number];
  expect(code).toBe(5);
});

test('a full disk does not end the agent', async () => {
  const { openSync, closeSync } = await import('node:fs');
  // Every write to it fails with ENOSPC.
  const full = openSync('/dev/full', 'w');
  const child = program(
    `for (let line = 0; line < 100_000; line += 1) log.write('info', 'a', 'a'.repeat(100), {});
     if (process.memoryUsage().external > 200e6) process.exit(1);
     setTimeout(() => process.exit(5), 50);`,
    full,
  );
  const [code] = (await once(child, 'close')) as [number];
  closeSync(full);
  expect(code).toBe(5);
});
