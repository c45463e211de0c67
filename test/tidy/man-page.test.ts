/** systemd/migration-agent.1 is made from the help of the commands, and man(1) can show it. */
import { spawnSync } from 'node:child_process';

import { expect, test } from 'vitest';

import { wholeProgram } from '../../src/cli/program.ts';
import { processTerminal } from '../../src/cli/terminal/terminal.ts';
import { VERSION } from '../../src/cli/version.ts';
import { manPage } from './man-page.ts';

const PAGE = 'systemd/migration-agent.1';
const hasMan = spawnSync('man', ['--version']).status === 0;

test('the manual page is current (vitest -u writes it)', async () => {
  const page = manPage(await wholeProgram(processTerminal()), VERSION);
  await expect(page).toMatchFileSnapshot(`../../${PAGE}`);
});

test.skipIf(!hasMan)('man shows it without a warning (skipped where man is missing)', () => {
  const { stdout, stderr, status } = spawnSync('man', ['--warnings', '-l', PAGE], {
    encoding: 'utf8',
    env: { ...process.env, MANWIDTH: '80', LC_ALL: 'C.UTF-8', MANPAGER: 'cat', PAGER: 'cat' },
  });
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toContain('migration-agent cancel');
  expect(stdout).toContain('--grace <duration>');
});
