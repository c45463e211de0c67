/** Every command describes itself, with an example that its own parser takes, and nothing is loaded for that. */
import { spawnSync } from 'node:child_process';

import type { Command } from 'commander';
import { beforeAll, describe, expect, test } from 'vitest';

import { wholeProgram } from '../../src/cli/program.ts';
import { processTerminal } from '../../src/cli/terminal/terminal.ts';
import { run } from './terminal-in-memory.ts';

/** Every command, in the order of the help text. */
const COMMANDS = [
  'daemon',
  'run',
  'start',
  'status',
  'events',
  'logs',
  'wait',
  'cancel',
  'drain',
  'resume',
  'reload',
  'config',
  'simulate',
  'demo',
  'completion',
];

let program: Command;
beforeAll(async () => {
  program = await wholeProgram(processTerminal());
});

function all(command: Command): Command[] {
  return command.commands.flatMap((each) => [each, ...all(each)]);
}

function path(command: Command): string[] {
  return command.parent === null ? [] : [...path(command.parent), command.name()];
}

test('all commands of the contract are there', () => {
  const names = program.commands.map((command) => command.name());
  expect(COMMANDS.filter((name) => !names.includes(name))).toEqual([]);
});

test('each has a description, and each of its options and arguments as well', () => {
  for (const command of all(program)) {
    expect(command.description(), path(command).join(' ')).toMatch(/^\w.{8,}/s);
    for (const option of command.options) expect(option.description, option.flags).not.toBe('');
    for (const argument of command.registeredArguments) {
      expect(argument.description, argument.name()).not.toBe('');
    }
  }
});

describe('--help of every command', () => {
  test('goes to stdout, fits 80 columns and ends with an example of itself', async () => {
    const commands = all(program).map(path);
    expect(commands.length).toBeGreaterThan(15);
    for (const message of commands) {
      const { code, stdout, stderr } = await run([...message, '--help']);
      expect([message, code, stderr]).toEqual([message, 0, '']);
      expect(stdout).toContain(`Usage: migration-agent ${message.join(' ')}`);
      const [, examples = ''] = stdout.split(/\nExamples?:\n/);
      // What has commands of its own shows them together.
      if (message.length === 1)
        expect(examples, message[0]).toContain(`migration-agent ${message[0]}`);
      const [own = ''] = stdout.split(/\nExamples?:\n/);
      // Shorthand of the aws command is one long value, which cannot be broken.
      const tooLong = own.split('\n').filter((line) => line.length > 80 && !/\S{40}/.test(line));
      expect(tooLong).toEqual([]);
    }
  });
});

test('a misspelt command gets a suggestion, with exit code 2', async () => {
  const { code, stderr } = await run(['statu']);
  expect(code).toBe(2);
  expect(stderr).toContain('status');
});

test('--help loads no command: it answers at once', () => {
  const script = `
    import { registerHooks } from 'node:module';
    const loaded = new Set();
    registerHooks({ load: (url, context, next) => (loaded.add(url), next(url, context)) });
    process.on('exit', () => process.stderr.write(JSON.stringify([...loaded])));
    process.argv.splice(1, 1, 'x', '--help');
    const { runProgram } = await import('./src/cli/program.ts');
    await runProgram(['--help']);`;
  const { stderr, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  expect(stdout).toContain('Usage: migration-agent');
  const loaded = JSON.parse(stderr) as string[];
  expect(loaded.length).toBeGreaterThan(10);
  expect(loaded.filter((url) => /@aws-sdk|node:sqlite|prom-client|bottleneck/.test(url))).toEqual(
    [],
  );
});
