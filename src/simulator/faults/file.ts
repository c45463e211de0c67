/**
 * The fault script, a YAML file: a list of rules, or a mapping with `faults`, `switches` and `limits`. The error lists
 * all problems at once, each with its place and the values that are allowed.
 */
import { LineCounter, parseDocument } from 'yaml';
import * as z from 'zod';
import { readSwitches } from '../lib/behaviour.ts';
import type { Behaviour } from '../lib/behaviour.ts';
import { closest } from '../lib/closest.ts';
import { FAULT_KEYS, faultRuleSchema, orElse } from './rule.ts';
import type { Fault } from './rule.ts';
import { rateLimitsSchema } from './rate-limits.ts';
import type { RateLimitChanges } from './rate-limits.ts';

/** A script with problems. The message has a line for each: `FILE:LINE:COLUMN KEY: PROBLEM`. */
export class FaultFileError extends Error {
  override readonly name = 'FaultFileError';
}

export interface FaultScript {
  readonly faults: readonly Fault[];
  readonly switches: Partial<Behaviour>;
  readonly limits: RateLimitChanges;
}

const KEYS = ['faults', 'switches', 'limits'];
const whole = z.strictObject({
  faults: z.array(faultRuleSchema).default([]),
  switches: z
    .record(z.string(), z.union([z.string(), z.number()]))
    .default({})
    .transform((changes, context): Partial<Behaviour> => {
      const { values, problems } = readSwitches(changes);
      for (const { name, text } of problems) {
        context.addIssue({ code: 'custom', path: [name], message: text });
      }
      return values;
    }),
  limits: rateLimitsSchema.default({}),
});

/** `name` is the name of the file in messages. An empty file is an empty script. */
export function parseFaultFile(text: string, name: string): FaultScript {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const placeAt = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${name}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    const messages = document.errors.map(
      (error) => `${placeAt(error.pos[0])} ${error.message.split('\n')[0] ?? ''}`,
    );
    throw new FaultFileError(messages.join('\n'));
  }
  const content: unknown = document.toJS() ?? [];
  const isList = Array.isArray(content);
  const read = whole.safeParse(isList ? { faults: content } : content);
  if (read.success) return read.data;

  const messages = read.error.issues.flatMap((issue) => {
    // A list is read as the value of `faults`, a key that the file itself does not have.
    const path = isList ? issue.path.slice(1) : issue.path;
    const unknown = issue.code === 'unrecognized_keys' ? issue.keys : [undefined];
    return unknown.map((key) => {
      const at = key === undefined ? path : [...path, key];
      const place = placeAt(offsetOf(document, at));
      return `${place} ${at.join('.') || '(file)'}: ${problemText(issue, key)}`;
    });
  });
  throw new FaultFileError(messages.join('\n'));
}

function problemText(issue: z.core.$ZodIssue, key: string | undefined): string {
  if (key === undefined) {
    return issue.path.length === 0
      ? 'expected a list of rules, or a mapping with faults, switches and limits'
      : issue.message;
  }
  const known =
    issue.path.length === 0 ? KEYS : issue.path[0] === 'faults' ? FAULT_KEYS : LIMIT_KEYS;
  return `unknown key${orElse(closest(key, known))}; known: ${known.join(', ')}`;
}

const LIMIT_KEYS = ['perSecond', 'burst'];

/** The place of a key in the text, or of the nearest parent that has one. */
function offsetOf(
  document: ReturnType<typeof parseDocument>,
  path: readonly PropertyKey[],
): number {
  for (let length = path.length; length >= 0; length--) {
    const range = rangeOf(document.getIn(path.slice(0, length), true));
    if (range !== undefined) return range;
  }
  return 0;
}

function rangeOf(node: unknown): number | undefined {
  if (typeof node !== 'object' || node === null || !('range' in node)) return undefined;
  return Array.isArray(node.range) && typeof node.range[0] === 'number' ? node.range[0] : undefined;
}
