/** The systemd unit: systemd itself reads it, and each setting has its reason above it. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, onTestFinished, test } from 'vitest';

const directory = new URL('../../systemd/', import.meta.url).pathname;
const unit = `${directory}migration-agent.service`;
const hasAnalyze = spawnSync('systemd-analyze', ['--version']).status === 0;
const hasSysusers = spawnSync('systemd-sysusers', ['--version']).status === 0;

function run(program: string, ...message: string[]): { status: number | null; text: string } {
  const { status, stdout, stderr } = spawnSync(program, message, {
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

const UNITS = ['migration-agent.service', 'migration-agent.socket', 'migration-jobs.slice'];

/** The units as they are installed, and with the stricter agent's drop-in, in a directory of their own. */
function unitsWith(...dropIns: readonly string[]): string {
  const copy = mkdtempSync(join(tmpdir(), 'units-'));
  onTestFinished(() => rmSync(copy, { recursive: true }));
  for (const name of UNITS) cpSync(join(directory, name), join(copy, name));
  for (const name of dropIns) {
    cpSync(join(directory, name), join(copy, 'migration-agent.service.d', name));
  }
  return copy;
}

describe.skipIf(!hasAnalyze)(
  'systemd-analyze (skipped: the program is not on this machine)',
  () => {
    test.each([[[]], [['strict.conf']]])(
      'finds nothing to complain of but the program that is not installed, with %j',
      (dropIns) => {
        const units = unitsWith(...dropIns);
        const complaints = UNITS.flatMap((name) =>
          run('systemd-analyze', 'verify', join(units, name)).text.split('\n'),
        ).filter(
          (line) =>
            line.includes('migration-') &&
            !line.includes('Command /usr/bin/migration-agent is not executable'),
        );
        expect(complaints).toEqual([]);
      },
    );

    // In tenths: 0 is nothing left open, 100 is everything.
    test.each([
      [[], 24],
      [['strict.conf'], 17],
    ])('rates the exposure with %j at %i tenths or better', (dropIns, threshold) => {
      const { status, text } = run(
        'systemd-analyze',
        'security',
        '--offline=true',
        `--threshold=${threshold}`,
        join(unitsWith(...dropIns), 'migration-agent.service'),
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
  expect(of('Sockets')).toBe('migration-agent.socket');
  // V8 aborts under the first, and dies of SIGSYS without the second.
  expect(of('MemoryDenyWriteExecute')).toBe('no');
  expect(settings().get('SystemCallFilter')?.[0]).toContain('@pkey');
});

test.each([...UNITS, 'strict.conf'])('each setting of %s has its reason above it', (name) => {
  const lines = readFileSync(join(directory, name), 'utf8').split('\n');
  const bare = lines.filter((line, index) => {
    if (!/^\w+=/.test(line) || /^(?:Description|WantedBy|Wants)=/.test(line)) return false;
    // Settings that stand directly below one another share their reason.
    let above = index - 1;
    while (/^\w+=/.test(lines[above] ?? '')) above -= 1;
    return !(lines[above] ?? '').startsWith('#');
  });
  expect(bare).toEqual([]);
});
