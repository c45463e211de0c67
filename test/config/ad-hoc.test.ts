import { describe, expect, test } from 'vitest';
import { adHocDefinition } from '../../src/config/ad-hoc.ts';
import { loadConfiguration } from '../../src/config/load.ts';
import { parseProgressOption } from '../../src/config/progress-option.ts';

function settings(text: string) {
  const loaded = loadConfiguration({ file: 'a', text, environment: {}, hostname: 'files01' });
  if (!loaded.ok) throw new Error('the text of this test is wrong');
  return loaded.configuration.settings;
}

const SETTINGS = settings(
  'migrationHub: { progressUpdateStream: s }\njobs: { nightly: { command: [x] } }\n',
);

function problem(request: unknown): string {
  const made = adHocDefinition(request, SETTINGS);
  return made.ok ? '' : made.problem;
}

describe('an ad hoc job', () => {
  test('has the defaults of a configured one', () => {
    const made = adHocDefinition({ name: 'nightly-2', command: ['x'] }, SETTINGS);
    const configured = SETTINGS.jobs.get('nightly');
    expect(made).toEqual({ ok: true, definition: { ...configured, name: 'nightly-2' } });
  });

  test('takes the keys of the file, in its spelling', () => {
    const made = adHocDefinition(
      {
        name: 'copy',
        command: ['cp', 'a', 'b'],
        environment: { A: 'b' },
        workingDirectory: '/srv',
        progress: 'size:/srv/b:10GB',
        timeout: '1h',
        stop: { grace: '5s' },
        migrationHub: false,
      },
      SETTINGS,
    );
    expect(made).toEqual({
      ok: true,
      definition: {
        name: 'copy',
        command: ['cp', 'a', 'b'],
        environment: { A: 'b' },
        workingDirectory: '/srv',
        autostart: false,
        progress: { parser: 'size', target: '/srv/b', totalBytes: 10_000_000_000 },
        stop: { signal: 'SIGTERM', graceMs: 5000 },
        timeoutMs: 3_600_000,
      },
    });
  });

  test('does not speak to Migration Hub where that is turned off', () => {
    const made = adHocDefinition({ name: 'a', command: ['x'] }, settings('log: {}\n'));
    expect(made.ok && made.definition.migrationHub).toBe(undefined);
  });

  test.each([
    [{ name: 'a b', command: ['x'] }, 'name: expected a name of 1 to 128 letters'],
    [{ name: 'nightly', command: ['x'] }, 'nightly is a configured job; start it with'],
    [{ name: 'a', command: [] }, 'command: must name a program'],
    [{ name: 'a' }, 'command: is missing'],
    [{ name: 'a', command: ['x'], schedule: '* * * * *' }, 'schedule: unknown key'],
    [{ name: 'a', command: ['x'], timeuot: '1h' }, 'did you mean "timeout"?'],
    [{ name: 'a', command: ['x'], timeout: 60 }, 'timeout: a number without a unit'],
    [{ name: 'a', command: ['x'], progress: 'rsynk' }, 'did you mean rsync?'],
    [{ name: 'a', command: ['x'], progress: { parser: 'size', target: '/b' } }, 'needs source or'],
    [{ name: 'a', command: ['x'], migrationHub: { task: 'a:b' } }, 'migrationHub.task: ":" is not'],
    [{ name: 'a', command: ['x'], environment: { 'A-B': 'x' } }, 'digits and underscores'],
    [{ name: 'a', command: ['x'], migrationHub: { task: 't'.repeat(257) } }, '256 at most'],
    ['text', 'expected a map of keys'],
    [null, 'is empty'],
    [undefined, 'is missing'],
    [[], 'expected a map of keys'],
  ])('%j: %s', (request, message) => {
    const made = adHocDefinition(request, SETTINGS);
    expect(made.ok).toBe(false);
    expect(problem(request)).toContain(message);
  });

  test('tells everything at once', () => {
    const text = problem({ name: 'a b', command: 'x', progress: 'nonsense', more: 1 });
    for (const key of ['name:', 'command:', 'progress:', 'more:']) expect(text).toContain(key);
  });
});

test('a job that waits for its whole tree says so', () => {
  const made = adHocDefinition({ name: 'a', command: ['x'], waitFor: 'tree' }, SETTINGS);
  expect(made).toMatchObject({ ok: true, definition: { waitFor: 'tree' } });
});

describe('--progress', () => {
  test.each([
    ['rsync', { parser: 'rsync' }],
    ['percent', { parser: 'percent' }],
    ['json', { parser: 'json' }],
    ['pv', { parser: 'pv' }],
    ['none', { parser: 'none' }],
    ['pg_restore', { parser: 'pg_restore' }],
    ['auto', { parser: 'auto' }],
    ['tar:2 GB', { parser: 'tar', totalBytes: 2_000_000_000 }],
    ['pg_restore:/srv/a.dump', { parser: 'pg_restore', archive: '/srv/a.dump' }],
    ['regex:(?<percent>\\d+):', { parser: 'regex', pattern: '(?<percent>\\d+):' }],
    ['size:/srv/b:10 GB', { parser: 'size', target: '/srv/b', totalBytes: 10_000_000_000 }],
    ['size:/srv/a:b:1KiB', { parser: 'size', target: '/srv/a:b', totalBytes: 1024 }],
    ['size:/srv/b:/srv/a', { parser: 'size', target: '/srv/b', source: '/srv/a' }],
  ])('%s', (option, progress) => {
    expect(parseProgressOption(option)).toEqual({ ok: true, progress });
  });

  test.each([
    ['rsnyc', 'did you mean rsync?'],
    ['', 'expected auto, rsync, pv'],
    ['regex:(', 'not a regular expression'],
    ['regex:x', 'a group named percent'],
    ['size:/srv/b', 'size:TARGET:TOTAL'],
    ['size:b:1GB', 'an absolute path'],
    ['size:/b:lots', 'expected a size'],
    ['size:/b:0', 'expected a size'],
  ])('%j is refused: %s', (option, message) => {
    expect(parseProgressOption(option)).toMatchObject({
      ok: false,
      problem: expect.stringContaining(message) as string,
    });
  });
});
