/** The kinds of switches: which values they take, how to read a value of a file or a flag, and how to print it. */

export interface Switch<T> {
  readonly fallback: T;
  /** The values it takes, as text: `accept | refuse`, `a duration such as 90s`. */
  readonly accepts: string;
  /** What it decides, and what the documents say about it. */
  readonly description: string;
  /** Undefined if the switch does not take the value. */
  read(raw: unknown): T | undefined;
  show(value: T): string;
}

/** The first value is the default. */
export function choice<const V extends string>(
  values: readonly [V, ...V[]],
  description: string,
): Switch<V> {
  return {
    fallback: values[0],
    accepts: values.join(' | '),
    description,
    read: (raw) => values.find((value) => value === raw),
    show: (value) => value,
  };
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `500ms`, `90s`, `2m`, `1h`, `7d` in milliseconds. Undefined if the text is not a duration. */
export function parseDuration(text: string): number | undefined {
  const match = /^([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)$/.exec(text);
  const unitMs = UNIT_MS[match?.[2] ?? ''];
  return unitMs === undefined ? undefined : Number(match?.[1]) * unitMs;
}

/** In milliseconds; `never` is Infinity. */
export function duration(fallbackMs: number, description: string): Switch<number> {
  return {
    fallback: fallbackMs,
    accepts: 'a duration such as 500ms, 90s, 2m or 24h, or never',
    description,
    read(raw) {
      if (raw === 'never') return Infinity;
      if (typeof raw === 'number') return raw >= 0 ? raw : undefined;
      return typeof raw === 'string' ? parseDuration(raw) : undefined;
    },
    show: showDuration,
  };
}

export function count(fallback: number, description: string): Switch<number> {
  return {
    fallback,
    accepts: 'a whole number',
    description,
    read(raw) {
      const value = typeof raw === 'string' && /^[0-9]+$/.test(raw) ? Number(raw) : raw;
      return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined;
    },
    show: String,
  };
}

/** The name of an error. */
export function errorName(fallback: string, description: string): Switch<string> {
  return {
    fallback,
    accepts: "an error's name",
    description,
    read: (raw) => (typeof raw === 'string' && /^[A-Za-z]+$/.test(raw) ? raw : undefined),
    show: (value) => value,
  };
}

function showDuration(ms: number): string {
  if (ms === Infinity) return 'never';
  for (const unit of ['h', 'm', 's']) {
    const unitMs = UNIT_MS[unit] ?? 1;
    if (ms > 0 && ms % unitMs === 0) return `${ms / unitMs}${unit}`;
  }
  return `${ms}ms`;
}
