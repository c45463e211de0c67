/** How systemd is asked for units: by a program in the place of systemctl. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { findSources } from '../../../src/jobs/tracked/source.ts';
import { showUnits, unitName } from '../../../src/jobs/tracked/systemctl.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'systemctl-'));
  const [made, before] = [directory, process.env['PATH']];
  onTestFinished(() => {
    process.env['PATH'] = before;
    rmSync(made, { recursive: true });
  });
  process.env['PATH'] = `${directory}:${before ?? ''}`;
});

function systemctl(script: string): void {
  const file = join(directory, 'systemctl');
  writeFileSync(file, `#!/bin/sh\necho "$@" >> ${directory}/asked\n${script}\n`);
  chmodSync(file, 0o755);
}
const asked = (): string[] => readFileSync(join(directory, 'asked'), 'utf8').trim().split('\n');

/** Answers each unit with its name. */
const NAMES = `while [ "$1" != -- ]; do shift; done; shift
for unit; do echo "Id=$unit"; echo "StatusText=a=b"; echo "without a sign"; echo; done`;

test('each unit has its properties, in the order in which it was asked for', async () => {
  systemctl(NAMES);
  expect(await showUnits(['b.service', 'a.service'])).toEqual([
    { Id: 'b.service', StatusText: 'a=b' },
    { Id: 'a.service', StatusText: 'a=b' },
  ]);
  expect(asked()[0]).toMatch(
    /^show --no-pager --property=Id,LoadState,.*ExecMainStatus -- b\.service a\.service$/,
  );
});

test('many are asked for in several calls; none in none', async () => {
  systemctl(NAMES);
  const units = Array.from({ length: 501 }, (_, index) => `unit-${index}.service`);
  expect((await showUnits(units)).map(({ Id }) => Id)).toEqual(units);
  expect(asked()).toHaveLength(2);
  expect(await showUnits([])).toEqual([]);
  expect(asked()).toHaveLength(2);
});

test.each([
  ['echo Id=a.service', 'systemctl answered for 1 of 2 units'],
  ['exit 1', 'systemctl cannot ask systemd: Command failed'],
  ['echo no bus >&2; echo more >&2; exit 1', 'systemctl cannot ask systemd: no bus'],
])('an answer that is none: %s', async (script, message) => {
  systemctl(script);
  await expect(showUnits(['a.service', 'b.service'])).rejects.toThrow(message);
});

test('a host without systemd', async () => {
  process.env['PATH'] = directory;
  await expect(showUnits(['a.service'])).rejects.toThrow('there is no systemctl on this host');
  expect(await findSources([{ unit: 'a' }, { statusFile: '/s' }], 'boot')).toEqual([
    'unit: there is no systemctl on this host',
    { by: 'status-file', path: '/s' },
  ]);
});

test.each([
  ['backup', 'backup.service'],
  ['backup.service', 'backup.service'],
  ['backup.timer', 'backup.timer'],
  ['backup@a-b.service', 'backup@a-b.service'],
  ['backup.unknown', 'backup.unknown.service'],
  ['back*', undefined],
  ['a b', undefined],
  ['', undefined],
  ['x'.repeat(245), `${'x'.repeat(245)}.service`],
  ['x'.repeat(246), undefined],
])('%s is the unit %s', (name, unit) => {
  expect(unitName(name)).toBe(unit);
});

describe('what is tracked', () => {
  const source = async (properties: string, unit = 'copy'): Promise<unknown> => {
    systemctl(properties.replaceAll(' ', '\n').replace(/^/gm, 'echo '));
    const [found] = await findSources([{ unit }], 'boot');
    return found;
  };

  test.each<[string, unknown]>([
    ['LoadState=loaded ActiveState=active InvocationID=i1', { invocation: 'i1' }],
    ['LoadState=loaded ActiveState=inactive InvocationID=i1', { before: 'i1' }],
    ['LoadState=loaded ActiveState=failed InvocationID=i1', { before: 'i1' }],
    ['LoadState=loaded ActiveState=inactive InvocationID=', {}],
    // It runs, although its file is gone.
    ['LoadState=not-found ActiveState=active InvocationID=i1', { invocation: 'i1' }],
  ])('%s', async (properties, more) => {
    expect(await source(properties)).toEqual({
      by: 'unit',
      unit: 'copy.service',
      ...(more as object),
    });
  });

  test.each([
    ['LoadState=not-found ActiveState=inactive', 'unit: systemd knows no unit copy.service'],
    ['LoadState=masked ActiveState=inactive', 'unit: copy.service is masked and cannot run'],
  ])('%s is refused', async (properties, problem) => {
    expect(await source(properties)).toBe(problem);
  });

  test('what is no name of a unit is not asked for', async () => {
    systemctl('exit 1');
    expect(await findSources([{ unit: 'a b' }, {}], 'boot')).toEqual([
      'unit: "a b" is not the name of a systemd unit',
      { by: 'report' },
    ]);
  });

  test('a file is read with the rights of who asked', async () => {
    const reader = { uid: 1, groups: [2] };
    expect(await findSources([{ statusFile: '/s' }], 'boot', reader)).toEqual([
      { by: 'status-file', path: '/s', reader },
    ]);
  });
});
