/** The kinds of values in the configuration: each with its check and a message that says what to write instead. */
import * as z from 'zod';
import { DURATION_PATTERN, formatDuration, parseDuration } from '../../core/lib/duration.ts';
import { parseSize, SIZE_PATTERN } from '../lib/size.ts';
import { SECOND_MS } from '../../core/lib/time.ts';
import { nearest, suggestion } from '../lib/suggest.ts';

/** NextUpdateSeconds is a 32-bit integer (MODEL NextUpdateSeconds): 68 years. */
export const NEXT_UPDATE_S_MAX = 2 ** 31 - 1;

type Text = z.ZodType<string, string>;

/** Milliseconds from `90s`, `15m`, `1h30m`, `7d`; at least one second. */
export function duration(maxMs = Number.MAX_SAFE_INTEGER): z.ZodType<number, string> {
  const expected = (input: unknown) =>
    typeof input === 'number'
      ? `a number without a unit; write ${input}s or ${input}m`
      : 'expected a duration such as 90s, 15m, 1h30m or 7d';
  return z
    .string({ error: (issue) => (isGiven(issue.input) ? expected(issue.input) : undefined) })
    .meta({ pattern: DURATION_PATTERN })
    .transform((text, context) => {
      const durationMs = parseDuration(text);
      let message: string | undefined;
      if (durationMs === undefined) message = `${expected(text)}, found "${text}"`;
      else if (durationMs < SECOND_MS) message = 'must be one second at least';
      else if (durationMs > maxMs) {
        const most = formatDuration(Math.floor(maxMs / SECOND_MS) * SECOND_MS);
        message = `must be ${most} at most: the service keeps it as a 32-bit number of seconds`;
      }
      if (message === undefined) return durationMs ?? 0;
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    });
}

/** Bytes from `10 GB` or from a whole number of bytes. */
export function size(): z.ZodType<number, string | number> {
  const message = 'expected a size such as 10 GB, 512 MiB or a number of bytes';
  return z
    .union([z.string(), z.number()], {
      error: (issue) => (isGiven(issue.input) ? message : undefined),
    })
    .meta({ type: ['string', 'integer'], pattern: SIZE_PATTERN, anyOf: undefined })
    .transform((value, context) => {
      const bytes = typeof value === 'number' ? value : parseSize(value);
      if (bytes !== undefined && bytes > 0 && Number.isSafeInteger(bytes)) return bytes;
      context.addIssue({ code: 'custom', message: `${message}, found "${value}"` });
      return z.NEVER;
    });
}

/** Text with a maximum length, counted in code points as the services do. */
export function text(max: number, what = 'text'): Text {
  return z
    .string()
    .superRefine((value, context) => {
      const { length } = Array.from(value);
      if (length >= 1 && length <= max) return;
      const message =
        length === 0 ? `must not be empty` : `${what} has ${length} characters; ${max} at most`;
      context.addIssue({ code: 'custom', message });
    })
    .meta({ minLength: 1, maxLength: max });
}

/** One line of text, for members whose model pattern is `^.{1,N}$`. */
export function line(max: number): Text {
  return text(max).refine((value) => !/[\r\n\u2028\u2029]/.test(value), 'must be on one line');
}

/** MODEL of every text of Data Pipeline: no control characters but tab and line breaks. */
const PIPELINE_TEXT = /^[\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}\r\n\t]*$/u;

/** A name in Data Pipeline. It identifies something, so it is rejected instead of being made legal. */
export function pipelineText(max: number, what: string): Text {
  return text(max, what).refine(
    (value) => PIPELINE_TEXT.test(value),
    'must not hold control characters',
  );
}

/** Text that must match; `remedy` describes what is expected. */
export function matching(pattern: RegExp, remedy: string): Text {
  return z.string().regex(pattern, {
    error: (issue) => `expected ${remedy}, found "${String(issue.input)}"`,
  });
}

/** A word that looks like a number keeps its spelling: `[sleep, 60]`, `PORT: 5432`. */
export function word(): Text {
  return z
    .string({ error: (issue) => (isGiven(issue.input) ? undefined : 'is empty: write ""') })
    .refine((value) => !value.includes('\0'), 'must not hold a NUL character')
    .meta({ type: ['string', 'number', 'boolean'] });
}

export function oneOf<const T extends readonly [string, ...string[]]>(
  names: T,
): z.ZodType<T[number], string> {
  return z.enum(names, {
    error: ({ input }) => {
      if (!isGiven(input)) return undefined;
      const meant = typeof input === 'string' ? nearest(input, names) : undefined;
      const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
      return `expected ${listed(names)}, found ${shown(input)}${hint}`;
    },
  });
}

export function absolutePath(): Text {
  return matching(/^\/[^\0]*$/, 'an absolute path');
}

export function region(): Text {
  return matching(/^[a-z]{2,}(-[a-z]+)+-\d+$/, 'a region such as us-west-2');
}

export function url(...schemes: [string, ...string[]]): Text {
  return z.string().superRefine((value, context) => {
    const protocol = URL.canParse(value) ? new URL(value).protocol.slice(0, -1) : '';
    const host = protocol === '' ? '' : new URL(value).hostname;
    if (schemes.includes(protocol) && host !== '') return;
    // The value is not shown: it may hold a password.
    const message = `expected a URL such as ${schemes[0]}://HOST:PORT`;
    context.addIssue({ code: 'custom', message });
  });
}

/** Where to listen, as parts. */
export function listenAddress(): z.ZodType<{ host: string; port: number }, string> {
  const message = 'expected HOST:PORT such as 127.0.0.1:9464 or [::1]:9464';
  return z
    .string({
      error: ({ input }) =>
        typeof input === 'number' ? `a port without a host; write 127.0.0.1:${input}` : undefined,
    })
    .transform((value, context) => {
      const [, host, port] = /^(\[[0-9A-Fa-f:.]+\]|[^:\s/[\]]+):(\d{1,5})$/.exec(value) ?? [];
      if (host !== undefined && Number(port) <= 65_535) {
        return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
      }
      context.addIssue({ code: 'custom', message: `${message}, found "${value}"` });
      return z.NEVER;
    });
}

/** The name of a host, without a port. */
export function hostName(): Text {
  return z
    .string()
    .max(253)
    .regex(
      /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?$/,
      'expected the name of a host such as migration01.example.com, without a port',
    );
}

/** A regular expression that finds `percent`, or `done` and `total`. */
export function progressPattern(): Text {
  return z.string().superRefine((value, context) => {
    let groups: readonly string[];
    try {
      // With an empty alternative it matches anything, and so exposes the names of its groups.
      groups = Object.keys(new RegExp(`${value}|`).exec('')?.groups ?? {});
    } catch (error) {
      const reason = error instanceof Error ? error.message.replace(/^.*: /, '') : String(error);
      context.addIssue({ code: 'custom', message: `is not a regular expression: ${reason}` });
      return;
    }
    if (groups.includes('percent')) return;
    if (groups.includes('done') && groups.includes('total')) return;
    const message =
      'needs a group named percent, or two named done and total, such as (?<done>\\d+)/(?<total>\\d+)';
    context.addIssue({ code: 'custom', message });
  });
}

export function timeZone(): Text {
  return z.string().superRefine((value, context) => {
    try {
      new Intl.DateTimeFormat('en', { timeZone: value });
    } catch {
      const found = suggestion(value, ['UTC', ...Intl.supportedValuesOf('timeZone')]);
      const meant =
        found === '' ? '; write a name such as Europe/Berlin, or an offset such as +01:00' : found;
      context.addIssue({ code: 'custom', message: `"${value}" is not a time zone${meant}` });
    }
  });
}

export function isGiven(input: unknown): boolean {
  return input !== undefined && input !== null;
}

/** A value for a message: short; of a list or a map only the kind. */
export function shown(input: unknown): string {
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'object') return 'a map';
  if (typeof input === 'string') return `"${input.length > 60 ? `${input.slice(0, 57)}…` : input}"`;
  return typeof input === 'number' ? `the number ${input}` : JSON.stringify(input);
}

export function listed(names: readonly string[]): string {
  return names.length < 2
    ? names.join('')
    : `${names.slice(0, -1).join(', ')} or ${names.at(-1) ?? ''}`;
}
