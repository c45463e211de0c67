/** What `doctor` asks systemctl, and what it makes of answers that do not come. */
import type * as fs from 'node:fs';
import { beforeEach, expect, test, vi } from 'vitest';
import { systemd } from '../../../src/cli/doctor/systemd-check.ts';

interface Host {
  hasSystemd: boolean;
  /** The answer to each question, by a word of it. */
  answers: Record<string, string | Error>;
  asked: string[][];
  limitsMs: (number | undefined)[];
}
const host = vi.hoisted(() => ({}) as Host);
vi.mock(import('node:fs'), async (original) => {
  const real: typeof fs = await original();
  const existsSync: typeof fs.existsSync = (path) =>
    path === '/run/systemd/system' ? host.hasSystemd : real.existsSync(path);
  return { ...real, existsSync };
});
vi.mock(import('node:child_process'), async (original) => ({
  ...(await original()),
  execFile: ((
    program: string,
    words: readonly string[],
    { timeout }: { timeout?: number },
    done: (error: Error | null, output?: { stdout: string }) => void,
  ) => {
    host.asked.push([program, ...words]);
    host.limitsMs.push(timeout);
    const answer = Object.entries(host.answers).find(([word]) => words.includes(word))?.[1] ?? '';
    if (answer instanceof Error) done(answer);
    else done(null, { stdout: answer });
  }) as never,
}));

beforeEach(() => {
  Object.assign(host, {
    hasSystemd: true,
    answers: {
      '--version': 'systemd 252 (252.22-1~deb12u1)\n+PAM +AUDIT\n',
      'migration-agent.service':
        'ActiveState=active\nUnitFileState=enabled\nDelegate=yes\nKillMode=process\nEnvironment=A=1 B=2\nPropagatesStopTo=\n',
      'migration-agent.socket': 'PartOf=migration-agent.service\n',
    },
    asked: [],
    limitsMs: [],
  });
});

test('the version, the unit and its socket are asked for, each within five seconds', async () => {
  expect(await systemd('process')).toEqual({
    verdict: 'ok',
    message: 'systemd 252; migration-agent.service is active, enabled',
  });
  expect(host.asked).toEqual([
    ['systemctl', '--version'],
    [
      ...['systemctl', 'show', 'migration-agent.service', '--property'],
      'ActiveState,UnitFileState,Delegate,KillMode,PropagatesStopTo,Environment',
    ],
    ['systemctl', 'show', 'migration-agent.socket', '--property', 'PartOf'],
  ]);
  expect(host.limitsMs).toEqual([5_000, 5_000, 5_000]);
});

test('what the answers say is what is found', async () => {
  host.answers['--version'] = 'systemd 251 (251)\n';
  expect(await systemd('process')).toMatchObject({
    verdict: 'warning',
    message: expect.stringContaining('credstore/aws-credentials are not loaded') as string,
  });
  host.answers['migration-agent.socket'] = '';
  expect(await systemd('process')).toMatchObject({
    remedy: 'PropagatesStopTo=migration-agent.socket in the unit',
  });
  host.answers['migration-agent.service'] = 'ActiveState=inactive\nUnitFileState=\n';
  expect(await systemd('process')).toEqual({
    verdict: 'ok',
    message: 'systemd 251; migration-agent.service is inactive, not installed',
  });
});

test('a host without systemd is no failure, and nothing is asked', async () => {
  host.hasSystemd = false;
  expect(await systemd('process')).toMatchObject({
    ...{
      verdict: 'skipped',
      message: expect.stringContaining('not booted with systemd') as string,
    },
  });
  expect(host.asked).toEqual([]);
});

test('a systemctl that does not answer has failed', async () => {
  host.answers['migration-agent.socket'] = new Error('Command failed: timed out');
  expect(await systemd('process')).toEqual({
    verdict: 'failed',
    message: 'systemctl does not answer: Command failed: timed out',
    remedy: 'see journalctl -p err; the manager may be overloaded, or not be yours to ask',
  });
});
