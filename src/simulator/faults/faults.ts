/**
 * Faults by rules: the first rule that applies decides. `from` and `for` count simulated time from the moment the rule was
 * added. An outage is a rule on `*` with `drop`, `blackhole` or `status`. The keys of a rule are in `rule.ts`.
 */
import type { Dice } from '../lib/dice.ts';
import type { Fault } from './rule.ts';

interface FaultCall {
  readonly service: string;
  readonly operation: string;
  /** The body of the request, unparsed. */
  readonly body: string;
  readonly now: number;
}

export interface Faults {
  add(rules: readonly Fault[], now: number): void;
  clear(): void;
  /** The fault that applies to this call. Each question counts as a call: counters and random numbers move on. */
  match(call: FaultCall): Fault | undefined;
  /** Whether a fault cuts the connection for this operation now (drop, reset, blackhole). Changes no counter. */
  isCut(call: FaultCall): boolean;
  list(): readonly FaultShown[];
}

export type FaultShown = Fault & {
  readonly addedAt: number;
  /** How many more times it may apply. */
  readonly left: number;
  /** How many times it applied. */
  readonly applied: number;
};

interface Rule {
  readonly fault: Fault;
  readonly addedAt: number;
  left: number;
  /** Calls that matched everything but nth, every and probability. */
  seen: number;
  applied: number;
}

const CUTS: ReadonlySet<string> = new Set(['drop', 'reset', 'blackhole']);

export function createFaults(dice: Dice): Faults {
  const rules: Rule[] = [];
  return {
    add(added, now) {
      for (const fault of added) {
        rules.push({ fault, addedAt: now, left: fault.count ?? Infinity, seen: 0, applied: 0 });
      }
    },
    clear() {
      rules.length = 0;
    },
    match(call) {
      const rule = rules.find((each) => {
        if (!applies(each, call)) return false;
        each.seen += 1;
        const { nth = each.seen, every = 1, probability = 1 } = each.fault;
        return nth === each.seen && each.seen % every === 0 && dice.roll() < probability;
      });
      if (rule === undefined) return undefined;
      rule.left -= 1;
      rule.applied += 1;
      return rule.fault;
    },
    isCut: (call) => rules.some((rule) => isAlways(rule.fault) && applies(rule, call)),
    list: () =>
      rules.map(({ fault, addedAt, left, applied }) => ({ ...fault, addedAt, left, applied })),
  };
}

/** A rule that cuts every call, not only some of them. */
function isAlways({ fault, probability = 1, nth, every = 1 }: Fault): boolean {
  return CUTS.has(fault) && probability === 1 && nth === undefined && every === 1;
}

function applies({ fault, addedAt, left }: Rule, call: FaultCall): boolean {
  if (left <= 0) return false;
  const { operation: wanted } = fault;
  const { service, operation } = call;
  const isNamed = ['*', operation, `${service}.*`, `${service}.${operation}`].includes(wanted);
  if (!isNamed) return false;
  const startsAt = addedAt + (fault.from ?? 0);
  const isNow = call.now >= startsAt && call.now < startsAt + (fault.for ?? Infinity);
  return isNow && (fault.containing === undefined || call.body.includes(fault.containing));
}
