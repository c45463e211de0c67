/**
 * Values as the aws command reads them: the shorthand of a flat structure (`Status=FAILED,StatusDetail="a, b"`),
 * JSON, `file://` in place of either, and timestamps. Each throws an `Error` whose message is for the user of the command.
 */
import { readFileSync } from 'node:fs';

/** The text itself, or what the file holds that it names. */
export function readParameter(text: string): string {
  if (!text.startsWith('file://')) return text;
  const path = text.slice('file://'.length);
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

/** A JSON object unchanged, or shorthand, whose values are strings. */
export function readStructure(text: string): Record<string, unknown> {
  return text.trimStart().startsWith('{') ? readJsonObject(text) : readShorthand(text);
}

export function readJsonObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`this is no JSON: ${messageOf(error)}`, { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error('expected a JSON object');
  }
  return value as Record<string, unknown>;
}

const KEY = /[\w\-.#/:]+/uy;
const EQUALS = /\s*=\s*/uy;
const COMMA = /\s*,\s*/uy;
/** `"a \"b\""`, `'a'`, or up to the next comma; a comma is written as `\,` there. */
const QUOTED = /"((?:\\"|[^"])*)"|'((?:\\'|[^'])*)'/uy;
const BARE = /(?:\\,|[^,"'[\]{}]|(?<=[^,\s=])["'[\]{}])*/uy;

function readShorthand(text: string): Record<string, string> {
  const values = new Map<string, string>();
  let at = 0;
  const take = (pattern: RegExp, expected: string): RegExpExecArray => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) throw new Error(`expected ${expected} at character ${at + 1} of ${text}`);
    at = pattern.lastIndex;
    return match;
  };
  for (;;) {
    const [key] = take(KEY, 'a name such as Status');
    take(EQUALS, '=');
    if (values.has(key)) throw new Error(`${key} is there twice in ${text}`);
    values.set(key, takeValue());
    if (at === text.length) return Object.fromEntries(values);
    take(COMMA, 'a comma');
  }

  function takeValue(): string {
    if (text[at] === '"' || text[at] === "'") {
      const [, double, single] = take(QUOTED, 'a closing quote');
      const value = double?.replaceAll('\\"', '"') ?? single?.replaceAll("\\'", "'") ?? '';
      return value.replaceAll('\\\\', '\\');
    }
    return take(BARE, 'a value')[0].replaceAll('\\,', ',').trimEnd();
  }
}

/** Whole seconds since 1970, cut as the aws command does; a time without a zone is a local one. */
export function readTimestamp(value: unknown): number {
  const ms = typeof value === 'number' ? value * 1000 : parseTime(value);
  if (!Number.isFinite(ms)) {
    throw new Error(
      `expected seconds since 1970 or a time such as 2026-11-24T12:00:00Z, found ${JSON.stringify(value)}`,
    );
  }
  return Math.floor(ms / 1000);
}

function parseTime(value: unknown): number {
  if (typeof value !== 'string') return NaN;
  const text = value.trim();
  if (/^-?\d+(\.\d+)?$/u.test(text)) return Number(text) * 1000;
  // The basic form of ISO 8601; a date alone, which JavaScript takes for one in UTC.
  const marked = text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)/u, '$1-$2-$3T$4:$5:$6');
  return Date.parse(/^\d{4}-\d\d-\d\d$/u.test(marked) ? `${marked}T00:00:00` : marked);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
