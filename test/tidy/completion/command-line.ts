/** What can be typed after each command, as the completion scripts need it: read from the commands themselves. */
import { PLAIN_PARSERS } from '../../../src/core/model/job.ts';
import { CONDITIONS } from '../../../src/core/operator/attention.ts';
import type { Argument, Command, Option } from 'commander';

export interface CommandLine {
  /** `status`, or `config check`. */
  readonly command: string;
  readonly summary: string;
  readonly options: readonly LineOption[];
  /** What may stand in the first place after the command, in the second, and so on; the last one repeats. */
  readonly places: readonly Place[];
}

export interface LineOption {
  readonly long: string;
  readonly summary: string;
  /** Absent: the option has no value. */
  readonly value?: OptionValue;
}

/** Of a fixed set; a path, which the shell completes itself; anything else. */
export type OptionValue = readonly string[] | 'path' | 'text';

export interface Place {
  readonly choices: readonly string[];
  readonly jobs: boolean;
}

/** A value that starts with one of these may go on: `regex:PATTERN`. */
const PARSERS = [...PLAIN_PARSERS, 'pg_restore', 'dd', 'tar', 'regex:'];

/** Values that commander does not know as a set, since others are valid too. */
const COMMON_VALUES: Readonly<Record<string, readonly string[]>> = {
  'run --progress': PARSERS,
  'logs --lines': ['all'],
  'status --state': CONDITIONS,
};

export function describeCommands(program: Command): readonly CommandLine[] {
  return describeLevel(program, []);
}

function describeLevel(parent: Command, path: readonly string[]): CommandLine[] {
  const help = parent.createHelp();
  return help.visibleCommands(parent).flatMap((command) => {
    const line = [...path, command.name()];
    const name = line.join(' ');
    return [
      {
        command: name,
        summary: help.subcommandDescription(command),
        options: help.visibleOptions(command).flatMap((option) => describeOption(name, option)),
        places: placesOf(command),
      },
      ...describeLevel(command, line),
    ];
  });
}

function describeOption(command: string, option: Option): LineOption[] {
  const { long, description, argChoices, flags } = option;
  if (typeof long !== 'string') return [];
  const base = { long, summary: description };
  if (!option.required && !option.optional) return [base];
  const isPath = /<(?:file|path|directory)>/.test(flags);
  const choices = argChoices ?? COMMON_VALUES[`${command} ${long}`];
  return [{ ...base, value: choices ?? (isPath ? 'path' : 'text') }];
}

function placesOf(command: Command): Place[] {
  const children = command.commands.map((each) => each.name());
  if (children.length > 0) return [{ choices: children, jobs: false }];
  return command.registeredArguments.map((argument) => placeOf(command.name(), argument));
}

function placeOf(command: string, argument: Argument): Place {
  if (command === 'outbox' && argument.name() === 'what') {
    return { choices: ['retry', 'drop'], jobs: true };
  }
  return { choices: argument.argChoices ?? [], jobs: argument.name() === 'name' };
}
