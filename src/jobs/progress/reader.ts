/**
 * Reads the progress of one run: follows its logs, feeds the parser, and returns percent and detail when they have
 * changed. The caller decides when to poll.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { defined } from '../../core/lib/defined.ts';
import { LogTail } from '../files/log-tail.ts';
import { plainDetail } from '../lib/plain-text.ts';
import { DETAIL_CHARACTERS_MAX, wholePercent } from '../lib/progress.ts';
import type { OutputStream, Progress, Reading } from '../lib/progress.ts';
import { createParser, resolvedSource } from './parsers.ts';
import type { Parser, ParserInput } from './parsers.ts';
import { PercentFilter } from './percent-filter.ts';
import { SizeMeter } from './size.ts';
import { withinTime } from './time-limit.ts';

/** What a counting parser has not read when the command ends: more than so many pieces are a flood. */
const LAST_READS_MAX = 100;

/** A user's pattern may block the loop so long a poll, and is given up if it does so again and again. */
const PATTERN_MS_MAX = 50;
const SLOW_POLLS_MAX = 3;

/** Of a record with a detail, this much is masked: twice what a pattern sees, so that a name in front is not cut off. */
const MASKED_CHARACTERS_MAX = 8192;

export interface ProgressReading extends ParserInput {
  readonly logs: { readonly stdout: string; readonly stderr: string };
  readonly mask: (text: string) => string;
}

/** Of the files as they are now; absent: not known. */
export type LogSizes = Partial<Readonly<Record<OutputStream, number>>>;

interface Output {
  readonly stream: OutputStream;
  readonly tail: LogTail;
  /** The record without an end that was read last. */
  unfinished: string;
}

export class ProgressReader {
  readonly #outputs: readonly Output[];
  readonly #parser: Parser | undefined;
  readonly #filter: PercentFilter;
  readonly #meter: SizeMeter | undefined;
  readonly #mask: (text: string) => string;
  /** The pattern is a user's. */
  readonly #isPattern: boolean;
  #slowInARow = 0;
  #detail: string | undefined;
  /** What was read last, and what was made of it. */
  #read: Progress = {};
  #reported: Progress = {};

  constructor(reading: ProgressReading) {
    const progress = resolvedSource(reading.definition);
    this.#mask = reading.mask;
    this.#isPattern = progress.parser === 'regex';
    this.#meter = progress.parser === 'size' ? new SizeMeter(progress, reading) : undefined;
    const parser = createParser(reading);
    this.#parser = parser;
    this.#filter = new PercentFilter({ confirmsSteps: parser?.confirmsSteps === true });
    const streams: OutputStream[] = parser === undefined ? [] : ['stdout', 'stderr'];
    this.#outputs = streams.map((stream) => ({
      stream,
      tail: new LogTail(reading.logs[stream], { everyRecord: parser?.everyRecord === true }),
      unfinished: '',
    }));
  }

  /** Reads what is new. Returns the progress if it has changed. Never throws. */
  poll(sizes: LogSizes = {}): Progress | undefined {
    for (const output of this.#outputs) {
      this.#feed(readOrNothing(output.tail, sizes[output.stream]), output.stream, false);
      const { unfinished } = output.tail;
      if (this.#parser?.everyRecord !== true && unfinished !== output.unfinished) {
        output.unfinished = unfinished;
        if (unfinished !== '') this.#feed([unfinished], output.stream, true);
      }
    }
    this.#filter.endPoll();
    return this.#change();
  }

  /** Reads the rest, piece by piece: the command has ended. Never rejects. */
  async ended(hasSucceeded: boolean): Promise<Progress | undefined> {
    for (const { stream, tail } of this.#outputs) {
      for (let reads = 0; reads < LAST_READS_MAX; reads += 1) {
        const records = readOrNothing(tail);
        if (records.length === 0) break;
        await nextTurn();
        this.#feed(records, stream, false);
      }
      // A program that was killed may have been in the middle of a number.
      if (tail.unfinished !== '') this.#feed([tail.unfinished], stream, !hasSucceeded);
    }
    const last = hasSucceeded ? this.#parser?.read.ended?.() : undefined;
    if (last?.detail !== undefined) this.#detail = last.detail;
    this.#filter.end(last?.percent);
    return this.#change();
  }

  /** Progress does not come from the output alone. */
  get isMeasured(): boolean {
    return this.#meter !== undefined;
  }

  /** Why progress cannot be read now. */
  get problem(): string | undefined {
    const problem = this.#meter?.problem;
    return problem === undefined
      ? undefined
      : plainDetail(problem, DETAIL_CHARACTERS_MAX, this.#mask);
  }

  #change(): Progress | undefined {
    const measured = this.#meter?.read();
    const percent = measured?.percent ?? this.#filter.percent;
    const detail = measured?.detail ?? this.#detail;
    // Most polls read nothing, and masking costs more than the rest of them.
    if (percent === this.#read.percent && detail === this.#read.detail) return undefined;
    this.#read = defined({ percent, detail });
    const present: Progress = defined({
      percent: percent === undefined ? undefined : wholePercent(percent),
      detail:
        detail === undefined ? undefined : plainDetail(detail, DETAIL_CHARACTERS_MAX, this.#mask),
    });
    if (present.percent === this.#reported.percent && present.detail === this.#reported.detail) {
      return undefined;
    }
    this.#reported = present;
    return present;
  }

  /** Up to here the stream was read, if every record counts. */
  readTo(stream: OutputStream): number | undefined {
    return this.#outputs.find((output) => output.stream === stream)?.tail.readTo;
  }

  /** So many bytes were taken off the front of the stream's file. */
  moved(stream: OutputStream, bytes: number): void {
    this.#outputs.find((output) => output.stream === stream)?.tail.moved(bytes);
  }

  #feed(records: readonly string[], stream: OutputStream, isUnfinished: boolean): void {
    const read = this.#parser?.read;
    if (records.length === 0 || read === undefined) return;
    if (!this.#isPattern) {
      const readings = records.flatMap((record) => read(record, stream, isUnfinished) ?? []);
      readings.forEach((reading) => this.#take(reading));
      return;
    }
    if (this.#slowInARow >= SLOW_POLLS_MAX) return;
    let last: string | undefined;
    const within = withinTime(PATTERN_MS_MAX, () =>
      records.flatMap((record) => {
        const reading = read(record, stream, isUnfinished);
        if (reading?.detail !== undefined) last = record;
        return reading ?? [];
      }),
    );
    this.#slowInARow = within === undefined ? this.#slowInARow + 1 : 0;
    within?.result.forEach((reading) => this.#take(reading));
    if (within !== undefined && last !== undefined) {
      this.#hideSecrets(last, (masked) => read(masked, stream, isUnfinished)?.detail);
    }
  }

  /** A user's group may hold a secret alone, without what tells that it is one: it is read from the masked record. */
  #hideSecrets(record: string, detailOf: (record: string) => string | undefined): void {
    const text = record.slice(-MASKED_CHARACTERS_MAX);
    const masked = this.#mask(text);
    if (masked === text) return;
    this.#detail = withinTime(PATTERN_MS_MAX, () => detailOf(masked))?.result;
  }

  #take(reading: Reading): void {
    const { percent, detail } = reading;
    if (detail !== undefined) this.#detail = detail;
    if (percent !== undefined) this.#filter.offer({ ...reading, percent });
  }
}

/** A log that cannot be read (no descriptors left, I/O error) is read at the next poll. */
function readOrNothing(tail: LogTail, size?: number): string[] {
  try {
    return tail.read(size);
  } catch {
    return [];
  }
}
