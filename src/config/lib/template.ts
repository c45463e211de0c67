/** Templates of migration task names: their placeholders, and the length of the resulting names. */

const PLACEHOLDERS = ['job', 'run', 'host', 'date'] as const;

/** MODEL MigrationTaskName: 1..256 characters without `:` and `|`. */
export const TASK_NAME_MAX = 256;

/** Length of the values that are known only when a run starts: ten digits of {run}, and {date} as 2026-01-31. */
const LATER_LENGTH = 10;

/** What is wrong with a template; undefined if nothing. */
export function templateProblem(template: string): string | undefined {
  if (template === '') return 'must not be empty';
  const illegal = /[:|]/.exec(template.replace(/\{[^{}]*\}/g, ''))?.[0];
  if (illegal !== undefined) return `"${illegal}" is not allowed in the name of a migration task`;
  // Control characters match the model's pattern, but nobody can type such a name.
  if (/\p{Cc}/u.test(template)) return 'control characters are not allowed in a name';
  for (const [whole, name] of template.matchAll(/\{([^{}]*)\}?|\}/g)) {
    if (name !== undefined && whole.endsWith('}') && isPlaceholder(name)) continue;
    return `${whole} is not a placeholder; known: {${PLACEHOLDERS.join('}, {')}}`;
  }
  return undefined;
}

/** The template with job and host filled in; {run} and {date} stay. */
export function partlyFilled(template: string, job: string, host: string): string {
  return template.replaceAll('{job}', job).replaceAll('{host}', host);
}

/** How long a name can become, in code points. */
export function longestName(template: string, job: string, host: string): number {
  const filled = partlyFilled(template, job, host);
  return Array.from(filled.replace(/\{(run|date)\}/g, '0'.repeat(LATER_LENGTH))).length;
}

function isPlaceholder(name: string): boolean {
  return (PLACEHOLDERS as readonly string[]).includes(name);
}
