/** Where a value ends: after an equals sign, a flag, a keyword. Shared by the rules of secrets.ts. */

export const MASK = '***';

export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface ValueEnds {
  /** In a URL's query, where `&` ends the value. */
  readonly ampersand?: boolean;
  /** In a list such as a connection string, where `;` ends the value. */
  readonly semicolon?: boolean;
}

/** How many characters before and after a quote are looked at, so that every look is bounded. */
const ESCAPES_MAX = 8;

/** `'`, `"` or a backtick, escaped or not, with the prefix that SQL and Python allow (`N'…'`, `E'…'`, `b'…'`). */
const OPENING = /^(?:[BbEeNnRrUu]|U&)?\\{0,8}["'`]/;

/** A quoted value ends at its quote; a bare one at white space, at a quote that closes, at `</`, or as `ends` asks. */
export function valueAt(text: string, start: number, ends: ValueEnds = {}): Span | undefined {
  const opening = OPENING.exec(text.slice(start, start + ESCAPES_MAX + 3))?.[0];
  if (opening !== undefined) {
    const first = start + opening.length;
    const close = closingQuote(text, first, opening);
    return close === first ? undefined : { start: first, end: close };
  }
  let end = start;
  while (end < text.length && !isEnd(text, end, ends)) end += 1;
  // Padding of base64 is no value: `…cHc=` ends like the name `pw` with nothing after it.
  return /^=*$/.test(text.slice(start, Math.min(end, start + 4))) ? undefined : { start, end };
}

function isEnd(text: string, at: number, ends: ValueEnds): boolean {
  const character = text[at] ?? '';
  if (/\s/.test(character)) return true;
  if (character === '&') return ends.ampersand === true;
  if (character === ';') return ends.semicolon === true;
  if (character === '<') return text[at + 1] === '/';
  if (!/["'`\\]/.test(character)) return false;
  return /^\\{0,8}["'`](?:[\s,;)}\]]|$)/.test(text.slice(at, at + ESCAPES_MAX + 2));
}

/** The first such quote that is not escaped more deeply than the one that opened; else the end of the text. */
function closingQuote(text: string, from: number, opening: string): number {
  const depth = opening.split('\\').length - 1;
  const mark = opening.slice(-1);
  let backslashes = 0;
  for (let at = from; at < text.length; at += 1) {
    const character = text[at];
    if (character === mark && backslashes <= depth) return at - backslashes;
    backslashes = character === '\\' ? backslashes + 1 : 0;
  }
  return text.length;
}
