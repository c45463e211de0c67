/** The end of stderr as it goes to AWS and the operator: plain lines, secrets masked, whole lines where there are some. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readErrorTail } from '../../../src/jobs/files/error-tail.ts';

const CHARACTERS_MAX = 2000;
const BYTES_MAX = 16_384;

async function tailOf(text: string, mask = (line: string): string => line): Promise<unknown> {
  const directory = mkdtempSync(join(tmpdir(), 'error-tail-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'stderr.log');
  writeFileSync(path, text);
  return readErrorTail(path, mask);
}

test.each([
  ['one\n\n  \ntwo\n', 'one\ntwo'],
  ['at 1%\rat 2%\r\nlast', 'at 2%\nlast'],
  ['Error: x\n    at line 1\n\tat line 2\n', 'Error: x\n  at line 1\n  at line 2'],
  ['\u001b[31mred\u001b[0m\n', 'red'],
  ['', undefined],
  ['\n\n', undefined],
])('%j is %j', async (text, tail) => {
  expect(await tailOf(text)).toBe(tail);
});

test('there is none of a log that is not there', async () => {
  expect(await readErrorTail('/nonexistent/stderr.log', (text) => text)).toBeUndefined();
});

test('2,000 characters at most, from the beginning of a line on', async () => {
  const just = `${'a'.repeat(999)}\n${'b'.repeat(1000)}`;
  expect(await tailOf(just)).toBe(just);
  expect(await tailOf(`x${'a'.repeat(998)}\n${'b'.repeat(1001)}`)).toBe('b'.repeat(1001));
  // A line that is half of it stays: too much would be lost.
  expect(await tailOf(`x${just}`)).toBe(just);
  const lines = Array.from({ length: 300 }, (_, index) => `line ${index}`);
  const tail = String(await tailOf(lines.join('\n')));
  expect(tail.length).toBeLessThanOrEqual(CHARACTERS_MAX);
  expect(lines.join('\n').endsWith(`\n${tail}`)).toBe(true);
});

test('of a line that is longer the end is shown, and no half of a character', async () => {
  expect(await tailOf('x'.repeat(3000))).toBe('x'.repeat(CHARACTERS_MAX));
  // The line break comes late: half of what could be shown would be thrown away.
  const late = `${'x'.repeat(2500)}\nend`;
  expect(await tailOf(late)).toBe(late.slice(-CHARACTERS_MAX));
  expect(String(await tailOf(`😀${'x'.repeat(CHARACTERS_MAX - 1)}`)).isWellFormed()).toBe(true);
});

test('secrets are masked before anything is cut off', async () => {
  const mask = (text: string): string => text.replaceAll(/secret=x+/g, 'secret=***');
  const tail = String(await tailOf(`secret=${'x'.repeat(3000)}\nend`, mask));
  expect(tail).toBe('secret=***\nend');
});

test('only the end of a large log is read, from its first whole line on', async () => {
  const end = `${'b\n'.repeat(10)}end`;
  const tail = await tailOf(`${'a'.repeat(BYTES_MAX * 2)}\n${end}`);
  expect(tail).toBe(end);
});
