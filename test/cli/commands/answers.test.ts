/** Small answers of the commands: what is printed where the agent gives less than usual, and what is refused before it is asked. */
import { writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { serve } from '../../control/control-server-fixture.ts';
import { jobNamed } from '../../control/operator-in-memory.ts';
import { run } from '../terminal-in-memory.ts';

const TERMINAL = { columns: 80, rows: 24 };

describe.each([
  ['run', ['--name', 'copy', '--', 'a']],
  ['start', ['copy']],
  ['track', ['copy']],
])('%s', (command, rest) => {
  const asked = async (answer: object, ...more: string[]) => {
    const { operator, socketPath } = await serve();
    operator.answer = () => ({ refused: [], ...answer }) as never;
    return run([command, '--socket', socketPath, ...more, ...rest]);
  };

  test('prints the run for programs, and what happened for people', async () => {
    expect(await asked({ ok: true, run: 'copy/7', message: 'so it is' })).toEqual({
      ...{ code: 0, stdout: 'copy/7\n', stderr: 'so it is\n' },
    });
  });

  test('prints no run if there is none', async () => {
    expect(await asked({ ok: true, message: 'later' })).toEqual({
      ...{ code: 0, stdout: '', stderr: 'later\n' },
    });
  });
});

test('start --wait ends with the result of that run', async () => {
  const { operator, socketPath } = await serve();
  const ended = { startedAt: '2026-11-22T03:00:00.000Z', endedAt: '2026-11-22T03:10:00.000Z' };
  operator.show(jobNamed('copy', { run: 7, state: 'failed', ...ended }));
  operator.answer = () => ({ ok: true, run: 'copy/7', message: 'copy/7 is starting' });
  expect(await run(['start', 'copy', '--wait', '--socket', socketPath])).toEqual({
    code: 1,
    stdout: 'copy/7\n',
    stderr: 'copy/7 is starting\ncopy/7: failed\n',
  });
});

describe.each(['claim', 'drain', 'resume', 'reload'] as const)('%s', (command) => {
  test.each([
    ['invalid', 78],
    ['conflict', 1],
  ] as const)('that is refused as %s exits with %i', async (code, exit) => {
    const { operator, socketPath } = await serve();
    const refusal = { ok: false, code, message: 'no' } as never;
    operator.answer = () => refusal;
    operator.reloadReply = refusal;
    expect(await run([command, '--socket', socketPath])).toEqual({
      ...{ code: exit, stdout: '', stderr: 'migration-agent: no\n' },
    });
  });

  test('without an agent exits with 4', async () => {
    expect((await run([command, '--socket', '/nowhere/agent.sock'])).code).toBe(4);
  });
});

describe('who cancels', () => {
  const by = async (environment: NodeJS.ProcessEnv): Promise<unknown> => {
    const { operator, socketPath } = await serve();
    await run(['cancel', 'copy', '--no-wait', '--socket', socketPath], { environment });
    return (operator.asked[0] as unknown as { by: unknown }).by;
  };

  test('is the user of this process', async () => {
    expect(await by({})).toBe(userInfo().username);
    expect(await by({ SUDO_USER: '' })).toBe(userInfo().username);
  });

  test('is who became root, in 64 characters of a name; an ordinary user is nobody else', async () => {
    const isRoot = process.getuid?.() === 0;
    const named = (name: string): string => (isRoot ? name : userInfo().username);
    expect(await by({ SUDO_USER: 'anna' })).toBe(named('anna'));
    expect(await by({ SUDO_USER: 'a b;c@d.e-f_g' })).toBe(named('a_b_c@d.e-f_g'));
    expect(await by({ SUDO_USER: 'x'.repeat(65) })).toBe(named('x'.repeat(64)));
  });
});

test('the log of a job commands a terminal only where that was asked for, and is whole for a program', async () => {
  const { operator, directory, socketPath } = await serve();
  operator.show(jobNamed('copy', { run: 2, state: 'running' }));
  const text = 'a\u001b[2Jb\u001b[31mc\n';
  await writeFile(join(directory, 'copy-2.out'), text);
  const logs = ['logs', 'copy', '--stream', 'stdout', '--socket', socketPath];
  expect((await run(logs)).stdout).toBe(text);
  const environment = { TERM: 'xterm' };
  const terminal = TERMINAL;
  expect((await run(logs, { terminal, environment })).stdout).toBe('ab\u001b[31mc\n\u001b[0m');
  expect((await run([...logs, '--raw'], { terminal, environment })).stdout).toBe(text);
  const plain = { terminal, environment: { ...environment, NO_COLOR: '1' } };
  expect((await run(logs, plain)).stdout).toBe('abc\n');
});

describe('report', () => {
  test.each<[string, number | undefined]>([
    ['0', 0],
    ['100', 100],
    ['99.5%', 99.5],
    ['100.1', undefined],
    ['101', undefined],
    ['1000', undefined],
    ['-1', undefined],
    ['', undefined],
    ['4O', undefined],
  ])('--percent=%s is %s', async (text, percent) => {
    const { operator, socketPath } = await serve();
    const { code, stderr } = await run([
      ...['report', 'copy', `--percent=${text}`, '--socket', socketPath],
    ]);
    if (percent === undefined) {
      expect([code, operator.asked]).toEqual([2, []]);
      expect(stderr).toContain('expected a number from 0 to 100');
    } else {
      expect(operator.asked).toMatchObject([{ reports: [{ percent }] }]);
    }
  });

  test('is of the job that it runs in, if none is named; without one it is wrong usage', async () => {
    const { operator, socketPath } = await serve();
    const report = ['report', '--percent', '5', '--socket', socketPath];
    for (const environment of [{}, { MIGRATION_JOB: '' }]) {
      const { code, stderr } = await run(report, { environment });
      expect([code, operator.asked]).toEqual([2, []]);
      expect(stderr).toContain('MIGRATION_JOB is not set here');
    }
    await run(report, { environment: { MIGRATION_JOB: 'copy' } });
    expect(operator.asked).toMatchObject([{ reports: [{ name: 'copy' }] }]);
  });
});

test.each([
  ['rsnyc', 'regex:PATTERN or a JSON object.'],
  ['{nonsense', 'this is no JSON object.'],
])('run --progress %s is wrong usage', async (progress, message) => {
  const { operator, socketPath } = await serve();
  const { code, stderr } = await run([
    ...['run', '--socket', socketPath, '--progress', progress, '--', 'a'],
  ]);
  expect([code, operator.asked]).toEqual([2, []]);
  expect(stderr).toContain(message);
});
