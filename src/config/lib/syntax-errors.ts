/** What a syntax error of the YAML parser means for a person who wrote a configuration: the key, and how to write it. */

export interface SyntaxError {
  /** Dotted; `(yaml)` if the line has none. */
  readonly key: string;
  readonly message: string;
}

const QUOTES = "put the value in single quotes: '…'";

/** By the reason that the parser gives, or by how the value begins. The first that fits counts. */
const REMEDIES: readonly (readonly [reason: RegExp, begins: RegExp, message: string])[] = [
  [
    /multiple documents/,
    /./,
    'the file holds several documents: remove this line (---) and what belongs to another one',
  ],
  [/tabs are not allowed|tab/i, /./, 'a tab indents the line: indent with spaces'],
  [
    /invalid escape sequence/i,
    /./,
    'a backslash in double quotes begins an escape sequence: write single quotes instead',
  ],
  [/missing closing ["']|closing .*quote/i, /./, 'the closing quote is missing'],
  [/alias/i, /./, `text that begins with * is an alias in YAML: ${QUOTES}`],
  [/cannot start with/i, /./, `text cannot begin with this character in YAML: ${QUOTES}`],
  [/./, /^\*/, `text that begins with * is an alias in YAML: ${QUOTES}`],
  [/./, /^\{/, `text that begins with { is a map in YAML: ${QUOTES}`],
  [/flow-map-start/i, /./, `text that begins with { is a map in YAML: ${QUOTES}`],
  [
    /./,
    /^\[/,
    `text that begins with [ is a list in YAML, and a list ends with ]: ${QUOTES} if it is text`,
  ],
  [/./, /^[@`%&!|>?]/, `text cannot begin with this character in YAML: ${QUOTES}`],
  [
    /nested mappings|implicit key|block collection/i,
    /./,
    `a colon and a blank within text begin a map in YAML: ${QUOTES}`,
  ],
];

/** `line` counts from 1. */
export function explainSyntaxError(
  reason: string,
  text: string,
  { line, column }: { readonly line: number; readonly column: number },
): SyntaxError {
  const lines = text.split(/\r?\n/);
  const { key, value } = keyAt(lines, line - 1, column - 1);
  const found = REMEDIES.find(([pattern, begins]) => pattern.test(reason) && begins.test(value));
  const lower = reason.charAt(0).toLowerCase() + reason.slice(1);
  return {
    key: /documents|tabs? /i.test(reason) ? '(yaml)' : key,
    message: found?.[2] ?? `${lower}; ${QUOTES} if it is text`,
  };
}

const KEY = /^(\s*)((?:- +)*)(["']?)([^\s"'#:{}[\],&*!|>%@-][^"'#:{}[\],]*?)\3\s*:(?:\s+|$)/;

/** The innermost key before the place, with those around it by their indentation, and the value that it has. */
function keyAt(
  lines: readonly string[],
  at: number,
  column: number,
): { readonly key: string; readonly value: string } {
  const text = lines[at] ?? '';
  const own = KEY.exec(text);
  if (own === null) return { key: '(yaml)', value: text.trim() };
  const [whole, indent = '', dashes = '', , name = ''] = own;
  const path = [...ancestors(lines, at, indent.length + dashes.length), name];
  let value = text.slice(whole.length);
  // `{ a: 1, b: * }`: the last key before the place, of the maps that are open there.
  const before = text.slice(whole.length, Math.max(whole.length, column + 1));
  for (const match of before.matchAll(/([{,])\s*(["']?)([\w.-]+)\2\s*:\s+/g)) {
    if (match[1] === ',') path.pop();
    path.push(match[3] ?? '');
    value = text.slice(whole.length + match.index + match[0].length);
  }
  return { key: path.join('.'), value };
}

function ancestors(lines: readonly string[], at: number, indent: number): string[] {
  const names: string[] = [];
  let below = indent;
  for (let index = at - 1; index >= 0 && below > 0; index -= 1) {
    const [, spaces = '', dashes = '', , name = ''] = KEY.exec(lines[index] ?? '') ?? [];
    if (name === '' || spaces.length + dashes.length >= below) continue;
    names.unshift(name);
    below = spaces.length;
  }
  return names;
}
