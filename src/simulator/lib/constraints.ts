/**
 * A small language for the members of a request, and the check of a request against it. The tables are
 * in `hub/shapes.ts` and `pipeline/shapes.ts`. As at AWS, unknown members are ignored, null counts as absent, and
 * one answer lists all problems, in AWS's format.
 */

/** Reads a value of the request as `T`; adds its problems to `problems`. */
export interface Shape<T> {
  read(value: unknown, path: string, problems: string[]): T;
}

interface Member<T, Required extends boolean> {
  readonly shape: Shape<T>;
  readonly required: Required;
}

type Members = Readonly<Record<string, Member<unknown, boolean>>>;

type Structure<M extends Members> = {
  readonly [K in keyof M as M[K] extends Member<unknown, true> ? K : never]: M[K] extends Member<
    infer T,
    boolean
  >
    ? T
    : never;
} & {
  readonly [K in keyof M as M[K] extends Member<unknown, true> ? never : K]?: M[K] extends Member<
    infer T,
    boolean
  >
    ? T
    : never;
};

/** What a shape reads. */
export type Read<S> = S extends Shape<infer T> ? T : never;

/** Reads a whole request. It never throws; it returns the value or the problems. */
export function readRequest<T>(
  shape: Shape<T>,
  body: unknown,
): { readonly value: T } | { readonly problem: string } {
  const problems: string[] = [];
  const value = shape.read(body, '', problems);
  if (problems.length === 0) return { value };
  const count = `${problems.length} validation error${problems.length === 1 ? '' : 's'} detected`;
  return { problem: `${count}: ${problems.join('; ')}` };
}

export function required<T>(shape: Shape<T>): Member<T, true> {
  return { shape, required: true };
}

export function optional<T>(shape: Shape<T>): Member<T, false> {
  return { shape, required: false };
}

interface StringLimits {
  readonly min?: number;
  readonly max?: number;
  /** The pattern as the document prints it, and the same test in JavaScript. */
  readonly pattern?: { readonly text: string; readonly test: (value: string) => boolean };
}

/** Lengths count Unicode code points, as the service does. */
export function string(limits: StringLimits = {}): Shape<string> {
  const { min = 0, max = Infinity, pattern } = limits;
  return {
    read(value, path, problems) {
      if (typeof value !== 'string') return wrongType(value, path, 'String', '', problems);
      const length = codePoints(value);
      if (length < min)
        fail(value, path, `Member must have length greater than or equal to ${min}`, problems);
      if (length > max)
        fail(value, path, `Member must have length less than or equal to ${max}`, problems);
      if (pattern !== undefined && !pattern.test(value)) {
        fail(
          value,
          path,
          `Member must satisfy regular expression pattern: ${pattern.text}`,
          problems,
        );
      }
      return value;
    },
  };
}

export function oneOf<const V extends string>(...values: readonly [V, ...V[]]): Shape<V> {
  const isOne = (value: string): value is V => (values as readonly string[]).includes(value);
  return {
    read(value, path, problems) {
      const fallback = values[0];
      if (typeof value !== 'string') return wrongType(value, path, 'String', fallback, problems);
      if (isOne(value)) return value;
      fail(value, path, `Member must satisfy enum value set: [${values.join(', ')}]`, problems);
      return fallback;
    },
  };
}

/** The models' Integer is 32 bits wide. */
export function integer(min = -2_147_483_648, max = 2_147_483_647): Shape<number> {
  return {
    read(value, path, problems) {
      if (typeof value !== 'number' || !Number.isInteger(value)) {
        return wrongType(value, path, 'Integer', 0, problems);
      }
      if (value < min)
        fail(value, path, `Member must have value greater than or equal to ${min}`, problems);
      if (value > max)
        fail(value, path, `Member must have value less than or equal to ${max}`, problems);
      return value;
    },
  };
}

export const boolean: Shape<boolean> = {
  read: (value, path, problems) =>
    typeof value === 'boolean' ? value : wrongType(value, path, 'Boolean', false, problems),
};

/** The years 1 to 9999, in seconds since 1970: what ISO 8601 writes without a sign. */
const TIMESTAMP_MIN = -62_135_596_800;
const TIMESTAMP_MAX = 253_402_300_799;

/** On the wire: seconds since 1970, whole or not (awsJson1_1). Read as milliseconds. */
export const timestamp: Shape<number> = {
  read: (value, path, problems) =>
    typeof value === 'number' && value >= TIMESTAMP_MIN && value <= TIMESTAMP_MAX
      ? value * 1_000
      : wrongType(value, path, 'Timestamp', 0, problems),
};

export function list<T>(item: Shape<T>, min = 0, max = Infinity): Shape<readonly T[]> {
  return {
    read(value, path, problems) {
      if (!Array.isArray(value)) return wrongType(value, path, 'List', [], problems);
      const items: readonly unknown[] = value;
      if (items.length < min)
        fail(items, path, `Member must have length greater than or equal to ${min}`, problems);
      if (items.length > max)
        fail(items, path, `Member must have length less than or equal to ${max}`, problems);
      return items.map((each, index) => item.read(each, `${path}.${index + 1}.member`, problems));
    },
  };
}

export function structure<const M extends Members>(members: M): Shape<Structure<M>> {
  const entries = Object.entries(members);
  return {
    read(value, path, problems) {
      const result: Record<string, unknown> = {};
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        wrongType(value, path, 'Structure', undefined, problems);
        return result as Structure<M>;
      }
      const given = value as Readonly<Record<string, unknown>>;
      for (const [name, member] of entries) {
        const at = path === '' ? lowerFirst(name) : `${path}.${lowerFirst(name)}`;
        const present = given[name] !== undefined && given[name] !== null;
        if (present) result[name] = member.shape.read(given[name], at, problems);
        else if (member.required) fail(null, at, 'Member must not be null', problems);
      }
      return result as Structure<M>;
    },
  };
}

function codePoints(value: string): number {
  // An expression may have 20,971,520 of them, too many for a list.
  let count = 0;
  for (let i = 0; i < value.length; i++) {
    const isPair = (value.codePointAt(i) ?? 0) > 0xffff;
    if (isPair) i++;
    count++;
  }
  return count;
}

function fail(value: unknown, path: string, what: string, problems: string[]): void {
  problems.push(`Value ${shown(value)} at '${path}' failed to satisfy constraint: ${what}`);
}

function wrongType<T>(
  value: unknown,
  path: string,
  type: string,
  fallback: T,
  problems: string[],
): T {
  fail(value, path === '' ? 'request' : path, `Member must be of type ${type}`, problems);
  return fallback;
}

/** Long values are cut, so that the message stays readable. */
function shown(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return `'${text.length > 120 ? `${text.slice(0, 120)}...` : text}'`;
}

function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}
