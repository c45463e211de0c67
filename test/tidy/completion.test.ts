/** The completion scripts of src/cli/completion are made from the commands as they are. */
import { expect, test } from 'vitest';

import { wholeProgram } from '../../src/cli/program.ts';
import { processTerminal } from '../../src/cli/terminal/terminal.ts';
import { bashScript } from './completion/bash.ts';
import { describeCommands } from './completion/command-line.ts';
import { fishScript } from './completion/fish.ts';
import { zshScript } from './completion/zsh.ts';

test.each([
  ['bash', bashScript],
  ['fish', fishScript],
  ['zsh', zshScript],
])('the script for %s is current (vitest -u writes it)', async (shell, scriptOf) => {
  const script = scriptOf(describeCommands(await wholeProgram(processTerminal())));
  const file = `../../src/cli/completion/migration-agent.${shell}`;
  await expect(script).toMatchFileSnapshot(file);
});
