/** Which names a job may have. */
import { expect, test } from 'vitest';
import { JOB_NAME_RULE, jobNameProblem } from '../../../src/core/model/job-name.ts';

test.each(['a', '7', 'nightly-files', 'A.b_c@d=e+f', 'a'.repeat(128)])('%s is legal', (name) => {
  expect(jobNameProblem(name)).toBeUndefined();
});

test.each(['', '-a', '.a', 'a b', 'a/b', 'ä', 'a\n', 'a'.repeat(129)])('%j is not', (name) => {
  expect(jobNameProblem(name)).toBe(`expected ${JOB_NAME_RULE}, found "${name}"`);
});
