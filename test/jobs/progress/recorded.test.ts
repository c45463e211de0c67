/**
 * Recorded output of the real tools (recorded/, made by record.ts) against what was really done at each moment: as it was, and
 * cut, joined and mangled. LINES=100000 runs the long form.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { RecordSplitter } from '../../../src/jobs/files/record-splitter.ts';
import type { ProgressSource } from '../../../src/core/model/job.ts';
import type { OutputStream } from '../../../src/jobs/lib/progress.ts';
import { createParser } from '../../../src/jobs/progress/parsers.ts';
import type { Parser } from '../../../src/jobs/progress/parsers.ts';
import { PercentFilter } from '../../../src/jobs/progress/percent-filter.ts';
import { IS_LONG } from '../../support/long-run.ts';
import { makeRun } from '../support.ts';
import { dice, mangled } from './mangle.ts';

const LINES = Number(process.env['LINES'] ?? (IS_LONG ? 4000 : 1500));

interface Piece {
  readonly done: number;
  readonly stream: OutputStream;
  readonly text: string;
}

interface Recording {
  readonly tool: string;
  readonly command: readonly string[];
  readonly progress: ProgressSource;
  readonly pieces: readonly Piece[];
}

const folder = join(import.meta.dirname, 'recorded');
const RECORDINGS = readdirSync(folder).map((name) => recordingOf(join(folder, name)));

function recordingOf(path: string): Recording {
  const [tool = '', command = '', progress = '', , ...lines] = readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.replace(/^# /, ''));
  return {
    tool: `${path.slice(folder.length + 1, -4)}, ${/^.*?\d+(?:\.\d+)+/.exec(tool)?.[0] ?? ''}`,
    command: JSON.parse(command) as string[],
    progress: JSON.parse(progress) as ProgressSource,
    pieces: lines.map((line) => {
      const [done, stream, text] = line.split('\t') as [string, OutputStream, string];
      return { done: Number(done), stream, text: JSON.parse(text) as string };
    }),
  };
}

/** Reads as ProgressReader does, without files. */
class Reader {
  readonly #parser: Parser;
  readonly #filter: PercentFilter;
  readonly #splitters = { stdout: new RecordSplitter(), stderr: new RecordSplitter() };
  #unfinished = '';

  constructor({ command, progress }: Recording) {
    const parser = createParser({
      ...{ definition: makeRun(command, { progress }).definition, launch: neverAsked },
      closing: new AbortController().signal,
    });
    expect(parser).toBeDefined();
    this.#parser = parser!;
    this.#filter = new PercentFilter({ confirmsSteps: parser!.confirmsSteps });
  }

  read(text: string, stream: OutputStream): void {
    const splitter = this.#splitters[stream];
    for (const record of splitter.push(Buffer.from(text))) this.#offer(record, stream, false);
    const { unfinished } = splitter;
    if (unfinished.length >= 5000) throw new Error(`${unfinished.length} characters are kept`);
    if (unfinished !== this.#unfinished && unfinished !== '') this.#offer(unfinished, stream, true);
    this.#unfinished = unfinished;
  }

  poll(): number {
    this.#filter.endPoll();
    return this.#filter.percent ?? 0;
  }

  end(): number {
    this.#filter.end(this.#parser.read.ended?.()?.percent);
    return this.#filter.percent ?? 0;
  }

  #offer(record: string, stream: OutputStream, isUnfinished: boolean): void {
    const found = this.#parser.read(record, stream, isUnfinished);
    if (found?.percent !== undefined) this.#filter.offer({ ...found, percent: found.percent });
  }
}

function neverAsked(): never {
  throw new Error('a recording names all totals');
}

test('recordings name their tool and its version', () => {
  expect(RECORDINGS.length).toBeGreaterThan(15);
  for (const { tool } of RECORDINGS) expect(tool).toMatch(/\d+\.\d+/);
});

describe('as it was recorded', () => {
  test.each(RECORDINGS)('$tool: never above what is done, and near it', (recording) => {
    const reader = new Reader(recording);
    let highest = 0;
    for (const { done, stream, text } of recording.pieces) {
      reader.read(text, stream);
      const percent = reader.poll();
      expect(percent, text).toBeLessThanOrEqual(done + 5);
      highest = Math.max(highest, percent);
    }
    expect(reader.end()).toBeGreaterThan(85);
    expect(highest).toBeGreaterThan(30);
  });
});

describe(`cut, joined and mangled, ${LINES} lines`, () => {
  test.each(RECORDINGS)('$tool: never more than five points above what is done', (recording) => {
    const roll = dice(7);
    const reader = new Reader(recording);
    const { pieces } = recording;
    const beganMs = performance.now();
    const buffered = { stdout: '', stderr: '' };
    let highest = 0;
    for (let index = 0; index < LINES; index += 1) {
      const piece = pieces[Math.floor((index / LINES) * pieces.length)]!;
      const { done, stream } = piece;
      buffered[stream] += mangled(piece.text, roll);
      // The output arrives in pieces that end anywhere.
      if (roll() < 0.3) continue;
      const length = Math.floor(roll() * buffered[stream].length);
      reader.read(buffered[stream].slice(0, length), stream);
      buffered[stream] = buffered[stream].slice(length);
      highest = Math.max(highest, reader.poll());
      if (highest > done + 5) expect.fail(`${highest} % at ${JSON.stringify(piece)}`);
    }
    expect(highest).toBeGreaterThan(50);
    // Far less on a quiet machine; quadratic time would take minutes.
    expect(performance.now() - beganMs).toBeLessThan(20_000 + 2 * LINES);
  });
});
