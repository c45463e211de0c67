/** One rule for names of jobs, in the configuration, in requests and on the command line. */

/**
 * A job's name appears in URLs, file names and task names, and in the IAM policies that name those tasks. These characters are
 * legal in all of them, and two names that look alike are the same.
 */
export const JOB_NAME = /^[A-Za-z0-9][A-Za-z0-9._@=+-]{0,127}$/;
const CHARACTERS_MAX = 128;

export const JOB_NAME_RULE =
  'a name of 1 to 128 letters (A–Z, a–z), digits and . _ @ = + - that begins with a letter or a digit';

/** What is wrong with the name of a job, and a name that would do; undefined if nothing. */
export function jobNameProblem(name: string): string | undefined {
  if (JOB_NAME.test(name)) return undefined;
  const legal = legalName(name);
  const remedy = legal === undefined ? '' : `; write "${legal}", for example`;
  return `expected ${JOB_NAME_RULE}, found "${name}"${remedy}`;
}

/** Letters that no decomposition leads to. */
const SPELLED: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  ø: 'o',
  œ: 'oe',
  ł: 'l',
  đ: 'd',
  þ: 'th',
  ı: 'i',
};

/** The nearest legal name. Undefined: nothing of the name can be kept. */
function legalName(name: string): string | undefined {
  const plain = name
    .slice(0, 2 * CHARACTERS_MAX)
    .replace(/[ßæøœłđþı]/gi, (letter) => SPELLED[letter.toLowerCase()] ?? letter)
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9._@=+-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+|-+$/g, '')
    .slice(0, CHARACTERS_MAX);
  return plain === '' ? undefined : plain;
}
