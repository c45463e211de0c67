import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configFile } from '../../../src/cli/config/file.ts';
import { run as runProgram } from '../terminal-in-memory.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'config-command-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

const run = (message: readonly string[], environment: NodeJS.ProcessEnv = {}) =>
  runProgram(['config', ...message], {
    environment: { PATH: process.env['PATH'], TZ: 'UTC', ...environment },
  });

async function write(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

test('check prints every problem on stderr and ends with 78', async () => {
  const file = await write(
    'bad.yaml',
    'migrationHub: { progressUpdateStream: a/b }\nlog: { level: x }\n',
  );
  const { code, stdout, stderr } = await run(['check', '--config', file]);
  expect(stderr.split('\n')).toEqual([
    `${file}:1:39 migrationHub.progressUpdateStream: must not hold / : | or control characters`,
    `${file}:2:15 log.level: expected debug, info, warn, error or fatal, found "x"`,
    '',
  ]);
  expect({ code, stdout }).toEqual({ code: 78, stdout: '' });
});

test('check prints warnings, and that there are no errors', async () => {
  const file = await write(
    'good.yaml',
    'migrationHub: { progressUpdateStream: s, nextUpdate: 30s }\n',
  );
  const { code, stderr } = await run(['check'], { MIGRATION_AGENT_CONFIG: file });
  expect(stderr.split('\n')).toEqual([
    `${file}:1:54 migrationHub.nextUpdate: warning: is shorter than 60s: a short outage makes every task stale`,
    `${file}: no errors, 1 warning`,
    '',
  ]);
  expect(code).toBe(0);
});

test('check looks at what this host has for the jobs, and names the line', async () => {
  const file = await write(
    'jobs.yaml',
    `migrationHub: { progressUpdateStream: s }
fleet: { share: 0.5 }
jobs:
  dump:
    command: [no-such-program]
    workingDirectory: /no-such-directory
    user: no-such-user
`,
  );
  // Without a directory that this user may not search.
  const { code, stderr } = await run(['check', '--config', file], { PATH: '/usr/bin:/bin' });
  expect(stderr).toMatch(/jobs\.yaml:2:1 fleet: warning: the task names of dump lack \{host\}/);
  expect(stderr).toMatch(/:5:5 jobs\.dump\.command: warning: there is no program no-such-program/);
  expect(stderr).toMatch(/:6:23 jobs\.dump\.workingDirectory: warning: .* does not exist/);
  expect(stderr).toMatch(/:7:11 jobs\.dump\.user: warning: there is no user no-such-user/);
  expect(code).toBe(0);
});

test('check shows the parser that is picked, and the next starts', async () => {
  const file = await write(
    'notes.yaml',
    `jobs:
  copy: { command: [rsync, -a, /srv/a/, /srv/b/], progress: { parser: auto } }
  odd: { command: ['true'], progress: { parser: auto } }
  plain: { command: ['true'], progress: { parser: none } }
  daily: { command: ['true'], schedule: '0 12 * * *', timezone: Europe/Berlin }
  here: { command: ['true'], schedule: '30 4 * * *' }
  never: { command: ['true'], schedule: '0 0 29 2 1#1' }
`,
  );
  const { code, stdout, stderr } = await run(['check', '--config', file]);
  const start = (zone: string, time: string) => `\\w{3} \\d{4}-\\d\\d-\\d\\d ${time} ${zone}`;
  const berlin = start('\\+0[12]:00', '12:00');
  const utc = start('\\+00:00', '04:30');
  expect(stderr).toMatch(/^jobs\.copy\.progress: auto picks rsync, since the command runs rsync$/m);
  expect(stderr).toMatch(/^jobs\.odd\.progress: auto picks none$/m);
  expect(stderr).not.toContain('jobs.plain.progress');
  const three = (each: string) => `${each}, ${each}, ${each}$`;
  const line = (job: string, zone: string, starts: string) =>
    new RegExp(`^jobs\\.${job}\\.schedule: next starts \\(${zone}\\): ${starts}`, 'm');
  expect(stderr).toMatch(line('daily', 'Europe/Berlin', three(berlin)));
  expect(stderr).toMatch(line('here', 'UTC', three(utc)));
  expect(stderr).toMatch(line('never', 'UTC', 'none$'));
  expect([code, stdout]).toEqual([0, '']);
});

test.each([
  ['migrationHub: { progressUpdateStream: s }', 'no problems'],
  ['migrationHub: { progressUpdateStream: s, nextUpdate: 30s }', 'no errors, 1 warning'],
  [
    'migrationHub: { progressUpdateStream: s, nextUpdate: 30s }\ndataPipeline: { region: us-east-1, workerGroups: [a], activities: [], reportEvery: 10m }',
    'no errors, 4 warnings',
  ],
])('check counts what it found: %s', async (text, count) => {
  const file = await write('count.yaml', `${text}\n`);
  const { stderr } = await run(['check', '--config', file]);
  expect(stderr.trimEnd().split('\n').at(-1)).toBe(`${file}: ${count}`);
});

test('show has a table whose columns are as wide as they need', async () => {
  const file = await write('table.yaml', 'migrationHub: { progressUpdateStream: s }\n');
  const lines = (await run(['show', '--config', file])).stdout.trimEnd().split('\n');
  const starts = lines.map((line) => /^\w+ +(?=\w)/.exec(line)?.[0].length);
  expect(new Set(starts)).toEqual(new Set([13]));
  const values = lines.map((line) => /^\w+ +\S+ +(?=\S)/.exec(line)?.[0].length ?? 0);
  expect(new Set(values.filter((at) => at > 0)).size).toBe(1);
});

test('show and schema print data on stdout', async () => {
  const file = await write('show.yaml', 'migrationHub: { progressUpdateStream: s }\n');
  const table = await run(['show', '--config', file]);
  expect(table.stdout).toMatch(/^file +migrationHub.progressUpdateStream +s$/m);
  const json = await run(['show', '--json', '--config', file]);
  expect(JSON.parse(json.stdout)).toMatchObject({
    file,
    keys: expect.arrayContaining([
      { key: 'migrationHub.progressUpdateStream', value: 's', source: 'file' },
    ]) as unknown,
  });
  expect(JSON.parse((await run(['schema'])).stdout)).toHaveProperty('properties.jobs');
  expect((await run(['show', '--config', join(folder, 'none.yaml')])).code).toBe(78);
});

test('a schema is indented by two for editors, and so is JSON of show', async () => {
  expect((await run(['schema'])).stdout).toMatch(/^\{\n {2}"[^]*\n\}\n$/);
  const file = await write('indent.yaml', 'log: { level: warn }\n');
  expect((await run(['show', '--json', '--config', file])).stdout).toMatch(/^\{\n {2}"file"/);
});

test('the option names the file, then the variable, then /etc', () => {
  expect(configFile('a', { MIGRATION_AGENT_CONFIG: 'b' })).toBe('a');
  expect(configFile(undefined, { MIGRATION_AGENT_CONFIG: 'b' })).toBe('b');
  expect(configFile(undefined, {})).toBe('/etc/migration-agent/config.yaml');
});
