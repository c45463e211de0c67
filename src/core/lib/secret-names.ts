/**
 * Values whose name says that they are secret: `name=value`, `"name": "value"`, `--name value`, `NAME 'value'`,
 * `<name>value</name>`, `set('name', 'value')`, `name: password, value: x`.
 */
import { MASK, valueAt } from './secret-value.ts';
import type { Span, ValueEnds } from './secret-value.ts';

const KEY_KINDS =
  'api|secret|access|account|private|encryption|master|auth|shared|signing|session|storage|subscription|functions|license';
const KEYWORD = new RegExp(
  `passwor[dt]s?|kennwort|passwd|passphrase|passcode|pass(?:in|out)?|pwd|pw|psk|secret(?:[-_ ]?string)?|token|signature|sig|_auth|cookie|(?:j|php)sess(?:ion)?id|(?:${KEY_KINDS})[-_ ]?key`,
  'gi',
);

/** Words of every day: their `name: value` is prose, unless something quotes it. */
const EVERYDAY = /^(?:pass|secret|token|signature|sig|cookie)$/i;

/** Ends of other words (design, config): they count only where a word begins. */
const WHOLE_WORD = /^(?:sig|pw|psk|passin|passout)$/i;

/** Words that end in "pass" and hold nothing: compass, bypass, lowpass. */
const OTHER_PASS =
  /(?:com|by|tres|sur|en?com|over|under|multi|one|two|first|second|last|all|low|high|band|single)$/i;

/** How far the name around a keyword is read, so that a text of nothing but keywords stays linear. */
const NAME_MAX = 64;

interface Name {
  readonly text: string;
  readonly keyword: string;
  /** What stands before the keyword, and the part of it that belongs to the name. */
  readonly window: string;
  readonly before: string;
  /** After the keyword. */
  readonly end: number;
}

export function maskNamedValues(text: string): string {
  const pieces: string[] = [];
  let from = 0;
  KEYWORD.lastIndex = 0;
  for (let match = KEYWORD.exec(text); match !== null; match = KEYWORD.exec(text)) {
    const value = valueOf(text, match.index, match[0]);
    if (value === undefined) continue;
    pieces.push(text.slice(from, value.start), MASK);
    from = value.end;
    KEYWORD.lastIndex = Math.max(value.end, KEYWORD.lastIndex);
  }
  return from === 0 ? text : pieces.join('') + text.slice(from);
}

/** Where the value of the name at `index` stands; undefined: this is no name of a secret, or it has no value. */
function valueOf(text: string, index: number, keyword: string): Span | undefined {
  const window = text.slice(Math.max(0, index - NAME_MAX), index);
  const before = /[A-Za-z0-9_.-]*$/.exec(window)?.[0] ?? '';
  const name = { text, keyword, window, before, end: index + keyword.length };
  if (!isSecretName(name)) return undefined;
  return assigned(name) ?? elementOf(name) ?? ofPair(name) ?? quotedAfter(name) ?? afterFlag(name);
}

function isSecretName({ keyword, before }: Name): boolean {
  if (WHOLE_WORD.test(keyword)) return !/[A-Za-z0-9+/]$/.test(before);
  if (/^pass$/i.test(keyword)) return !OTHER_PASS.test(before);
  // The working directory, as in every `env`.
  return keyword !== 'PWD' || (before !== '' && before !== 'OLD');
}

/** `name=value`, `"name": "value"`, `name => value`. */
function assigned({ text, keyword, window, before, end }: Name): Span | undefined {
  const separator = /^(\\{0,8}["'`]?\]?)[ \t]{0,8}([:=])>?[ \t]{0,8}/.exec(
    text.slice(end, end + 40),
  );
  if (separator === null || (separator[2] === ':' && USER_OF_URL.test(window))) return undefined;
  const start = end + separator[0].length;
  const isProse =
    separator[2] === ':' &&
    separator[1] === '' &&
    EVERYDAY.test(keyword) &&
    !/[-_]$/.test(before) &&
    // In quotes, and too long for a sign of punctuation ("unexpected token: ','").
    !/^["'][^"']{8}/.test(text.slice(start, start + 9));
  return isProse ? undefined : (blockOf(text, start) ?? valueAt(text, start, endsIn(window)));
}

/** `https://x-access-token:secret@host`: a user's name, whose secret secret-urls.ts has masked. */
const USER_OF_URL = /:\/\/[^\s/]*$/;

/** In a query `&` ends the value, in a connection string `;`. */
function endsIn(window: string): ValueEnds {
  return {
    ampersand: /[?&#][A-Za-z0-9_.%-]*$/.test(window),
    semicolon: /;[ \t]{0,8}[A-Za-z0-9_. -]{0,32}$/.test(window),
  };
}

/** YAML's `password: |` with the text on the following, deeper lines. */
function blockOf(text: string, start: number): Span | undefined {
  const mark = /^[|>][-+0-9]{0,2}[ \t]{0,8}\r?\n/.exec(text.slice(start, start + 16));
  if (mark === null) return undefined;
  const lineStart = text.lastIndexOf('\n', start) + 1;
  const indent = /^[ \t-]{0,64}/.exec(text.slice(lineStart, lineStart + 64))?.[0].length ?? 0;
  let end = start + mark[0].length;
  while (end < text.length) {
    const depth = /^[ \t]{0,65}/.exec(text.slice(end, end + 65))?.[0].length ?? 0;
    const isBlank = /[\r\n]/.test(text[end + depth] ?? '');
    if (!isBlank && depth <= indent) break;
    const next = text.indexOf('\n', end);
    if (next < 0) return { start, end: text.length };
    end = next + 1;
  }
  return { start, end: text[end - 2] === '\r' ? end - 2 : end - 1 };
}

/** `<ns:Password type="x">value</ns:Password>`, and with CDATA. */
function elementOf({ text, window, end }: Name): Span | undefined {
  if (!/<[\w.:-]*$/.test(window)) return undefined;
  const open = /^(?:\s[^<>]{0,200})?>(?:<!\[CDATA\[)?/.exec(text.slice(end, end + 220))?.[0];
  return open === undefined || open.endsWith('/>') ? undefined : untilTag(text, end + open.length);
}

function untilTag(text: string, start: number): Span | undefined {
  const bracket = text.indexOf('<', start);
  const end = bracket < 0 ? text.length : bracket;
  const length = text
    .slice(start, end)
    .trimEnd()
    .replace(/\]\]>$/, '').length;
  return length === 0 ? undefined : { start, end: start + length };
}

/** A name and its value as two members: `name: PASSWORD` and `value: x`, of Kubernetes, AWS tags, Hadoop, Spring. */
function ofPair({ text, end }: Name): Span | undefined {
  const rest = text.slice(end, end + 120);
  const tag = TAG_OF_VALUE.exec(rest)?.[0];
  if (tag !== undefined && /^[^<]{1,400}<\//.test(text.slice(end + tag.length, end + 500))) {
    return untilTag(text, end + tag.length);
  }
  const separator = (MEMBER_OF_VALUE.exec(rest) ?? OPTION_OF_VALUE.exec(rest))?.[0];
  return separator === undefined ? undefined : valueAt(text, end + separator.length);
}

const TAG_OF_VALUE = /^(?:<\/name>\s{0,40}<value>|["'](?:[^<>\n]{0,80}[^/<>\n])?>)/i;
const MEMBER_OF_VALUE =
  /^(?:\\?["'])?(?=[\s,;])\s{0,40}[,;]?\s{0,40}(?:\\?["'])?(?:value|string|content)(?:\\?["'])?\s{0,4}[:=]\s{0,4}/i;
const OPTION_OF_VALUE = /^["']?[ \t]{1,8}(?:--value|-v)[ \t=]{1,8}/;

/** SQL's `PASSWORD 'x'`, `PASSWORD('x')`, and a call such as `define('DB_PASSWORD', 'x')`. */
function quotedAfter({ text, keyword, window, before, end }: Name): Span | undefined {
  const rest = text.slice(end, end + 24);
  const isCall = /\w\([ \t]{0,4}\\?["'][A-Za-z0-9_.-]*$/.test(window);
  const call = isCall ? /^\\?["'][ \t]{0,4},[ \t]{0,4}(?=\\?["'])/.exec(rest)?.[0] : undefined;
  if (call !== undefined) return valueAt(text, end + call.length);
  if (EVERYDAY.test(keyword) && !/[-_]$/.test(before)) return undefined;
  const blank = /^(?:[ \t]{1,8}|[ \t]{0,4}\([ \t]{0,4})(?=[EN]?\\{0,8}['"])/.exec(rest)?.[0];
  return blank === undefined ? undefined : valueAt(text, end + blank.length);
}

/** `--password value`, `-storepass value`, `config set auth_token value`. */
function afterFlag(name: Name): Span | undefined {
  if (!isFlag(name) && !SETTING.test(name.window)) return undefined;
  const { text, end } = name;
  const blank = /^(?:["'],?)?[ \t]{0,8}/.exec(text.slice(end, end + 12))?.[0] ?? '';
  const start = end + blank.length;
  if (blank === '' || text.startsWith('--', start)) return undefined;
  // openssl takes a password as `pass:x`, or where it is to be found.
  const source = /^(["']?)(pass:|file:|env:|fd:|stdin\b)/.exec(text.slice(start, start + 8));
  if (source === null) return valueAt(text, start);
  return source[2] === 'pass:' ? valueAt(text, start + source[0].length) : undefined;
}

function isFlag({ keyword, window, before }: Name): boolean {
  if (before.includes('--')) return !before.includes('--no-');
  if (/(?:^|[\s"'([])-[A-Za-z][\w.-]*$/.test(window)) return !/^sig/i.test(keyword);
  return /(?:^|[\s"'([])-$/.test(window) && /^(?:pass|pw|token|secret)/i.test(keyword);
}

/** `aws configure set NAME value`, `git config NAME value`, `CONFIG SET NAME value`. */
const SETTING =
  /\b(?:config|configure)[ \t]{1,4}(?:--\w{1,20}[ \t]{1,4})?(?:set[ \t]{1,4})?[^\s"']{0,48}$/i;
