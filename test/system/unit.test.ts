/** The systemd units and drop-ins: systemd itself reads them, and each setting has its reason above it. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
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
const DROP_INS = readdirSync(join(directory, 'drop-ins'));

function newDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'units-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

/** The units as they are installed, with drop-ins, in a directory of their own. */
function unitsWith(...dropIns: readonly string[]): string {
  const copy = newDirectory();
  for (const name of UNITS) cpSync(join(directory, name), join(copy, name));
  for (const name of dropIns) {
    cpSync(join(directory, 'drop-ins', name), join(copy, 'migration-agent.service.d', name));
  }
  return copy;
}

/** Writes what the generator makes on a systemd of this version below `into`. */
function generate(version: number, into: string): void {
  const work = newDirectory();
  const systemctl = join(work, 'systemctl');
  writeFileSync(systemctl, `#!/bin/sh\necho 'systemd ${version} (${version}-1)'\necho '+PAM'\n`);
  chmodSync(systemctl, 0o755);
  const script = readFileSync(join(directory, 'migration-agent-generator'), 'utf8');
  const path = `PATH=${work}:/usr/bin:/bin`;
  expect(script).toContain('\nPATH=');
  const message = ['-c', script.replace(/^PATH=.*$/m, path), 'generator', into];
  expect(run('/bin/sh', ...message)).toEqual({ status: 0, text: '' });
}

describe.skipIf(!hasAnalyze)(
  'systemd-analyze (skipped: the program is not on this machine)',
  () => {
    test.each([[[]], ...DROP_INS.map((name) => [[name]])])(
      'finds nothing to complain of but the program that is not installed, with %j',
      (dropIns) => {
        const units = unitsWith(...dropIns);
        const complaints = UNITS.flatMap((name) =>
          run('systemd-analyze', 'verify', '--man=no', join(units, name)).text.split('\n'),
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
      [['job-users.conf'], 29],
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

describe('the generator', () => {
  const written = (version: number): string[] => {
    const into = newDirectory();
    generate(version, into);
    return readdirSync(into, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.conf'))
      .toSorted();
  };
  const PART_OF = 'migration-agent.socket.d/before-249.conf';
  const CREDENTIALS = 'migration-agent.service.d/before-252.conf';

  test.each([
    [239, [CREDENTIALS, PART_OF]],
    [245, [CREDENTIALS, PART_OF]],
    [247, [CREDENTIALS, PART_OF]],
    [248, [CREDENTIALS, PART_OF]],
    [249, [CREDENTIALS]],
    [251, [CREDENTIALS]],
    [252, []],
    [257, []],
  ])('on systemd %i writes %j', (version, drop) => {
    expect(written(version)).toEqual(drop);
  });

  test.skipIf(!hasAnalyze)('writes drop-ins that systemd reads (skipped without it)', () => {
    const units = unitsWith();
    generate(247, units);
    const complaints = UNITS.flatMap((name) =>
      run('systemd-analyze', 'verify', '--man=no', join(units, name)).text.split('\n'),
    ).filter((line) => line.includes('migration-') && !line.includes('is not executable'));
    expect(complaints).toEqual([]);
  });

  test('empties LoadCredential= only if systemd knows it', () => {
    const credentials = (version: number): string => {
      const into = newDirectory();
      generate(version, into);
      return readFileSync(join(into, CREDENTIALS), 'utf8');
    };
    expect(credentials(246)).not.toContain('LoadCredential=');
    expect(credentials(247)).toMatch(/^LoadCredential=$/m);
  });
});

test.each([...UNITS, ...DROP_INS])('each setting of %s has its reason above it', (name) => {
  const folder = DROP_INS.includes(name) ? join(directory, 'drop-ins') : directory;
  const lines = readFileSync(join(folder, name), 'utf8').split('\n');
  const bare = lines.filter((line, index) => {
    if (!/^\w+=/.test(line) || /^(?:Description|Documentation|WantedBy|Wants)=/.test(line))
      return false;
    // Settings that stand directly below one another share their reason.
    let above = index - 1;
    while (/^\w+=/.test(lines[above] ?? '')) above -= 1;
    return !(lines[above] ?? '').startsWith('#');
  });
  expect(bare).toEqual([]);
});
