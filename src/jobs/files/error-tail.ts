/**
 * The error tail of a run: the end of its stderr.log as plain lines, secrets masked. They travel to AWS
 * (errorStackTrace) and to the operator; how much a destination takes is its own business.
 */
import { plainLine } from '../lib/plain-text.ts';
import { RunLog } from './run-log.ts';

const READ_BYTES_MAX = 16_384;
const ERROR_TAIL_CHARACTERS_MAX = 2000;

/** Absent if the file is empty or cannot be read. */
export async function readErrorTail(
  path: string,
  mask: (text: string) => string,
): Promise<string | undefined> {
  try {
    const { text, whole } = await readEnd(path);
    const tail = tailOf(whole ? text : text.slice(text.indexOf('\n') + 1), mask);
    return tail === '' ? undefined : tail;
  } catch {
    // A missing or unreadable log does not keep the exit code from being reported.
    return undefined;
  }
}

function tailOf(text: string, mask: (text: string) => string): string {
  const lines = text
    .split('\n')
    // Of a line that was written over again and again (\r), what stood there last.
    .map((line) => indentedLine(line.replace(/\r+$/, '').split('\r').at(-1) ?? ''))
    .filter((line) => line !== '');
  const masked = mask(lines.join('\n'));
  if (masked.length <= ERROR_TAIL_CHARACTERS_MAX) return masked;
  const cut = masked.slice(-ERROR_TAIL_CHARACTERS_MAX).replace(/^[\udc00-\udfff]/, '');
  // Begin with a whole line if there is one.
  const begin = cut.indexOf('\n') + 1;
  return begin < cut.length / 2 ? cut.slice(begin) : cut;
}

/** An indented line belongs to the one above it: a stack trace is no list of errors. */
function indentedLine(text: string): string {
  const line = plainLine(text);
  return line !== '' && /^\s/.test(text) ? `  ${line}` : line;
}

async function readEnd(path: string): Promise<{ text: string; whole: boolean }> {
  const log = new RunLog(path);
  const [begin, end = 0] = await Promise.all([log.begin(), log.end()]);
  const from = Math.max(begin, end - READ_BYTES_MAX);
  const pieces: Buffer[] = [];
  for (let at = from; at < end;) {
    const piece = await log.read(at);
    if (piece === undefined || piece.next <= at) break;
    pieces.push(piece.bytes);
    at = piece.next;
  }
  return { text: Buffer.concat(pieces).toString('utf8'), whole: from === begin };
}
