/** Completion scripts, used by a real shell where one is there. */
import { spawnSync } from 'node:child_process';

import { expect, test } from 'vitest';

import { run } from './terminal-in-memory.ts';

async function script(shell: string): Promise<string> {
  return (await run(['completion', shell])).stdout;
}

test('bash completes commands and their options', async () => {
  const text = await script('bash');
  const complete = (...words: string[]) => {
    const line = words.map((word) => `'${word}'`).join(' ');
    const source = `${text}\nCOMP_WORDS=(migration-agent ${line}); COMP_CWORD=${words.length}; _migration_agent; echo "\${COMPREPLY[@]}"`;
    return spawnSync('bash', ['-c', source], { encoding: 'utf8' }).stdout.trim();
  };
  expect(complete('re')).toBe('report resume reload');
  expect(complete('cancel', '--')).toBe('--socket --grace --no-wait --help');
  expect(complete('dance', '--')).toBe('');
});

test('zsh and fish get the same words', async () => {
  expect(await script('zsh')).toMatch(/^autoload .*bashcompinit\n/);
  const text = await script('fish');
  expect(text).toContain(`-a drain -d 'take no more pipeline tasks; running jobs go on'\n`);
  expect(text).toContain(`'__fish_seen_subcommand_from cancel' -l grace\n`);
  const { status, error } = spawnSync('fish', ['--no-execute'], { input: text });
  if (error === undefined) expect(status).toBe(0);
});
