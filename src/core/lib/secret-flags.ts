/** Short options and words of command lines that carry a secret: which they are is in secret-tools.ts. */
import { TOOLS } from './secret-tools.ts';
import type { SecretOption, Tool } from './secret-tools.ts';
import { MASK } from './secret-value.ts';

const NAMES = [...TOOLS.keys()].map((name) => name.replaceAll('.', '\\.')).join('|');
const TOOL_NAME = new RegExp(`(?<![A-Za-z0-9_.-])(?:${NAMES})(?:\\.exe)?(?![A-Za-z0-9_.-])`);

/** `sh -c "ssh host 'mysql -pX'"`: commands in words of commands. */
const NESTING_MAX = 3;
/** How much of the words before an option is looked at (`when`). */
const SEEN_MAX = 200;

export function maskToolOptions(text: string): string {
  if (!TOOL_NAME.test(text)) return text;
  return text
    .split(/((?<!\\)\r?\n)/)
    .map((line) => (TOOL_NAME.test(line) ? maskCommand(line, undefined, 0) : line))
    .join('');
}

/** What has been read of a command. */
interface Progress {
  tool: Tool | undefined;
  /** An option whose secret is the next word. */
  pending: SecretOption | undefined;
  /** Its words that are no options. */
  words: number;
  firstWord: string;
  seen: string;
}

function begun(tool: Tool | undefined): Progress {
  return { tool, pending: undefined, words: 0, firstWord: '', seen: '' };
}

function maskCommand(line: string, outer: Tool | undefined, depth: number): string {
  const pieces: string[] = [];
  let from = 0;
  let progress = begun(outer);
  for (const { start, end } of wordsOf(line)) {
    const { head, core, tail } = partsOf(line.slice(start, end));
    const tool = progress.pending === undefined ? toolOf(core) : undefined;
    if (tool !== undefined) progress = begun(tool);
    else pieces.push(line.slice(from, start), head + maskWord(core, progress, depth) + tail);
    if (tool === undefined) from = end;
    if (SEPARATOR.test(core) || (progress.pending === undefined && tail.includes(';'))) {
      progress = begun(undefined);
    }
  }
  return pieces.join('') + line.slice(from);
}

const SEPARATOR = /^(?:[|&]{1,2}|;+)$/;

function maskWord(core: string, progress: Progress, depth: number): string {
  const { tool, pending } = progress;
  if (tool !== undefined && pending !== undefined) {
    progress.pending = undefined;
    return maskSecret(core, pending);
  }
  // Before a command in the word is looked for: a secret may have blanks (`-p'two words'`).
  const option = tool?.options.find((each) => flagOf(each, core, progress.seen) !== undefined);
  const flag = option && flagOf(option, core, progress.seen);
  const isCommand =
    option === undefined && /\s/.test(core) && (tool !== undefined || TOOL_NAME.test(core));
  if (isCommand && depth < NESTING_MAX) return maskCommand(core, tool, depth + 1);
  if (tool === undefined || core === '') return core;
  progress.seen = `${progress.seen} ${core}`.slice(-SEEN_MAX);
  if (option !== undefined) return maskOption(core, option, flag ?? core, progress);
  return core.startsWith('-') ? core : maskPlainWord(core, tool, progress);
}

/** The flag that this word is, or begins with; the word itself if the flag ends a cluster. */
function flagOf(
  { flags, form, cluster, when }: SecretOption,
  core: string,
  seen: string,
): string | undefined {
  if (when !== undefined && !when.test(seen)) return undefined;
  if (form !== 'joined' && flags.includes(core)) return core;
  const isClustered = (flag: string): boolean =>
    cluster === true && flag.length === 2 && isCluster(core) && core.endsWith(flag.slice(1));
  const joined = flags.find((flag) => core !== flag && core.startsWith(flag) && isJoined(flag));
  return joined ?? (flags.some(isClustered) ? core : undefined);

  function isJoined(flag: string): boolean {
    if (core[flag.length] === '=') return true;
    const isLong = flag.startsWith('--') || !flag.startsWith('-');
    return isLong ? flag.endsWith(':') : form !== 'next';
  }
}

function isCluster(core: string): boolean {
  return /^-[A-Za-z]{2,8}$/.test(core);
}

function maskOption(core: string, option: SecretOption, flag: string, progress: Progress): string {
  if (core === flag) {
    progress.pending = option;
    return core;
  }
  const sign = /^=?["']?/.exec(core.slice(flag.length))?.[0] ?? '';
  return flag + sign + maskSecret(core.slice(flag.length + sign.length), option);
}

function maskSecret(value: string, { after }: SecretOption): string {
  if (value === '') return value;
  if (after === undefined) return MASK;
  if (after === '/') return maskLogin(value, SLASH_LOGIN);
  const sign = value.indexOf(after);
  return sign < 0 || sign === value.length - 1 ? value : value.slice(0, sign + 1) + MASK;
}

/** A word that is neither an option nor its value. */
function maskPlainWord(core: string, tool: Tool, progress: Progress): string {
  if (tool.wraps === true) {
    // Its own options are over: another command begins.
    progress.tool = undefined;
    return core;
  }
  if (progress.words === 0) progress.firstWord = core;
  const position = tool.positions?.[progress.firstWord] ?? tool.positions?.['*'];
  const index = progress.words;
  progress.words += 1;
  if (position === index) return MASK;
  if (tool.login === 'colon') return maskLogin(core, COLON_LOGIN);
  if (tool.login === 'slash' && (index === 0 || core.includes('@'))) {
    return maskLogin(core, SLASH_LOGIN);
  }
  return core;
}

/** `scott/tiger@orcl`, but not a path, a script (`@x.sql`) or `user@//host/service`. */
const SLASH_LOGIN = /^([\w$#."\\-]{1,128}\/)(?!\/)(.+?)(@[^@\s]*)?$/;
const COLON_LOGIN = /^([\w.%+-]{1,128}:)(?!\/)(.+)(@[\w.:[\]-]+)$/;

function maskLogin(word: string, login: RegExp): string {
  return word.replace(login, `$1${MASK}$3`);
}

function toolOf(core: string): Tool | undefined {
  const name = /[^/\\=:"'[(]{1,40}$/.exec(core.slice(-48))?.[0].replace(/\.exe$/i, '');
  return name === undefined ? undefined : TOOLS.get(name);
}

/** Quotes, brackets and signs around a word are no part of it. */
function partsOf(word: string): {
  readonly head: string;
  readonly core: string;
  readonly tail: string;
} {
  const head = /^[["'`(\\{$]{0,16}/.exec(word)?.[0] ?? '';
  const tail =
    /["'`)\]\\},;]{1,16}$/.exec(word.slice(Math.max(head.length, word.length - 16)))?.[0] ?? '';
  return { head, core: word.slice(head.length, word.length - tail.length), tail };
}

interface Word {
  readonly start: number;
  readonly end: number;
}

/** Words as a shell splits them, or the items of a list in JSON. A quote that never closes is an apostrophe. */
function wordsOf(line: string): readonly Word[] {
  const words: Word[] = [];
  const unclosed = new Set<string>();
  for (let at = 0; at < line.length;) {
    if (isBlank(line, at)) {
      at += 1;
      continue;
    }
    const start = at;
    at = endOfWord(line, start, unclosed);
    words.push({ start, end: at });
  }
  return words;
}

function endOfWord(line: string, start: number, unclosed: Set<string>): number {
  let at = start;
  while (at < line.length && !isBlank(line, at)) {
    const character = line[at] ?? '';
    let isClosed = false;
    if (/["']/.test(character) && opensQuote(line, start, at) && !unclosed.has(character)) {
      const close = closeOf(line, at);
      isClosed = close !== undefined;
      if (close === undefined) unclosed.add(character);
      else at = close;
    }
    at += character === '\\' && !isBlank(line, at + 1) ? 2 : 1;
    // The next item of a list: ["mysql","-pX"], also escaped.
    const isItem = isClosed || /["']/.test(line[at - 1] ?? '');
    if (isItem && line[at] === ',') return at + 1;
  }
  return Math.min(at, line.length);
}

function isBlank(line: string, at: number): boolean {
  const character = line[at] ?? '';
  return /\s/.test(character) || (character === '\\' && line[at + 1] === '\n');
}

/** In the middle of a word of prose it is an apostrophe. */
function opensQuote(line: string, start: number, at: number): boolean {
  return at === start || line[start] === '-' || /[=:,([{$]/.test(line[at - 1] ?? '');
}

function closeOf(line: string, open: number): number | undefined {
  const quote = line[open] ?? '';
  for (let at = open + 1; at < line.length; at += 1) {
    if (line[at] === quote) return at;
    if (quote === '"' && line[at] === '\\') at += 1;
  }
  return undefined;
}
