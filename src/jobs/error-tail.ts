/**
 * The last words of a run: the end of its stderr.log as plain lines, secrets masked. They travel to AWS
 * (errorStackTrace) and to the operator; how much a destination takes is its own business.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { plainLine } from './plain-text.ts';

const READ_BYTES_MAX = 16_384;
export const ERROR_TAIL_CHARACTERS_MAX = 2000;

/** Absent where the file is empty or cannot be read. */
export async function readErrorTail(
  path: string,
  mask: (text: string) => string,
): Promise<string | undefined> {
  try {
    const { text, whole } = await readEnd(path);
    const tail = tailOf(whole ? text : text.slice(text.indexOf('\n') + 1), mask);
    return tail === '' ? undefined : tail;
  } catch {
    // A missing or unreadable log takes nothing from the exit code that is being told.
    return undefined;
  }
}

function tailOf(text: string, mask: (text: string) => string): string {
  const lines = text
    .split('\n')
    // Of a line that was written over again and again (\r), what stood there last.
    .map((line) => plainLine(line.replace(/\r+$/, '').split('\r').at(-1) ?? ''))
    .filter((line) => line !== '');
  const masked = mask(lines.join('\n'));
  if (masked.length <= ERROR_TAIL_CHARACTERS_MAX) return masked;
  const cut = masked.slice(-ERROR_TAIL_CHARACTERS_MAX).replace(/^[\udc00-\udfff]/, '');
  // Begin with a whole line where there is one.
  const begin = cut.indexOf('\n') + 1;
  return begin < cut.length / 2 ? cut.slice(begin) : cut;
}

async function readEnd(path: string): Promise<{ text: string; whole: boolean }> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { size } = await file.stat();
    const from = Math.max(0, size - READ_BYTES_MAX);
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(READ_BYTES_MAX),
      0,
      READ_BYTES_MAX,
      from,
    );
    return { text: buffer.toString('utf8', 0, bytesRead), whole: from === 0 };
  } finally {
    await file.close();
  }
}
