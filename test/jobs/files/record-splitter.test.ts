/** Cutting output into records: what a terminal would have shown, in bounded memory and linear time. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RecordSplitter } from '../../../src/jobs/files/record-splitter.ts';

function split(...pieces: (string | Buffer)[]): { records: string[]; unfinished: string } {
  const splitter = new RecordSplitter();
  const records = pieces.flatMap((piece) => splitter.push(Buffer.from(piece)));
  return { records, unfinished: splitter.unfinished };
}

test.each([
  ['line feeds and carriage returns', 'a\r\nb\rc\n\nd', ['a', 'b', 'c'], 'd'],
  ['backspaces that draw over the end', 'at 45%\b\b\b46%\b\b\b47%', ['at 45%', 'at 46%'], 'at 47%'],
  ['backspaces over the whole', 'at 45%\b\b\b\b\b\bat 46%\n', ['at 45%', 'at 46%'], ''],
  ['half of what is drawn over', 'at 45%\b\b\b4', ['at 45%'], 'at 4'],
  [
    'what was not drawn over, up to its first number',
    'a bc 45%\u001b[7D1\n',
    ['a bc 45%', 'a1bc '],
    '',
  ],
  ['what was not drawn over and has no number', 'a bcd\u001b[3D1\n', ['a bcd', 'a 1cd'], ''],
  ['a number right behind it', 'a 45%\u001b[3D1\n', ['a 45%', 'a 1'], ''],
  ['the whole line erased', 'at 45%\u001b[2K7%', ['at 45%'], '7%'],
  ['erased from the cursor on, with a parameter', 'at 45%\b\b\b\u001b[0K7%', ['at 45%'], 'at 7%'],
  ['erased to its end', 'at 100%\b\b\b\b\u001b[K7%', ['at 100%'], 'at 7%'],
  ['cursor to the left', 'at 45%\u001b[3D46%', ['at 45%'], 'at 46%'],
  ['cursor to column 1', 'at 45%\u001b[1Gat 46%\u001b[G', ['at 45%', 'at 46%'], ''],
  ['cursor up', 'a 1%\nb 2%\u001b[1A\u001b[2Ka 3%\n', ['a 1%', 'b 2%', 'a 3%'], ''],
  ['home and clear', '\u001b[H\u001b[2J1%\u001b[H2%', ['1%'], '2%'],
  ['restored cursor', '\u001b7 1%\u001b8 2%', [' 1%'], ' 2%'],
  ['columns', 'file\u001b[40G50%', [], 'file 50%'],
  ['colours and titles', '\u001b[1;32m4\u001b[0m2%\u001b]0;title 99%\u0007 done', [], '42% done'],
  ['hidden cursor', '\u001b[?25l42%', [], '42%'],
  ['other control characters', '4\u00002\u0007%\u007f', [], '42%'],
])('%s', (_what, output, records, unfinished) => {
  expect(split(output)).toEqual({ records, unfinished });
});

test('however the output is cut into pieces, the records are the same', () => {
  const parts = [
    'at 45%',
    '\b\b\b',
    '\u001b[2K',
    '\u001b[1;32m',
    '\r',
    '\n',
    '€',
    '٪',
    '\u001b[3D',
    'x',
  ];
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...parts), { maxLength: 40 }),
      fc.nat(30),
      (list, size) => {
        const bytes = Buffer.from(list.join(''));
        const pieces: Buffer[] = [];
        for (let at = 0; at < bytes.length; at += size + 1) {
          pieces.push(bytes.subarray(at, at + size + 1));
        }
        expect(split(...pieces)).toEqual(split(bytes));
      },
    ),
  );
});

test.each([
  ['backspaces', 'x\b'],
  ['long lines that are drawn over', `${'x'.repeat(700)}\b`],
  ['escapes without an end', '\u001b]'],
  ['cursor movements', '\u001b[9D'],
  ['zero bytes', '\u0000'],
  ['no line ends', 'x 42% '],
])('%s: memory is bounded and time linear', (_what, part) => {
  const splitter = new RecordSplitter();
  const chunk = Buffer.from(part.repeat(Math.ceil(262_144 / part.length)));
  const began = performance.now();
  for (let piece = 0; piece < 8; piece += 1) {
    const characters = splitter.push(chunk).reduce((sum, record) => sum + record.length, 0);
    expect(characters).toBeLessThan(6 * chunk.length);
  }
  expect(splitter.unfinished.length).toBeLessThan(5000);
  // 2 MB take some 200 ms; quadratic time would be minutes.
  expect(performance.now() - began).toBeLessThan(10_000);
});

test('a record that is too long keeps its newest 4,096 characters, and says so', () => {
  const fits = 'x'.repeat(64 * 1024);
  expect(split(`${fits}\n`).records).toEqual([fits]);
  const [cut = ''] = split(`${fits}y\n`).records;
  expect([cut.length, cut.at(0), cut.at(-1)]).toEqual([4097, '…', 'y']);
  // The next record is whole again.
  expect(split(`${fits}y\nnext\n`).records[1]).toBe('next');
  const { unfinished } = split(fits);
  expect([unfinished.length, unfinished.at(0)]).toEqual([4097, '…']);
  expect(split('x'.repeat(4096)).unfinished).toBe('x'.repeat(4096));
});

test('the rest of a record whose beginning was skipped is left out, and the next one is whole', () => {
  const splitter = new RecordSplitter();
  splitter.push(Buffer.from('at 4'));
  splitter.reset(true);
  expect(splitter.push(Buffer.from('5%'))).toEqual([]);
  expect(splitter.unfinished).toBe('…5%');
  expect(splitter.push(Buffer.from('\nat 46%\n'))).toEqual(['at 46%']);
  splitter.push(Buffer.from('at 4'));
  splitter.reset(false);
  expect(splitter.push(Buffer.from('7%\n'))).toEqual(['7%']);
});

test('half a character before output that was left out is no part of what follows', () => {
  const splitter = new RecordSplitter();
  splitter.push(Buffer.from('€').subarray(0, 2));
  splitter.reset(false);
  expect(splitter.push(Buffer.from('at 45%\n'))).toEqual(['at 45%']);
  splitter.push(Buffer.from('a\u001b['));
  splitter.reset(false);
  expect(splitter.push(Buffer.from('2K 7%\n'))).toEqual(['2K 7%']);
});
