/** Exit codes 126 and 127 in plain words, if the shell or setpriv said why; a program that ends with them is left alone. */
import { expect, test } from 'vitest';
import { explainStartFailure } from '../../../src/jobs/supervise/start-failures.ts';
import { SCRIPT_NAME } from '../../../src/jobs/process/enter-job.ts';
import { makeRun } from '../support.ts';

function explained(
  exitCode: number,
  errorTail: string | undefined,
  command = ['rsync'],
): string | undefined {
  return explainStartFailure(makeRun(command, { user: 'migrator' }), exitCode, errorTail);
}

const IN_PATH =
  'there is no program rsync in the PATH of the job: write its whole path, or set environment.PATH';

test.each([
  [127, `${SCRIPT_NAME}: 24: exec: rsync: not found`, IN_PATH],
  [127, `${SCRIPT_NAME}: line 24: exec: rsync: not found`, IN_PATH],
  [127, `${SCRIPT_NAME}: line 24: rsync: command not found`, IN_PATH],
  [
    126,
    `${SCRIPT_NAME}: 24: exec: rsync: Permission denied`,
    'rsync cannot be executed: Permission denied',
  ],
  [127, 'setpriv: cannot find user', 'the agent could not become user migrator: cannot find user'],
  [126, 'setpriv: setresuid failed', 'the agent could not become user migrator: setresuid failed'],
])('%d, %j', (exitCode, said, explanation) => {
  expect(explained(exitCode, said)).toBe(explanation);
});

test('a program with a path is missing, or its interpreter', () => {
  expect(explained(127, `${SCRIPT_NAME}: 24: exec: /opt/x: not found`, ['/opt/x'])).toBe(
    'there is no program /opt/x, or the interpreter that its first line names is not there',
  );
});

test('only the last line is replaced', () => {
  expect(explained(127, `one\ntwo\n${SCRIPT_NAME}: 24: exec: rsync: not found`)).toBe(
    `one\ntwo\n${IN_PATH}`,
  );
});

test.each([
  [0, `${SCRIPT_NAME}: 24: exec: rsync: not found`],
  [125, `${SCRIPT_NAME}: 24: exec: rsync: not found`],
  [128, 'setpriv: cannot find user'],
  // The program itself ended like that.
  [127, 'my-tool: 24: exec: x: not found'],
  [127, `${SCRIPT_NAME}: 24: exec: rsync: not found\nand more`],
  [126, ''],
  [127, undefined],
])('%d, %j stays as it is', (exitCode, said) => {
  expect(explained(exitCode, said)).toBe(said);
});
