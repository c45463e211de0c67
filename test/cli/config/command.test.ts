import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configFile } from '../../../src/cli/config/file.ts';
import { LAUNCHER } from '../../support/daemon.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'config-command-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(message: readonly string[], environment: Record<string, string> = {}): Promise<Ended> {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const options = { env: { PATH, NODE_COMPILE_CACHE, ...environment } };
  const { promise, resolve } = Promise.withResolvers<Ended>();
  execFile(LAUNCHER, ['config', ...message], options, (error, stdout, stderr) => {
    resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
  });
  return promise;
}

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
  const { code, stderr } = await run(['check', '--config', file]);
  expect(stderr).toMatch(/jobs\.yaml:2:1 fleet: warning: the task names of dump lack \{host\}/);
  expect(stderr).toMatch(/:5:5 jobs\.dump\.command: warning: there is no program no-such-program/);
  expect(stderr).toMatch(/:6:23 jobs\.dump\.workingDirectory: warning: .* does not exist/);
  expect(stderr).toMatch(/:7:11 jobs\.dump\.user: warning: there is no user no-such-user/);
  expect(code).toBe(0);
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

test('the option names the file, then the variable, then /etc', () => {
  expect(configFile('a', { MIGRATION_AGENT_CONFIG: 'b' })).toBe('a');
  expect(configFile(undefined, { MIGRATION_AGENT_CONFIG: 'b' })).toBe('b');
  expect(configFile(undefined, {})).toBe('/etc/migration-agent/config.yaml');
});
