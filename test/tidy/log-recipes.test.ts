/** Every recipe of config/events.md, run as it stands on a journal that has systemd's lines among the agent's. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const whyNoRecipes = spawnSync('jq', ['--version']).status === 0 ? '' : '(jq is missing)';

interface Entry {
  readonly identifier: string;
  readonly priority: number;
  readonly message: string;
}

const own = (priority: number, line: object): Entry => ({
  identifier: 'migration-agent',
  priority,
  message: JSON.stringify({ time: '2026-11-27T02:00:00.000Z', ...line }),
});
const systemd = (message: string): Entry => ({ identifier: 'systemd', priority: 6, message });

const JOURNAL: readonly Entry[] = [
  systemd('Starting migration-agent.service - Tracks migration jobs…'),
  own(6, { level: 'info', event: 'job.started', job: 'nightly-files', run: 'nightly-files/3' }),
  // What the program prints before its log is open, and what node prints at its end.
  { identifier: 'migration-agent', priority: 6, message: '(node:1) Warning: "quoted' },
  systemd('Started migration-agent.service.'),
  own(4, { level: 'warn', event: 'report.throttled', operation: 'PollForTask', pausedForMs: 900 }),
  own(4, {
    level: 'warn',
    event: 'promise.broken',
    job: 'nightly-files',
    run: 'nightly-files/3',
    lateS: 4,
  }),
  own(3, {
    level: 'error',
    event: 'run.ended',
    job: 'nightly-files',
    run: 'nightly-files/3',
    state: 'failed',
  }),
  systemd('migration-agent.service: Main process exited, code=killed, status=9/KILL'),
];

/** What journalctl(1) does with the options of the recipes, on `JOURNAL`. Any other option is an error. */
const JOURNALCTL = `#!${process.execPath}
const entries = JSON.parse(require('node:fs').readFileSync(__dirname + '/journal.json', 'utf8'));
let shown = entries;
const words = process.argv.slice(2);
let output = 'short';
while (words.length > 0) {
  const option = words.shift();
  if (option === '-f') continue;
  const value = words.shift();
  if (option === '-t') shown = shown.filter((entry) => entry.identifier === value);
  else if (option === '-p' && value === 'warning') shown = shown.filter((entry) => entry.priority <= 4);
  else if (option === '-o') output = value;
  else if (option !== '--since') throw new Error('unknown option ' + option);
}
if (output !== 'cat') throw new Error('expected -o cat');
process.stdout.write(shown.map((entry) => entry.message + '\\n').join(''));
`;

const TEXT = readFileSync(new URL('../../config/events.md', import.meta.url), 'utf8');
const RECIPES = (/```sh\n([^]*?)```/.exec(TEXT)?.[1] ?? '')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'recipes-'));
  writeFileSync(join(directory, 'journal.json'), JSON.stringify(JOURNAL));
  // CommonJS, whatever the directory's package says.
  writeFileSync(join(directory, 'package.json'), '{}');
  writeFileSync(join(directory, 'journalctl'), JOURNALCTL);
  chmodSync(join(directory, 'journalctl'), 0o755);
});
afterAll(() => rmSync(directory, { recursive: true }));

function lines(recipe: string): string[] {
  const PATH = `${directory}:${process.env['PATH'] ?? ''}`;
  const script = `set -o pipefail; ${recipe}`;
  const options = { env: { ...process.env, PATH }, encoding: 'utf8' } as const;
  return execFileSync('bash', ['-c', script], options).split('\n').filter(Boolean);
}

describe.skipIf(whyNoRecipes !== '')(`recipes of events.md ${whyNoRecipes}`, () => {
  test('there are recipes, and journalctl knows their options', () => {
    expect(RECIPES.length).toBeGreaterThan(6);
    const help = spawnSync('journalctl', ['--help'], { encoding: 'utf8' });
    if (help.status !== 0) return;
    for (const option of ['-t --identifier', '-p --priority', '-f --follow', '-o --output']) {
      expect(help.stdout).toContain(option);
    }
  });

  test.each(RECIPES)('%s', (recipe) => {
    const found = lines(recipe);
    expect(found.length).toBeGreaterThan(0);
    expect(found.filter((line) => line.includes('service'))).toEqual([]);
  });

  test('what went wrong is what went wrong: by priority and by level', () => {
    const [byPriority = '', byLevel = ''] = RECIPES;
    expect(lines(byLevel)).toHaveLength(3);
    expect(lines(byPriority)).toEqual(lines(byLevel));
    expect(lines(RECIPES[3] ?? '')).toEqual(['2026-11-27T02:00:00.000Z nightly-files/3 failed']);
  });
});
