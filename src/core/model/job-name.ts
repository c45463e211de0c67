/** One rule for names of jobs, in the configuration, in requests and on the command line. */

/**
 * A job's name appears in URLs, file names and task names. These characters are legal in all of them and keep IAM resource
 * names unambiguous.
 */
export const JOB_NAME = /^[A-Za-z0-9][A-Za-z0-9._@=+-]{0,127}$/;

export const JOB_NAME_RULE =
  'a name of 1 to 128 letters, digits and . _ @ = + - that begins with a letter or a digit';

/** What is wrong with the name of a job; undefined if nothing. */
export function jobNameProblem(name: string): string | undefined {
  return JOB_NAME.test(name) ? undefined : `expected ${JOB_NAME_RULE}, found "${name}"`;
}
