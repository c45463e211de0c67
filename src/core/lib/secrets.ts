/**
 * Masks secrets in command lines, URLs, output and errors before they leave the host or reach a log (P9).
 * Rather masks a harmless word than lets a password pass. Works on one text at a time: a private key is
 * known by its BEGIN line, so text must be masked whole, not line by line.
 *
 * Every pass is linear in the length of the text: keywords are searched without a prefix, and what stands
 * around one is read by hand within fixed bounds. Masking a masked text changes nothing.
 */

const MASK = '***';

export function maskSecrets(text: string): string {
  let masked = text;
  // What one rule masks may let another see more. A second round nearly always finds nothing left.
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const before = masked;
    masked = maskOnce(before);
    if (masked === before) break;
  }
  return masked;
}

const ROUNDS_MAX = 4;

function maskOnce(text: string): string {
  return maskToolFlags(
    maskNamedValues(maskAuthorization(maskKnownTokens(maskUrls(maskPrivateKeys(text))))),
  );
}

/** PEM blocks (RFC 7468). One without its END line is masked to the end: the text was cut. */
function maskPrivateKeys(text: string): string {
  let masked = '';
  let from = 0;
  for (;;) {
    const begin = text.indexOf('-----BEGIN ', from);
    if (begin < 0) return masked + text.slice(from);
    const header = /^-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----/.exec(
      text.slice(begin, begin + 80),
    );
    if (header === null) {
      masked += text.slice(from, begin + 11);
      from = begin + 11;
      continue;
    }
    masked += text.slice(from, begin) + header[0] + MASK;
    const end = text.indexOf('-----END ', begin + header[0].length);
    if (end < 0) return masked;
    from = end;
  }
}

/** `scheme://user:secret@host`: the secret. A secret with an unescaped `/` or `@` is masked whole too. */
function maskUrls(text: string): string {
  return text.includes('://') ? text.replace(/\S+/g, maskUrlsInWord) : text;
}

function maskUrlsInWord(word: string): string {
  let masked = '';
  let from = 0;
  const lastAt = word.lastIndexOf('@');
  for (let start = word.indexOf('://'); start >= 0; start = word.indexOf('://', from)) {
    const authority = start + 3;
    const rest = word.slice(authority);
    const end = rest.search(/[/?#"'<>]/);
    const plain = end < 0 ? rest : rest.slice(0, end);
    let at = plain.lastIndexOf('@');
    const colon = plain.indexOf(':');
    // No `@` before the path, and what follows the colon is no port: a password that was not escaped.
    if (at < 0 && colon >= 0 && !/^:\d*$/.test(plain.slice(colon))) at = lastAt - authority;
    const secret = at >= 0 && colon >= 0 && colon < at;
    masked += word.slice(from, authority);
    if (secret) masked += rest.slice(0, colon + 1) + MASK;
    from = authority + (secret ? at : 0);
  }
  return masked + word.slice(from);
}

/** Tokens that name themselves, wherever they stand. Each starts where no longer run of its letters could. */
const KNOWN_TOKENS: readonly RegExp[] = [
  // GitHub, GitLab and Slack.
  /(?<![A-Za-z0-9_-])(?:gh[pousr]_|github_pat_|glpat-|xox[abposr]-)[A-Za-z0-9_-]{10,}/g,
  // A JSON web token: two base64url parts that start with `{"`, and a signature.
  /(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]+\.eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*/g,
];

/** An access key id (IAM user guide, "IAM identifiers") with its 40 character secret beside it, as in a CSV. */
const KEY_PAIR =
  /((?:AKIA|ASIA)[A-Z0-9]{16}["']?[\s,:;]{1,4}["']?)[A-Za-z0-9/+=]{40}(?![A-Za-z0-9/+=])/g;

function maskKnownTokens(text: string): string {
  let masked = text.replace(KEY_PAIR, `$1${MASK}`);
  for (const token of KNOWN_TOKENS) masked = masked.replace(token, MASK);
  return masked;
}

/** `Authorization: Bearer …`, with what follows the scheme up to a closing quote or the line's end. */
function maskAuthorization(text: string): string {
  return text
    .replace(
      /(authorization\\{0,8}["']?[ \t]{0,8}[:=][ \t]{0,8}\\{0,8}["']?)((?:bearer|basic|digest|token|negotiate|aws4-hmac-sha256)[ \t]{1,8})?[^"'\s][^"'\r\n]*/gi,
      (_, name: string, scheme: string | undefined) => `${name}${scheme ?? ''}${MASK}`,
    )
    .replace(/(?<![A-Za-z0-9])((?:bearer|basic)[ \t]{1,8})[A-Za-z0-9._~+/=-]{16,}/gi, `$1${MASK}`);
}

/** Names whose value is a secret, in `name=value`, `"name": "value"` and `--name value`. */
const SECRET_NAME =
  /passwords?|passwd|passphrase|passcode|pwd|pass|secret|token|signature|sig|(?:api|secret|access|account|private|encryption|master|auth)[-_ ]?key/gi;

/** Names that are words of every day: their `name: value` is prose, unless something quotes it. */
const EVERYDAY = /^(?:pass|secret|token|signature|sig)$/i;

/** Names that are the end of other words (compass, design…): they count only where a word begins. */
const WHOLE_WORD = /^(?:pass|sig|pwd)$/i;

/** How far the name around a keyword is read, so that a text of nothing but keywords stays linear. */
const NAME_MAX = 64;

function maskNamedValues(text: string): string {
  const pieces: string[] = [];
  let from = 0;
  SECRET_NAME.lastIndex = 0;
  const names = new RegExp(SECRET_NAME);
  for (let match = names.exec(text); match !== null; match = names.exec(text)) {
    const value = valueOf(text, match.index, match[0]);
    if (value === undefined) continue;
    pieces.push(text.slice(from, value.start), MASK);
    from = value.end;
    names.lastIndex = Math.max(value.end, names.lastIndex);
  }
  return from === 0 ? text : pieces.join('') + text.slice(from);
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/** Where the value of the name at `index` stands; undefined: this is no name of a secret. */
function valueOf(text: string, index: number, keyword: string): Span | undefined {
  const before =
    /[A-Za-z0-9_.-]*$/.exec(text.slice(Math.max(0, index - NAME_MAX), index))?.[0] ?? '';
  if (WHOLE_WORD.test(keyword) && /[A-Za-z]$/.test(before)) return undefined;
  // The working directory, as in every `env`.
  if (keyword === 'PWD' && (before === '' || before === 'OLD')) return undefined;

  const end = index + keyword.length;
  const separator = /^(\\{0,8}["']?\]?)[ \t]{0,8}([:=])>?[ \t]{0,8}/.exec(
    text.slice(end, end + 40),
  );
  if (separator !== null) {
    const start = end + separator[0].length;
    const value = valueAt(text, start, inQuery(text, index));
    if (separator[2] !== ':' || !EVERYDAY.test(keyword) || /[-_]$/.test(before)) return value;
    // In quotes, and too long for a sign of punctuation ("unexpected token: ','").
    const isQuoted =
      /["']/.test(text[start] ?? '') && value !== undefined && value.end - value.start >= 8;
    return separator[1] !== '' || isQuoted ? value : undefined;
  }
  if (!before.includes('--') || before.includes('--no-')) return undefined;
  const blank = /^["']?[ \t]{1,8}/.exec(text.slice(end, end + 10));
  if (blank === null || text.startsWith('--', end + blank[0].length)) return undefined;
  return valueAt(text, end + blank[0].length, false);
}

/** Whether the name is a parameter of a URL's query, where `&` ends the value. */
function inQuery(text: string, index: number): boolean {
  const before = text[index - 1] ?? '';
  if (before === '?' || before === '&') return true;
  return /[?&][A-Za-z0-9_.%-]*$/.test(text.slice(Math.max(0, index - NAME_MAX), index));
}

/** A quoted value ends at its quote; a bare one at white space, at `&` in a query, or at a quote that closes. */
function valueAt(text: string, start: number, query: boolean): Span | undefined {
  const quote = /^\\{0,8}["']/.exec(text.slice(start, start + 9))?.[0];
  if (quote !== undefined) {
    const first = start + quote.length;
    const close = closingQuote(text, first, quote);
    return close === first ? undefined : { start: first, end: close };
  }
  let end = start;
  while (end < text.length && !/\s/.test(text[end] ?? '')) {
    const character = text[end] ?? '';
    if (query && character === '&') break;
    if (/["'\\]/.test(character) && /^\\{0,8}["'](?:[\s,;)}\]]|$)/.test(text.slice(end, end + 10)))
      break;
    end += 1;
  }
  return end === start ? undefined : { start, end };
}

/** The first such quote that is not escaped more deeply than the one that opened; else the end of the text. */
function closingQuote(text: string, from: number, quote: string): number {
  const depth = quote.length - 1;
  const mark = quote.slice(-1);
  let backslashes = 0;
  for (let at = from; at < text.length; at += 1) {
    const character = text[at];
    if (character === mark && backslashes <= depth) return at - backslashes;
    backslashes = character === '\\' ? backslashes + 1 : 0;
  }
  return text.length;
}

interface Tool {
  readonly flags: readonly string[];
  /** Only `-pSECRET` in one word: `-p` alone asks for it. */
  readonly joined?: true;
  /** What stands before this sign is the user, and stays. */
  readonly after?: string;
}

const MYSQL: Tool = { flags: ['-p'], joined: true };
const MONGO: Tool = { flags: ['-p'] };

/** Short options that carry a secret, by tool. The long ones name themselves. */
const TOOLS: ReadonlyMap<string, Tool> = new Map([
  ['mysql', MYSQL],
  ['mysqldump', MYSQL],
  ['mysqladmin', MYSQL],
  ['mysqlimport', MYSQL],
  ['mysqlpump', MYSQL],
  ['mysqlbinlog', MYSQL],
  ['mariadb', MYSQL],
  ['mariadb-dump', MYSQL],
  ['mongodump', MONGO],
  ['mongorestore', MONGO],
  ['mongosh', MONGO],
  ['mongo', MONGO],
  ['sshpass', { flags: ['-p'] }],
  ['mydumper', { flags: ['-p'] }],
  ['myloader', { flags: ['-p'] }],
  ['redis-cli', { flags: ['-a'] }],
  ['sqlcmd', { flags: ['-P'] }],
  ['bcp', { flags: ['-P'] }],
  ['ldapsearch', { flags: ['-w'] }],
  ['curl', { flags: ['-u', '--user', '--proxy-user'], after: ':' }],
  ['smbclient', { flags: ['-U', '--user'], after: '%' }],
]);

const TOOL_NAME = new RegExp(
  `(?<![A-Za-z0-9_.-])(?:${[...TOOLS.keys()].join('|')})(?![A-Za-z0-9_.-])`,
);

function maskToolFlags(text: string): string {
  return text.includes(' -') ? text.replace(/[^\r\n;|]+/g, maskFlagsOfCommand) : text;
}

/** One command of a line: the flags of each tool in it, from its name on (sshpass -p S mysql -pS). */
function maskFlagsOfCommand(command: string): string {
  if (!TOOL_NAME.test(command)) return command;
  let tool: Tool | undefined;
  let pending = false;
  return command.replace(/\S+/g, (word) => {
    if (tool !== undefined && pending) {
      pending = false;
      return maskFlagValue(word, tool);
    }
    tool = TOOLS.get(TOOL_NAME.exec(word)?.[0] ?? '') ?? tool;
    const flag = tool?.flags.find((each) => word.startsWith(each));
    if (tool === undefined || flag === undefined) return word;
    pending = word === flag && tool.joined === undefined;
    return pending || word === flag ? word : flag + maskFlagValue(word.slice(flag.length), tool);
  });
}

function maskFlagValue(value: string, tool: Tool): string {
  if (tool.after === undefined) return MASK;
  const sign = value.indexOf(tool.after);
  return sign < 0 || sign === value.length - 1 ? value : value.slice(0, sign + 1) + MASK;
}
