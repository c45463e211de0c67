/** The last lines of what a run wrote to a stream, secrets masked: of the end of the log, however long a line is. */
import { stripVTControlCharacters } from 'node:util';
import { maskSecrets } from '../../core/lib/secrets.ts';
import type { LogReader } from './log-reader.ts';

/** Progress of rsync is one endless line of carriage returns: its end is enough. */
const BYTES_MAX = 64 * 1024;

export async function outputTail(log: LogReader, lines: number): Promise<string[]> {
  const end = await log.end();
  if (end === undefined) return [];
  const from = Math.max(0, end - BYTES_MAX);
  const { bytes } = await readLog(log, from, end - from);
  const text = bytes.toString('utf8');
  // Half a line may be half a secret, which nothing recognises.
  const whole = from === 0 ? text : text.slice(text.search(/[\r\n]/) + 1);
  return maskSecrets(stripVTControlCharacters(whole))
    .split(/[\r\n]+/)
    .filter((line) => line.trim() !== '')
    .slice(-lines);
}

/** `position`: where the bytes begin, later than `from` if rotation has removed some. */
export async function readLog(
  log: LogReader,
  from: number,
  bytesMax: number,
): Promise<{ readonly bytes: Buffer; readonly position: number }> {
  const pieces: Buffer[] = [];
  let begin = from;
  let position = from;
  let bytes = 0;
  while (bytes < bytesMax) {
    const piece = await log.read(position);
    if (piece === undefined || piece.bytes.length === 0) break;
    if (pieces.length === 0) begin = piece.next - piece.bytes.length;
    pieces.push(piece.bytes);
    bytes += piece.bytes.length;
    position = piece.next;
  }
  return { bytes: Buffer.concat(pieces).subarray(0, bytesMax), position: begin };
}
