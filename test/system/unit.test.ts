/** The systemd unit: systemd itself reads it, and each setting has its reason above it. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

const directory = new URL('../../systemd/', import.meta.url).pathname;
const unit = `${directory}migration-agent.service`;
const hasAnalyze = spawnSync('systemd-analyze', ['--version']).status === 0;
const hasSysusers = spawnSync('systemd-sysusers', ['--version']).status === 0;

function run(program: string, ...words: string[]): { status: number | null; text: string } {
  const { status, stdout, stderr } = spawnSync(program, words, {
    encoding: 'utf8',
    cwd: directory,
  });
  return { status, text: stdout + stderr };
}

function settings(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const line of readFileSync(unit, 'utf8').split('\n')) {
    const [, name, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (name !== undefined) found.set(name, [...(found.get(name) ?? []), value ?? '']);
  }
  return found;
}

describe.skipIf(!hasAnalyze)(
  'systemd-analyze (skipped: the program is not on this machine)',
  () => {
    test('finds nothing to complain of but the program that is not installed', () => {
      const complaints = run('systemd-analyze', 'verify', unit)
        .text.split('\n')
        .filter(
          (line) =>
            line !== '' && !line.includes('Command /usr/bin/migration-agent is not executable'),
        )
        // Of other units of this machine, which verify reads as well.
        .filter((line) => line.includes('migration-agent'));
      expect(complaints).toEqual([]);
    });

    test('rates the exposure at 2.5 or better', () => {
      const { status, text } = run(
        'systemd-analyze',
        'security',
        '--offline=true',
        '--threshold=25',
        unit,
      );
      expect([status, text.trimEnd().split('\n').at(-1)]).toEqual([
        0,
        expect.stringContaining('Overall exposure level'),
      ]);
    });
  },
);

test.skipIf(!hasSysusers)('systemd-sysusers reads its file (skipped where it is missing)', () => {
  expect(
    run('systemd-sysusers', '--dry-run', `${directory}migration-agent.sysusers`),
  ).toMatchObject({
    status: 0,
    text: expect.stringContaining('migration-agent') as string,
  });
});

test('jobs outlive the agent, and two exit codes are final', () => {
  const of = (name: string) => settings().get(name)?.at(-1);
  expect(of('Type')).toBe('notify');
  expect(of('NotifyAccess')).toBe('main');
  expect(of('KillMode')).toBe('process');
  expect(of('Delegate')).toBe('yes');
  expect(of('Restart')).toBe('always');
  expect(of('RestartPreventExitStatus')).toBe('75 78');
  expect(of('RuntimeDirectoryPreserve')).toBe('yes');
  expect(of('WatchdogSec')).toBe('150');
  // V8 aborts under the first, and dies of SIGSYS without the second.
  expect(of('MemoryDenyWriteExecute')).toBe('no');
  expect(settings().get('SystemCallFilter')?.[0]).toContain('@pkey');
});

test('each setting of the service has its reason in a comment above it', () => {
  const lines = readFileSync(unit, 'utf8').split('\n');
  const service = lines.slice(lines.indexOf('[Service]') + 1, lines.indexOf('[Install]'));
  const bare = service.filter((line, index) => {
    if (!line.includes('=') || line.startsWith('#')) return false;
    // Settings that stand directly below one another share their reason.
    let above = index - 1;
    while (/^\w+=/.test(service[above] ?? '')) above -= 1;
    return !(service[above] ?? '').startsWith('#');
  });
  expect(bare).toEqual([]);
});
