/**
 * The fields of pipeline objects, an ordered multimap: what an object inherits (from its parents, then from the object
 * `Default`), periods ("15 minutes"), and the values of expressions.
 */
import { evaluateExpression } from './expression.ts';
import type { Lookup } from './expression.ts';
import type { Field, PipelineObject } from './objects.ts';

export type ObjectsById = ReadonlyMap<string, PipelineObject>;

export function byId(objects: readonly PipelineObject[]): ObjectsById {
  return new Map(objects.map((object) => [object.id, object]));
}

/** The first value of a field, text or reference. */
export function valueOf(fields: readonly Field[], key: string): string | undefined {
  const found = fields.find((field) => field.key === key);
  return found?.stringValue ?? found?.refValue;
}

export function refsOf(fields: readonly Field[], key: string): readonly string[] {
  return fields.flatMap((field) =>
    field.key === key && field.refValue !== undefined ? [field.refValue] : [],
  );
}

/**
 * An object's own fields, then those of its parents (nearest first), then those of `Default`. A key that a nearer
 * object has is not inherited. In a cycle of parents each object counts once.
 */
export function effectiveFields(objects: ObjectsById, id: string): readonly Field[] {
  const fields: Field[] = [];
  const seen = new Set<string>();
  const take = (object: PipelineObject | undefined): void => {
    if (object === undefined || seen.has(object.id)) return;
    seen.add(object.id);
    const known = new Set(fields.map((field) => field.key));
    fields.push(...object.fields.filter((field) => !known.has(field.key)));
    for (const parent of refsOf(object.fields, 'parent')) take(objects.get(parent));
  };
  take(objects.get(id));
  if (!NOT_FROM_DEFAULT.has(valueOf(fields, 'type') ?? '')) take(objects.get('Default'));
  return fields;
}

/** A schedule takes nothing from `Default`: it would refer to itself. */
const NOT_FROM_DEFAULT: ReadonlySet<string> = new Set(['Schedule']);

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** Months and years are taken as 30 and 365 days; the service counts by the calendar. */
const UNIT_MS: Readonly<Record<string, number>> = {
  minute: MINUTE,
  hour: 60 * MINUTE,
  day: DAY,
  week: 7 * DAY,
  month: 30 * DAY,
  year: 365 * DAY,
};

/**
 * "N [years|months|weeks|days|hours|minutes]" (DPG, dp-expressions-functions); AWS's samples also write
 * "1 Hour". Undefined if the text is not a period.
 */
export function parsePeriod(text: string): number | undefined {
  const match = /^\s*([1-9][0-9]*)\s+([a-z]+?)s?\s*$/i.exec(text);
  const unitMs = UNIT_MS[match?.[2]?.toLowerCase() ?? ''];
  return unitMs === undefined ? undefined : Number(match?.[1]) * unitMs;
}

/** Replaces each `#{expression}` by its value. One that cannot be evaluated stays, and is listed in `unknown`. */
export function evaluate(
  text: string,
  lookup: Lookup,
): { readonly text: string; readonly unknown: readonly string[] } {
  const unknown: string[] = [];
  const evaluated = text.replace(/#\{([^}]*)\}/g, (whole, inner: string) => {
    const value = evaluateExpression(inner, lookup);
    if (value === undefined) unknown.push(inner.trim());
    return value ?? whole;
  });
  return { text: evaluated, unknown };
}

/** Looks for names in `fields`, then in the parameters, then along references. */
export function lookupIn(
  fields: readonly Field[],
  objects: ObjectsById,
  parameters: ReadonlyMap<string, string>,
): Lookup {
  return (name) => {
    const own = valueOf(fields, name) ?? parameters.get(name);
    if (own !== undefined) return own;
    const dot = name.indexOf('.');
    if (dot < 0) return undefined;
    const target = refsOf(fields, name.slice(0, dot))[0];
    if (target === undefined) return undefined;
    return lookupIn(effectiveFields(objects, target), objects, parameters)(name.slice(dot + 1));
  };
}
