/**
 * Faults by rules: what goes wrong, for which operation, when, how often. The first rule that applies
 * decides. `from` and `for` count simulated time from the moment the rule was added. An outage is a rule
 * on `*` with `drop`, `blackhole` or `status`.
 */
import { z } from 'zod';
import type { Dice } from './dice.ts';

export const FAULT_KINDS = [
  /** Answer with an error (`name`, `status`, `message`) and do nothing. */
  'error',
  /** Answer with the service's throttling error. */
  'throttle',
  /** Do it, but `delay` later. */
  'delay',
  /** Close the connection at once; nothing is done. */
  'drop',
  /** Never answer; nothing is done. */
  'blackhole',
  /** Do it, then close the connection instead of answering. */
  'lose-answer',
  /** Do it, then send half of the answer and close the connection. */
  'truncate',
  /** Do it, then answer 200 with a body that is no JSON. */
  'garbage',
  /** Answer with an HTTP status and an empty body, as a proxy or a load balancer would. */
  'status',
] as const;

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** `90s`, `500ms`, `2m`, `1h`; read as milliseconds. */
const duration = z
  .string()
  .regex(/^[0-9]+(\.[0-9]+)?(ms|s|m|h)$/, 'expected a duration such as 500ms, 10s, 2m or 1h')
  .transform((text) => Number.parseFloat(text) * (UNIT_MS[text.replace(/^[0-9.]+/, '')] ?? NaN));

export const faultRuleSchema = z.strictObject({
  /** An operation such as NotifyMigrationTaskState, `*`, or all of a service: `DataPipeline.*`. */
  operation: z.string().min(1),
  fault: z.enum(FAULT_KINDS),
  from: duration.optional(),
  for: duration.optional(),
  probability: z.number().min(0).max(1).optional(),
  /** At most so many times. */
  count: z.int().min(1).optional(),
  /** Only calls whose request, as JSON, contains this text. */
  containing: z.string().optional(),
  name: z.string().optional(),
  message: z.string().optional(),
  status: z.int().min(400).max(599).optional(),
  retryAfterSeconds: z.number().min(0).optional(),
  delay: duration.optional(),
});

/** As written in a file or a request. */
export type FaultRule = z.input<typeof faultRuleSchema>;
/** As read: durations in milliseconds. */
export type Fault = z.output<typeof faultRuleSchema>;

export interface FaultCall {
  readonly service: string;
  readonly operation: string;
  /** The request's body as it came. */
  readonly body: string;
  readonly now: number;
}

export interface Faults {
  add(rules: readonly Fault[], now: number): void;
  clear(): void;
  /** The fault that befalls this call; counts and dice are used up by asking. */
  match(call: FaultCall): Fault | undefined;
  /** Whether the way to this operation is cut at present (drop, blackhole); uses nothing up. */
  isCut(call: FaultCall): boolean;
  list(): readonly (Fault & { readonly addedAt: number; readonly left: number })[];
}

interface Rule {
  readonly fault: Fault;
  readonly addedAt: number;
  left: number;
}

export function createFaults(dice: Dice): Faults {
  const rules: Rule[] = [];
  return {
    add(added, now) {
      for (const fault of added) rules.push({ fault, addedAt: now, left: fault.count ?? Infinity });
    },
    clear() {
      rules.length = 0;
    },
    match(call) {
      const rule = rules.find(
        (each) => applies(each, call) && dice.roll() < (each.fault.probability ?? 1),
      );
      if (rule === undefined) return undefined;
      rule.left -= 1;
      return rule.fault;
    },
    isCut: (call) =>
      rules.some(
        (rule) =>
          (rule.fault.fault === 'drop' || rule.fault.fault === 'blackhole') &&
          (rule.fault.probability ?? 1) === 1 &&
          applies(rule, call),
      ),
    list: () => rules.map(({ fault, addedAt, left }) => ({ ...fault, addedAt, left })),
  };
}

function applies({ fault, addedAt, left }: Rule, call: FaultCall): boolean {
  if (left <= 0) return false;
  const { operation: wanted } = fault;
  const isNamed = wanted === '*' || wanted === call.operation || wanted === `${call.service}.*`;
  if (!isNamed) return false;
  const startsAt = addedAt + (fault.from ?? 0);
  const isNow = call.now >= startsAt && call.now < startsAt + (fault.for ?? Infinity);
  return isNow && (fault.containing === undefined || call.body.includes(fault.containing));
}
