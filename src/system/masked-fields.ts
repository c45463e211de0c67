/**
 * Prepares the fields of a log line: masks secrets, turns errors into plain values, bounds everything. Runs before pino sees
 * the fields, so nothing can bypass it.
 */
import { defined } from '../core/lib/defined.ts';
import { maskCommand, maskSecrets } from '../core/lib/secrets.ts';

const MASK = '***';
/** Names, or endings of names (`dbPassword`, `x-api-key`), whose values are never logged. */
const SECRET_NAME =
  /(?:password|passwd|passphrase|secret|secretkey|accesskey|accesskeyid|secretaccesskey|apikey|privatekey|token|authorization|cookie|credentials?)$/;
/** Names that end like these and hold no secret. */
const HARMLESS_NAMES: ReadonlySet<string> = new Set(['nexttoken', 'taskid']);

const DEPTH_MAX = 6;
const ENTRIES_MAX = 200;
/** Enough for a command line or the tail of an error; a longer text would flood the journal. */
const TEXT_LENGTH_MAX = 8192;
/** pino writes these itself; a field with the same name would make the line ambiguous. */
const RESERVED: ReadonlySet<string> = new Set(['level', 'time', 'msg', 'event']);

export function maskFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      RESERVED.has(name) ? `${name}_` : name,
      maskNamed(name, value, 0),
    ]),
  );
}

function maskNamed(name: string, value: unknown, depth: number): unknown {
  const word = name.toLowerCase().replaceAll(/[^a-z]/g, '');
  const harmless = value === null || value === undefined || isPlain(value);
  if (!harmless && SECRET_NAME.test(word) && !HARMLESS_NAMES.has(word)) return MASK;
  return maskValue(value, depth);
}

function isPlain(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'boolean';
}

function maskValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return maskText(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth === DEPTH_MAX) return '…';
  if (value instanceof Error) return maskError(value, depth);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'no date' : value.toISOString();
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  if (Array.isArray(value)) return maskList(value.slice(0, ENTRIES_MAX), depth);
  const entries: readonly [unknown, unknown][] =
    value instanceof Map ? [...value] : Object.entries(value);
  return Object.fromEntries(
    entries
      .slice(0, ENTRIES_MAX)
      .map(([name, item]) => [String(name), maskNamed(String(name), item, depth + 1)]),
  );
}

/** Texts are masked together: in a command line a flag and its secret are two of them. */
function maskList(items: readonly unknown[], depth: number): readonly unknown[] {
  const isOfTexts = items.every((item) => typeof item === 'string');
  const masked: readonly unknown[] = isOfTexts ? maskCommand(items) : items;
  return masked.map((item) => maskValue(item, depth + 1));
}

function maskError(error: Error, depth: number): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  return defined({
    type: error.name,
    message: maskText(error.message),
    code: typeof code === 'string' ? code : undefined,
    stack: error.stack === undefined ? undefined : maskText(error.stack),
    cause: error.cause === undefined ? undefined : maskValue(error.cause, depth + 1),
    errors: error instanceof AggregateError ? maskValue(error.errors, depth + 1) : undefined,
  });
}

/** Masks before cutting: half a secret would not be recognised. */
function maskText(text: string): string {
  const masked = maskSecrets(text);
  return masked.length <= TEXT_LENGTH_MAX ? masked : `${masked.slice(0, TEXT_LENGTH_MAX)}…`;
}
