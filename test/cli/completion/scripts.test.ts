/** Completion scripts, used by a real shell where one is there. */
import { spawnSync } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { serve, temporaryDirectory } from '../../control/control-server-fixture.ts';
import { jobNamed } from '../../control/operator-in-memory.ts';
import { run } from '../terminal-in-memory.ts';

async function script(shell: string): Promise<string> {
  return (await run(['completion', shell])).stdout;
}

test('bash completes commands, options, what options may be, and jobs', async () => {
  const text = await script('bash');
  // Stands for the program: it knows two jobs.
  const directory = await temporaryDirectory();
  const program = join(directory, 'migration-agent');
  await writeFile(
    program,
    '#!/bin/sh\n[ "$*" = "status --names" ] && printf "copy\\nnightly-files\\n"\n',
  );
  await chmod(program, 0o755);
  const complete = (...words: string[]) => {
    const line = words.map((word) => `'${word}'`).join(' ');
    const source = `${text}\nCOMP_WORDS=(migration-agent ${line}); COMP_CWORD=${words.length}; _migration_agent; echo "\${COMPREPLY[@]}"`;
    const env = { PATH: `${directory}:${process.env['PATH']}` };
    return spawnSync('bash', ['-c', source], { encoding: 'utf8', env }).stdout.trim();
  };
  expect(complete('re')).toBe('report resume reload');
  expect(complete('cancel', '--')).toBe('--socket --grace --no-wait --help');
  expect(complete('cancel', '')).toBe('copy nightly-files');
  expect(complete('wait', 'ni')).toBe('nightly-files');
  expect(complete('wait', 'copy', '--for', '')).toBe('finished delivered');
  expect(complete('config', '')).toBe('check show schema');
  expect(complete('completion', 'z')).toBe('zsh');
  expect(complete('dance', '--')).toBe('');
});

test('status --names gives the names to scripts', async () => {
  const { operator, socketPath } = await serve();
  operator.show(jobNamed('copy'), jobNamed('nightly-files'));
  const { stdout } = await run(['status', '--names', '--socket', socketPath]);
  expect(stdout).toBe('copy\nnightly-files\n');
});

test('zsh and fish get the same words', async () => {
  expect(await script('zsh')).toMatch(/^autoload .*bashcompinit\n/);
  const text = await script('fish');
  expect(text).toContain(`-a drain -d 'take no more pipeline tasks; running jobs go on'\n`);
  expect(text).toContain(`'__fish_seen_subcommand_from cancel' -l grace\n`);
  expect(text).toContain(`'__fish_seen_subcommand_from wait' -l for -x -a 'finished delivered'\n`);
  expect(text).toContain(`from cancel' -f -a '(migration-agent status --names 2>/dev/null)'\n`);
  const { status, error } = spawnSync('fish', ['--no-execute'], { input: text });
  if (error === undefined) expect(status).toBe(0);
});
