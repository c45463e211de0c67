/**
 * The answer to a request that cannot be served: one document, `{ error: { code, message } }`, and the
 * HTTP status that belongs to the code.
 */
import type * as z from 'zod';

export const HTTP_STATUS = {
  invalid: 400,
  forbidden: 403,
  'no-such-job': 404,
  'no-such-page': 404,
  'method-not-allowed': 405,
  timeout: 408,
  conflict: 409,
  expired: 410,
  'too-big': 413,
  'unsupported-media-type': 415,
  internal: 500,
  unavailable: 503,
  busy: 503,
  'too-many-streams': 503,
} as const;

export type ProblemCode = keyof typeof HTTP_STATUS;

export const PROBLEM_CODES = Object.keys(HTTP_STATUS) as readonly ProblemCode[];

/** A request that cannot be served, and why. `message` is written for the person who asked. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ProblemCode, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = 'Problem';
    this.code = code;
    this.headers = headers;
  }

  get httpStatus(): number {
    return HTTP_STATUS[this.code];
  }
}

/** Validates input. The problem names each place: `body.command[0]: …`. */
export function validate<Value>(schema: z.ZodType<Value>, value: unknown, where: string): Value {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const places = result.error.issues
    .flatMap(meantIssues)
    .map((issue) => `${place(where, issue.path)}: ${issue.message}`);
  throw new Problem('invalid', listed(places, '; '));
}

/** The first of many: a client that sent thousands has the same problem in the rest. */
export function listed(items: readonly string[], separator: string): string {
  const left = items.length - LISTED_MAX;
  const first = items.slice(0, LISTED_MAX).join(separator);
  return left > 0 ? `${first}${separator}and ${left} more` : first;
}

const LISTED_MAX = 50;

/** Of a union, the issues of the form that was meant: the one of the same type as the value. */
function meantIssues(issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const meant = issue.errors.find(
    (errors) => !errors.some(({ code, path }) => code.startsWith('invalid_') && path.length === 0),
  );
  return (
    meant?.flatMap((below) => meantIssues({ ...below, path: [...issue.path, ...below.path] })) ?? [
      issue,
    ]
  );
}

function place(where: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : `${text}.${String(key)}`),
    where,
  );
}
