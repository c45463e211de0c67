/**
 * One fault rule: what goes wrong, for which operation, when, and how often. Rules are written in YAML or JSON. Each error
 * names the values that are allowed.
 */
import * as z from 'zod';
import { homeRegionShapes, hubShapes } from '../hub/shapes.ts';
import { pipelineShapes } from '../pipeline/shapes.ts';
import { closest } from '../lib/closest.ts';
import { parseDuration } from '../lib/switch-kinds.ts';

/** What each kind does, and which keys it takes beside those that every rule has. */
const FAULT_KINDS = {
  error: { does: 'answer with an error and do nothing', takes: ['name', 'status', 'message'] },
  throttle: {
    does: "answer with the service's throttling error",
    takes: ['name', 'status', 'retryAfterSeconds'],
  },
  deny: {
    does: 'answer AccessDeniedException, or UnauthorizedOperation to a dry run, as IAM would',
    takes: ['message'],
  },
  status: {
    does: 'answer with an HTTP status and a body that is not JSON, as a proxy or a load balancer would',
    takes: ['status', 'body', 'retryAfterSeconds'],
  },
  delay: { does: 'do it after a delay', takes: ['delay'] },
  drop: { does: 'close the connection at once; nothing is done', takes: [] },
  reset: { does: 'reset the connection (RST) at once; nothing is done', takes: [] },
  blackhole: { does: 'never answer; nothing is done', takes: [] },
  'lose-answer': { does: 'do it, then close the connection instead of answering', takes: [] },
  truncate: { does: 'do it, then send half of the answer and close', takes: [] },
  stall: { does: 'do it, then send half of the answer and nothing more', takes: [] },
  garbage: { does: 'do it, then answer 200 with a body that is not JSON', takes: ['body'] },
  date: { does: 'do it, and answer with a Date header that is off by skew', takes: ['skew'] },
} as const satisfies Readonly<
  Record<string, { readonly does: string; readonly takes: readonly string[] }>
>;

export type FaultKind = keyof typeof FAULT_KINDS;
const KINDS = Object.keys(FAULT_KINDS) as [FaultKind, ...FaultKind[]];

/** The key that a kind needs. */
const NEEDS: Readonly<Partial<Record<FaultKind, string>>> = { delay: 'delay', date: 'skew' };

const duration = z.string().transform((text, context): number => {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  context.addIssue('expected a duration such as 500ms, 10s, 2m or 1h');
  return z.NEVER;
});

const skew = z.string().transform((text, context): number => {
  const ms = parseDuration(text.replace(/^[+-]/, ''));
  if (ms !== undefined) return text.startsWith('-') ? -ms : ms;
  context.addIssue('expected a duration with a sign such as +2h or -10m');
  return z.NEVER;
});

const OPERATIONS: ReadonlySet<string> = new Set([
  '*',
  ...named('MigrationHub', Object.keys(hubShapes)),
  ...named('MigrationHubConfig', Object.keys(homeRegionShapes)),
  ...named('DataPipeline', Object.keys(pipelineShapes)),
]);

const operation = z.string().superRefine((name, context) => {
  if (OPERATIONS.has(name)) return;
  context.addIssue(
    `no such operation${orElse(closest(name, [...OPERATIONS]))}; *, a service such as DataPipeline.*, or an operation such as PollForTask`,
  );
});

const rule = z.strictObject({
  operation,
  fault: z.string().transform((name, context): FaultKind => {
    const kind = KINDS.find((each) => each === name);
    if (kind !== undefined) return kind;
    context.addIssue(`no such fault${orElse(closest(name, KINDS))}; one of ${KINDS.join(', ')}`);
    return z.NEVER;
  }),
  /** Simulated time from the moment that the rule was added. */
  from: duration.optional(),
  for: duration.optional(),
  /** Only calls whose request, as JSON, contains this text. */
  containing: z.string().optional(),
  /** Only the nth of the calls that match all of the above; 1 is the first. */
  nth: z.int().min(1).optional(),
  /** Only every nth of them: 3 is the third, the sixth … */
  every: z.int().min(1).optional(),
  /** The chance of each of them, from seeded random numbers. */
  probability: z.number().min(0).max(1).optional(),
  /** The rule applies at most so many times. */
  count: z.int().min(1).optional(),

  name: z
    .string()
    .regex(/^[A-Za-z]+$/, "expected an error's name such as AccessDeniedException")
    .optional(),
  message: z.string().optional(),
  status: z.int().min(400).max(599).optional(),
  body: z.string().optional(),
  retryAfterSeconds: z.number().min(0).optional(),
  delay: duration.optional(),
  skew: skew.optional(),
});

const ALWAYS = ['operation', 'fault', 'from', 'for', 'containing', 'nth', 'every', 'probability'];

export const faultRuleSchema = rule.superRefine((read, context) => {
  const { fault } = read;
  const taken: readonly string[] = [...ALWAYS, 'count', ...FAULT_KINDS[fault].takes];
  for (const key of Object.keys(read)) {
    if (taken.includes(key)) continue;
    const kinds = KINDS.filter((kind) =>
      (FAULT_KINDS[kind].takes as readonly string[]).includes(key),
    );
    context.addIssue({
      code: 'custom',
      path: [key],
      message: `${fault} takes no ${key}; leave it out, or use ${kinds.join(' or ')}`,
    });
  }
  const needed = NEEDS[fault];
  if (needed !== undefined && !Object.hasOwn(read, needed)) {
    context.addIssue({
      code: 'custom',
      path: [],
      message: `${fault} needs ${needed}, such as ${needed}: ${needed === 'skew' ? '-1h' : '10s'}`,
    });
  }
  if (read.nth !== undefined && read.every !== undefined) {
    context.addIssue({
      code: 'custom',
      path: ['every'],
      message: 'use either nth or every, not both',
    });
  }
});

/** A rule as written in a file or a request. */
export type FaultRule = Omit<z.input<typeof rule>, 'fault'> & { readonly fault: FaultKind };
/** A rule as read, durations in milliseconds. */
export type Fault = z.output<typeof rule>;

/** The keys that a rule may have, for suggestions. */
export const FAULT_KEYS: readonly string[] = Object.keys(rule.shape);

function named(service: string, operations: readonly string[]): readonly string[] {
  return [`${service}.*`, ...operations, ...operations.map((each) => `${service}.${each}`)];
}

export function orElse(suggestion: string | undefined): string {
  return suggestion === undefined ? '' : ` (did you mean ${suggestion}?)`;
}
