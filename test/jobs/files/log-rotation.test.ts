/** Bounded output: what is kept, what is read of it, and that the job never notices. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, open, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { listLogFiles, partPath } from '../../../src/jobs/files/log-files.ts';
import { LogTail } from '../../../src/jobs/files/log-tail.ts';
import { rotateLog } from '../../../src/jobs/files/log-rotation.ts';
import { RunLog } from '../../../src/jobs/files/run-log.ts';
import { makeRun, sh, until, withHosts } from '../support.ts';

const policy = { sizeBytes: 300_000, files: 3 };

/** The test's own directory, or one in memory, where the kernel cannot take bytes off the front. */
async function withLog(use: (path: string) => Promise<void>, parent = tmpdir()): Promise<void> {
  const directory = await mkdtemp(join(parent, 'migration-agent-log-'));
  const path = join(directory, 'stdout.log');
  await writeFile(path, '');
  await use(path).finally(() => rm(directory, { recursive: true }));
}

async function readAll(path: string, lines?: number): Promise<string> {
  const log = new RunLog(path);
  const pieces: Buffer[] = [];
  for (let at = await log.begin(lines); ;) {
    const piece = await log.read(at);
    if (piece === undefined || piece.bytes.length === 0) return Buffer.concat(pieces).toString();
    pieces.push(piece.bytes);
    at = piece.next;
  }
}

/** A line of 100 bytes or more: what is moved is counted in bytes, and few lines are read faster than many. */
const FILLING = ' '.padEnd(100, 'abcdefghij');

function numbered(from: number, to: number): string {
  return Array.from({ length: to - from }, (_, index) => `line ${from + index}${FILLING}\n`).join(
    '',
  );
}

/** The numbers of the lines, in order. */
function numbersOf(text: string): number[] {
  return [...text.matchAll(/^line (\d+) [a-j]+$/gm)].map(([, number]) => Number(number));
}

/** These numbers and no others, each once and in order. Not by `toEqual`, which is slow for thousands. */
function expectRange(numbers: readonly number[], from: number | undefined, to: number): void {
  const first = from ?? 0;
  const wrongAt = numbers.findIndex((number, index) => number !== first + index);
  expect([wrongAt, numbers[wrongAt], numbers[0], numbers.length]).toEqual([
    ...[-1, undefined, from, to - first],
  ]);
}

test('nothing is moved below the limit', () =>
  withLog(async (path) => {
    await appendFile(path, 'x'.repeat(300_000));
    expect(await rotateLog(path, policy)).toBe(0);
    expect(await readdir(dirname(path))).toEqual(['stdout.log']);
  }));

describe('blocks of 64 KiB with a limit of two', () => {
  const blocks = { sizeBytes: 2 * 65_536, files: 9 };
  /** How many blocks are cut off, and which of them are kept in a file: in memory, where the last one goes with them. */
  const cut = async (bytes: number, readTo?: number): Promise<readonly number[]> => {
    let found: readonly number[] = [];
    await withLog(async (path) => {
      await writeFile(path, Buffer.alloc(bytes));
      const taken = await rotateLog(path, blocks, readTo);
      const { archives } = await listLogFiles(path);
      found = [taken, ...archives.flatMap(({ begin, end }) => [begin, end])];
    }, '/dev/shm');
    return found.map((position) => position / 65_536);
  };

  test.each<[string, number, number | undefined, readonly number[]]>([
    ['just the limit: nothing', 2, undefined, [0]],
    ['more: all', 3, undefined, [3, 0, 3]],
    ['so much that the limit is cut off twice: all is kept', 5, undefined, [5, 0, 5]],
    ['a flood: the newest are kept', 6, undefined, [6, 3, 6]],
    ['a parser that has read one block is waited for', 3, 1, [0]],
    ['one that has read two', 3, 2, [3, 0, 3]],
    ['one that has read nothing of four limits', 8, 0, [0]],
    ['but not of more', 9, 0, [9, 6, 9]],
  ])('%s', async (_what, size, readTo, found) => {
    expect(await cut(size * 65_536, readTo === undefined ? undefined : readTo * 65_536)).toEqual(
      found,
    );
  });
});

describe.each([
  ['where the kernel takes bytes off the front', tmpdir()],
  ['where it cannot', '/dev/shm'],
])('a log that was moved, %s', (_where, parent) => {
  test('reads as if nothing had been moved', () =>
    withLog(async (path) => {
      await appendFile(path, numbered(0, 3000));
      expect(await rotateLog(path, policy)).toBeGreaterThan(100_000);
      await appendFile(path, numbered(3000, 5800));
      expect(await rotateLog(path, policy)).toBeGreaterThan(100_000);
      await appendFile(path, numbered(5800, 6000));
      expectRange(numbersOf(await readAll(path)), 0, 6000);
      expectRange(numbersOf(await readAll(path, 4000)), 2000, 6000);
      expect(await readAll(path, 2)).toBe(numbered(5998, 6000));
      expect((await stat(path)).size).toBeLessThan(300_000);
    }, parent));

  test('keeps so many files, the newest, from the beginning of a line on', () =>
    withLog(async (path) => {
      for (let from = 0; from < 20_000; from += 2500) {
        await appendFile(path, numbered(from, from + 2500));
        await rotateLog(path, policy);
      }
      expect((await readdir(dirname(path))).length).toBe(3);
      const numbers = numbersOf(await readAll(path));
      expectRange(numbers, numbers[0], 20_000);
      expect(numbers.length).toBeGreaterThan(5000);
    }, parent));

  test('is bounded after a flood, and says what is not kept', () =>
    withLog(async (path) => {
      await appendFile(path, numbered(0, 3000));
      await rotateLog(path, policy);
      await appendFile(path, numbered(3000, 40_000));
      await rotateLog(path, policy);
      const sizes = await Promise.all(
        (await readdir(dirname(path))).map(
          async (name) => (await stat(join(dirname(path), name))).size,
        ),
      );
      expect(Math.max(...sizes)).toBeLessThan(450_000);
      const text = await readAll(path);
      expect(text).toMatch(/^\[3\.\d MB of output are not kept\]$/m);
      expect(numbersOf(text).at(-1)).toBe(39_999);
    }, parent));

  test('is followed over the moves, each line once', () =>
    withLog(async (path) => {
      const log = new RunLog(path);
      let text = '';
      let position = 0;
      const follow = async (): Promise<void> => {
        for (;;) {
          const piece = await log.read(position);
          if (piece === undefined || piece.bytes.length === 0) return;
          text += piece.bytes.toString();
          position = piece.next;
        }
      };
      for (let from = 0; from < 12_000; from += 1000) {
        await appendFile(path, numbered(from, from + 1000));
        if (from % 3000 === 0) await follow();
        await rotateLog(path, policy);
      }
      await follow();
      expectRange(numbersOf(text), 0, 12_000);
    }, parent));
});

test('a job that goes on writing loses no line, and is never stopped', () =>
  withLog(async (path) => {
    const file = await open(path, 'a');
    // A part is larger than the limit. The writer is always a part ahead of the moves, however slow either of them is.
    const part = `seq -f "line %.0f${FILLING}" "\${at}0000" "\${at}9999"`;
    const script = `while read -r at; do ${part}; done`;
    const writer = spawn('sh', ['-c', script], { stdio: ['pipe', file.fd, 'ignore'] });
    const ended = once(writer, 'exit');
    writer.stdin?.write('0\n');
    let moves = 0;
    // All files are kept, so that every line can be looked for.
    while (writer.exitCode === null) {
      if ((await rotateLog(path, { sizeBytes: 1_000_000, files: 100 })) > 0) {
        moves += 1;
        if (moves < 10) writer.stdin?.write(`${moves}\n`);
        else writer.stdin?.end();
      }
      await sleep(5);
    }
    await file.close();
    expect(await ended).toEqual([0, null]);
    const text = await readAll(path);
    expect(moves).toBeGreaterThan(3);
    if (!text.includes('not kept')) expect(numbersOf(text).length).toBe(100_000);
    const lines = text.split('\n');
    const isSeam = (line: string | undefined): boolean => line?.endsWith(' not kept]') === true;
    // At a seam of what a slow machine let through stand halves of lines.
    const whole = lines.filter((_line, i) => !isSeam(lines[i - 1]) && !isSeam(lines[i + 1]));
    const numbers = numbersOf(whole.join('\n'));
    expect(numbers.at(-1)).toBe(99_999);
    expect(new Set(numbers).size).toBe(numbers.length);
  }));

describe('an agent that died while it moved', () => {
  test('before the bytes were taken off: they stand there once', () =>
    withLog(async (path) => {
      await appendFile(path, numbered(0, 4000));
      await writeFile(partPath(path, 65_536), (await readAll(path)).slice(65_536, 200_000));
      expect(await rotateLog(path, policy)).toBeGreaterThan(0);
      expectRange(numbersOf(await readAll(path)), numbersOf(await readAll(path))[0], 4000);
      expect((await listLogFiles(path)).part).toBeUndefined();
    }));

  test('after they were taken off: they are kept', () =>
    withLog(async (path) => {
      const text = numbered(0, 8000);
      await writeFile(partPath(path, 0), text.slice(0, 131_072));
      await appendFile(path, text.slice(131_072));
      await rotateLog(path, { ...policy, sizeBytes: 600_000 });
      expectRange(numbersOf(await readAll(path)), 0, 8000);
    }));

  test('does not stop a reader for ever', () =>
    withLog(async (path) => {
      await appendFile(path, 'line 1\n');
      await writeFile(partPath(path, 0), 'line');
      expect(await readAll(path)).toBe('line 1\n');
    }));
});

test('a tail that counts reads each line once over the moves', () =>
  withLog(async (path) => {
    const tail = new LogTail(path, { everyRecord: true });
    const records: string[] = [];
    for (let from = 0; from < 10_000; from += 500) {
      await appendFile(path, numbered(from, from + 500));
      if (from % 1000 === 0) records.push(...tail.read());
      const bytes = await rotateLog(path, policy, tail.readTo);
      if (bytes > 0) tail.moved(bytes);
    }
    for (let more = ['']; more.length > 0; records.push(...more)) more = tail.read();
    expectRange(numbersOf(records.join('\n')), 0, 10_000);
  }));

test('a counting parser is waited for, but not in a flood', () =>
  withLog(async (path) => {
    await appendFile(path, numbered(0, 4000));
    const { size } = await stat(path);
    expect(size).toBeLessThan(4 * policy.sizeBytes);
    expect(await rotateLog(path, policy, 200_000)).toBe(131_072);
    await appendFile(path, numbered(0, 12_000));
    expect(await rotateLog(path, policy, 0)).toBeGreaterThan(1_000_000);
  }));

test('a run: its parser reads on over the moves, its error tail is reported, and it has few files', () =>
  withHosts(async (newHost, directory) => {
    const host = newHost();
    const go = (name: string): string => `until [ -e ${directory}/${name} ]; do sleep 0.02; done`;
    const text = `seq -f 'noise %.0f' 200000 >&2; echo 40%; ${go('on')}; seq -f 'noise %.0f' 200000
      echo 60%; ${go('end')}; seq -f 'noise %.0f' 100000; echo 90%; echo 'disk on fire' >&2; exit 4`;
    const log = { sizeBytes: 200_000, files: 2 };
    const run = makeRun(sh(text), { progress: { parser: 'percent' }, log });
    const percents = (): unknown[] => host.all('progress-read').map(({ percent }) => percent);
    host.host.start(run);
    for (const [percent, name] of [
      [40, 'on'],
      [60, 'end'],
    ] as const) {
      await until(
        () => percents().includes(percent),
        () => `${percent} %`,
      );
      await writeFile(join(directory, name), '');
    }
    const { errorTail } = await host.event('run-exited');
    expect(errorTail?.split('\n').slice(-2)).toEqual(['noise 200000', 'disk on fire']);
    expect(percents()).toEqual([40, 60, 90]);
    const names = await readdir(dirname(host.path(run, 'stdout.log')));
    expect(names.filter((name) => name.startsWith('stdout.log.')).length).toBe(1);
    expect(names.filter((name) => name.startsWith('stderr.log.')).length).toBe(1);
  }));
