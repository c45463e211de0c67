/** What a host lacks for the jobs of a configuration: each kind of finding, and none for a job that can start. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkJobs } from '../../../src/cli/file-system/check-jobs.ts';
import type { InheritedPath } from '../../../src/cli/file-system/check-jobs.ts';
import type { JobDefinition } from '../../../src/core/model/job.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'check-jobs-'));
  mkdirSync(join(directory, 'bin'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function script(name: string, interpreter: string): void {
  writeFileSync(join(directory, name), `#!${interpreter}\n`);
  chmodSync(join(directory, name), 0o755);
}

function job(command: readonly string[], rest: Partial<JobDefinition> = {}): JobDefinition {
  return {
    name: 'copy',
    command,
    environment: {},
    autostart: false,
    progress: { parser: 'none' },
    stop: { signal: 'SIGTERM', graceMs: 30_000 },
    ...rest,
  };
}

async function messages(
  definition: JobDefinition,
  path: InheritedPath = { path: '/usr/bin:/bin' },
): Promise<string[]> {
  const found = await checkJobs(new Map([[definition.name, definition]]), path);
  return found.map(({ keys, message }) => `${keys.join('.')}: ${message}`);
}

test('a job that can start has no finding', async () => {
  script('copy.sh', '/bin/sh');
  expect(await messages(job(['true']))).toEqual([]);
  expect(await messages(job(['./copy.sh'], { workingDirectory: directory, user: 'root' }))).toEqual(
    [],
  );
  expect(await messages(job(['copy.sh'], { environment: { PATH: directory } }))).toEqual([]);
});

test('a program that is not there, by name and by path, relative to the directory of the job', async () => {
  expect(await messages(job(['no-such-program']))).toEqual([
    'command: there is no program no-such-program in the PATH of the job: write its whole path, or set environment.PATH',
  ]);
  expect(await messages(job(['./copy.sh'], { workingDirectory: directory }))).toEqual([
    `command: there is no program ${directory}/copy.sh`,
  ]);
  // The PATH of the job, not that of the agent.
  expect(await messages(job(['true'], { environment: { PATH: directory } }))).toEqual([
    'command: there is no program true in the PATH of the job: write its whole path, or set environment.PATH',
  ]);
});

test('what is no program: a directory, a file without its bit, a script without its interpreter', async () => {
  writeFileSync(join(directory, 'plain'), '');
  script('broken', '/usr/bin/no-such-interpreter -u');
  const inside = { workingDirectory: directory };
  expect(await messages(job(['./bin'], inside))).toEqual([`command: ${directory}/bin is no file`]);
  expect(await messages(job(['./plain'], inside))).toEqual([
    `command: ${directory}/plain is not executable for this user`,
  ]);
  expect(await messages(job(['./broken'], inside))).toEqual([
    `command: the first line of ${directory}/broken names /usr/bin/no-such-interpreter, which does not exist`,
  ]);
});

test('a program that only the shell of the caller finds is a warning, not a failure', async () => {
  script('bin/only-here', '/bin/sh');
  const path = `${directory}/bin:/usr/bin:/bin`;
  const definition = job(['only-here']);
  const [found] = await checkJobs(new Map([['copy', definition]]), { path, isOfShell: true });
  expect(found).toMatchObject({ keys: ['command'], isFatal: false });
  expect(found?.message).toContain('not in that of a service');
  expect(await messages(definition, { path })).toEqual([]);
});

test('user, directory, and what progress is measured by', async () => {
  const missing = join(directory, 'missing');
  const found = await messages(
    job(['true'], {
      user: 'no-such-user',
      workingDirectory: missing,
      progress: { parser: 'size', target: `${missing}/copy`, source: `${missing}/source` },
    }),
  );
  expect(found).toEqual([
    `workingDirectory: ${missing} does not exist`,
    'user: there is no user no-such-user on this host',
    `progress.source: ${missing}/source does not exist: percent stays unknown until it does`,
    `progress.target: ${missing} does not exist: percent stays unknown until it does`,
  ]);
});
