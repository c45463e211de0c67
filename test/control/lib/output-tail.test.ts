/** The end of a run's output: which bytes are read, which lines are shown, and that half a secret is none of them. */
import { expect, test } from 'vitest';
import { outputTail, readLog } from '../../../src/control/lib/output-tail.ts';
import type { LogReader } from '../../../src/control/lib/log-reader.ts';

const BYTES_MAX = 64 * 1024;

/** A log whose first kept byte is at `begin`, given in pieces. */
function logOf(text: string, piece = 1000, begin = 0): LogReader & { reads: number[] } {
  const reads: number[] = [];
  return {
    reads,
    begin: () => Promise.resolve(begin),
    end: () => Promise.resolve(begin + text.length),
    read: (position) => {
      reads.push(position);
      const from = Math.max(position, begin) - begin;
      const bytes = Buffer.from(text.slice(from, from + piece));
      return Promise.resolve({ bytes, next: begin + from + bytes.length });
    },
  };
}

const ABSENT: LogReader = {
  begin: () => Promise.resolve(0),
  end: () => Promise.resolve(undefined),
  read: () => Promise.resolve(undefined),
};

test('the last lines, empty ones left out, of a log of many pieces', async () => {
  const lines = Array.from({ length: 500 }, (_, index) => `line ${index}`);
  expect(await outputTail(logOf(`${lines.join('\n\n')}\n`, 7), 3)).toEqual(lines.slice(-3));
  expect(await outputTail(logOf('one\n'), 3)).toEqual(['one']);
  expect(await outputTail(ABSENT, 3)).toEqual([]);
});

test('only the end is read, and the line in whose middle it begins is left out', async () => {
  const begin = `password=${'x'.repeat(100)}`;
  const log = logOf(`${begin}${'y'.repeat(BYTES_MAX - 4)}\nend`);
  expect(await outputTail(log, 10)).toEqual(['end']);
  expect(log.reads[0]).toBe(begin.length);
});

test('a log of just as many bytes is read from its beginning, its first line included', async () => {
  const rest = 'y'.repeat(BYTES_MAX - 6);
  expect(await outputTail(logOf(`first\n${rest}`), 10)).toEqual(['first', rest]);
});

test('no more is read than was asked for, and the position is where the bytes begin', async () => {
  const log = logOf('0123456789', 4);
  const { bytes, position } = await readLog(log, 2, 6);
  expect([bytes.toString(), position]).toEqual(['234567', 2]);
  expect(log.reads).toEqual([2, 6]);
  // What rotation has removed is skipped, and the position says so.
  const cut = await readLog(logOf('456', 2, 4), 0, 100);
  expect([cut.bytes.toString(), cut.position]).toEqual(['456', 4]);
  const none = await readLog(ABSENT, 7, 100);
  expect([none.bytes.length, none.position]).toEqual([0, 7]);
});
