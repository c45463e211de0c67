/** Names of jobs: what is legal, and which name an error proposes. */
import { expect, test } from 'vitest';
import { JOB_NAME, jobNameProblem } from '../../../src/core/model/job-name.ts';

test.each(['0123', '1e3', 'yes', 'null', '0x10', '1.0', 'a@b', 'A.b_c@d=e+f', 'x'.repeat(128)])(
  '%s is a name',
  (name) => {
    expect(jobNameProblem(name)).toBeUndefined();
  },
);

test.each([
  ['größe', 'grosse'],
  ['nightly files', 'nightly-files'],
  ['café au lait', 'cafe-au-lait'],
  ['łódź/1', 'lodz-1'],
  ['Ærø', 'aero'],
  ['-rf', 'rf'],
  ['.a', 'a'],
  ['a\n', 'a'],
  ['a/../b', 'a-..-b'],
  ['y'.repeat(200), 'y'.repeat(128)],
])('%s is none, but %s would do', (name, proposed) => {
  expect(jobNameProblem(name)).toContain(`found "${name}"; write "${proposed}", for example`);
  expect(JOB_NAME.test(proposed)).toBe(true);
});

test.each(['', '文件', '---', '..'])('%j is none, and nothing of it can be kept', (name) => {
  expect(jobNameProblem(name)).toMatch(/found ".*"$/);
});
