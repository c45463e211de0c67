/** Following output: bounded whatever a program floods, cut at \n and \r. */
import { appendFile, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LogTail } from '../../../src/jobs/files/log-tail.ts';
import { plainDetail, plainLine } from '../../../src/jobs/lib/plain-text.ts';

async function withLog(use: (path: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'migration-agent-tail-'));
  const path = join(directory, 'stdout.log');
  await writeFile(path, '');
  await use(path).finally(() => rm(directory, { recursive: true }));
}

test('records end at line feeds and carriage returns; halves wait for their rest', () =>
  withLog(async (path) => {
    const tail = new LogTail(path);
    await appendFile(path, 'one\r\ntwo\rthr');
    expect(tail.read()).toEqual(['one', 'two']);
    await appendFile(path, 'ee\nfour\n');
    expect(tail.read()).toEqual(['three', 'four']);
    expect(tail.read()).toEqual([]);
  }));

test('the unfinished record can be seen at any time', () =>
  withLog(async (path) => {
    const tail = new LogTail(path);
    await appendFile(path, '\r 10%');
    expect(tail.read()).toEqual([]);
    expect(tail.unfinished).toBe(' 10%');
    await appendFile(path, ' of all\r 20%');
    expect(tail.read()).toEqual([' 10% of all']);
    expect(tail.unfinished).toBe(' 20%');
  }));

test('a character that is cut between two reads stays whole', () =>
  withLog(async (path) => {
    const tail = new LogTail(path);
    const bytes = Buffer.from('grün €\n');
    await appendFile(path, bytes.subarray(0, 3));
    tail.read();
    await appendFile(path, bytes.subarray(3));
    expect(tail.read()).toEqual(['grün €']);
  }));

test('a tail that has read a long log reads what is new, and nothing again', () =>
  withLog(async (path) => {
    const tail = new LogTail(path);
    for (let part = 0; part < 3; part += 1) {
      await appendFile(path, `${'x'.repeat(999)}\n`.repeat(250));
      expect(tail.read()).toHaveLength(250);
    }
    await appendFile(path, 'new\n');
    expect(tail.read()).toEqual(['new']);
  }));

test('a tail that falls behind skips ahead to whole records', () =>
  withLog(async (path) => {
    const tail = new LogTail(path);
    const lines = Array.from({ length: 200_000 }, (_, index) => `line ${index}`);
    await appendFile(path, lines.join('\n') + '\n');
    const records = tail.read();
    expect(records.at(-1)).toBe('line 199999');
    expect(records.join('\n').length).toBeLessThan(256 * 1024);
    expect(records[0]).toMatch(/^line \d{6}$/);
    expect(tail.read()).toEqual([]);
  }));

test('a tail that counts reads everything, a bounded piece at a time', () =>
  withLog(async (path) => {
    const tail = new LogTail(path, { everyRecord: true });
    const lines = Array.from({ length: 100_000 }, (_, index) => `line ${index}`);
    await appendFile(path, lines.join('\n') + '\n');
    const read: string[] = [];
    for (let more = tail.read(); more.length > 0; more = tail.read()) {
      expect(more.join('\n').length).toBeLessThan(257 * 1024);
      read.push(...more);
    }
    expect(read).toEqual(lines);
  }));

test('of 10 MB without a line end the newest text is seen, and what follows is read', () =>
  withLog(async (path) => {
    for (const everyRecord of [false, true]) {
      await truncate(path);
      const tail = new LogTail(path, { everyRecord });
      for (let piece = 0; piece < 40; piece += 1) {
        await appendFile(path, `${'x'.repeat(256 * 1024 - 8)} at ${piece}%`);
        tail.read();
      }
      expect(tail.unfinished.length).toBeLessThan(5000);
      expect(tail.unfinished).toMatch(/^….* at 39%$/);
      await appendFile(path, '\n50%\n');
      const [long, next] = tail.read();
      expect(long).toMatch(/^…x+.* at 39%$/);
      expect(next).toBe('50%');
    }
  }));

test('a record of 64 kB is read whole, of a longer one only the end', () =>
  withLog(async (path) => {
    const tail = new LogTail(path);
    const [fits, tooLong] = ['y'.repeat(64 * 1024), 'z'.repeat(64 * 1024 + 1)];
    await appendFile(path, `${tooLong}\n${fits}\nend\n`);
    expect(tail.read()).toEqual([`…${'z'.repeat(4096)}`, fits, 'end']);
  }));

test('binary output does no harm', () =>
  withLog(async (path) => {
    const tail = new LogTail(path);
    const bytes = Buffer.from(Array.from({ length: 65_536 }, (_, index) => (index * 7919) & 0xff));
    await appendFile(path, Buffer.concat([bytes, Buffer.from('\n{"percent":5}\n')]));
    expect(tail.read().at(-1)).toBe('{"percent":5}');
  }));

test('a file that was truncated begins anew', () =>
  withLog(async (path) => {
    const tail = new LogTail(path);
    await appendFile(path, 'one\ntwo\n');
    tail.read();
    await truncate(path);
    await appendFile(path, 'new\n');
    expect(tail.read()).toEqual(['new']);
  }));

test('words from programs become one plain line', () => {
  expect(plainLine('\u001b[1;31mred\u001b[0m\t\u001b]0;title\u0007a\r\nb\u2028c\u0000\u009f')).toBe(
    'red a b c',
  );
});

test('a detail is masked before it is cut, and no character is cut in two', () => {
  const mask = (text: string): string => text.replaceAll('hunter2', '*');
  expect(plainDetail('password hunter2', 10, mask)).toBe('password *');
  expect(plainDetail('aaaaaaa😀aaaa', 9, mask)).toBe('aaaaaaa…');
  expect(plainDetail('a'.repeat(300), 300, mask)).toHaveLength(300);
});
