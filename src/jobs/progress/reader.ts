/**
 * Reads the progress of one run: follows its logs, feeds the parser that the definition names, and tells when
 * percent or detail has changed. When to look is the watch's business.
 */
import type { JobDefinition } from '../../core/model/job.ts';
import type { Launch } from '../process/launch-spec.ts';
import { LogTail } from '../files/log-tail.ts';
import { plainDetail } from '../lib/plain-text.ts';
import { DETAIL_CHARACTERS_MAX } from '../lib/progress.ts';
import type { OutputStream, Progress, ReadRecord } from '../lib/progress.ts';
import { createRegexParser, readJson, readPercent, readPv } from './lines.ts';
import { countEntries, createPgRestoreParser } from './pg-restore.ts';
import { createRsyncParser } from './rsync.ts';
import { SizeMeter } from './size.ts';
import { withinTime } from './time-limit.ts';

/** What a counting parser has not read when the command ends: more than so many pieces are a flood. */
const LAST_READS_MAX = 100;

/** A user's pattern may hold the loop so long a poll, and is given up when it does so again and again. */
const FOREIGN_MS_MAX = 50;
const SLOW_POLLS_MAX = 3;

export interface ProgressReading {
  readonly definition: JobDefinition;
  readonly logs: { readonly stdout: string; readonly stderr: string };
  /** How the job's own programs see the host: asked for where one must be run. */
  readonly launch: () => Promise<Launch>;
  readonly mask: (text: string) => string;
  readonly closing: AbortSignal;
}

export class ProgressReader {
  readonly #tails: readonly { readonly stream: OutputStream; readonly tail: LogTail }[];
  readonly #readRecord: ReadRecord | undefined;
  readonly #meter: SizeMeter | undefined;
  readonly #mask: (text: string) => string;
  /** The pattern is a user's. */
  readonly #isForeign: boolean;
  #slowInARow = 0;
  #raw: Progress = {};
  #told: Progress = {};

  constructor(reading: ProgressReading) {
    const { progress } = reading.definition;
    this.#mask = reading.mask;
    this.#isForeign = progress.parser === 'regex';
    this.#meter = progress.parser === 'size' ? new SizeMeter(progress, reading.closing) : undefined;
    this.#readRecord = parserOf(reading);
    const streams: OutputStream[] = this.#readRecord === undefined ? [] : ['stdout', 'stderr'];
    const everyRecord = progress.parser === 'pg_restore';
    this.#tails = streams.map((stream) => ({
      stream,
      tail: new LogTail(reading.logs[stream], { everyRecord }),
    }));
  }

  /** Looks once. Resolves to the progress where it has changed. Never rejects. */
  async poll(): Promise<Progress | undefined> {
    for (const { stream, tail } of this.#tails) {
      this.#feed(await readOrNothing(tail), stream);
    }
    return this.#news();
  }

  /** Looks a last time: the command has ended well. */
  async ended(): Promise<Progress | undefined> {
    for (const { stream, tail } of this.#tails) {
      for (let reads = 0; reads < LAST_READS_MAX; reads += 1) {
        const records = await readOrNothing(tail);
        if (records.length === 0) break;
        this.#feed(records, stream);
      }
    }
    this.#raw = { ...this.#raw, ...this.#readRecord?.ended?.() };
    return this.#news();
  }

  #news(): Progress | undefined {
    this.#raw = { ...this.#raw, ...this.#meter?.read() };
    const { percent, detail } = this.#raw;
    const present: Progress = {
      ...(percent === undefined ? {} : { percent }),
      ...(detail === undefined
        ? {}
        : { detail: plainDetail(detail, DETAIL_CHARACTERS_MAX, this.#mask) }),
    };
    if (present.percent === this.#told.percent && present.detail === this.#told.detail) {
      return undefined;
    }
    this.#told = present;
    return present;
  }

  /** Up to here the stream was read, where every record counts. */
  readTo(stream: OutputStream): number | undefined {
    return this.#tails.find((tail) => tail.stream === stream)?.tail.readTo;
  }

  /** So many bytes were taken off the front of the stream's file. */
  moved(stream: OutputStream, bytes: number): void {
    this.#tails.find((tail) => tail.stream === stream)?.tail.moved(bytes);
  }

  #feed(records: readonly string[], stream: OutputStream): void {
    const read = this.#readRecord;
    if (records.length === 0 || read === undefined) return;
    const readAll = (): Progress =>
      records.reduce((all, record) => ({ ...all, ...read(record, stream) }), this.#raw);
    if (!this.#isForeign) {
      this.#raw = readAll();
      return;
    }
    if (this.#slowInARow >= SLOW_POLLS_MAX) return;
    const within = withinTime(FOREIGN_MS_MAX, readAll);
    this.#slowInARow = within === undefined ? this.#slowInARow + 1 : 0;
    this.#raw = within?.result ?? this.#raw;
  }
}

function parserOf(reading: ProgressReading): ReadRecord | undefined {
  const { progress } = reading.definition;
  switch (progress.parser) {
    case 'rsync':
      return createRsyncParser();
    case 'pv':
      return readPv;
    case 'percent':
      return readPercent;
    case 'json':
      return readJson;
    case 'regex':
      return createRegexParser(progress.pattern);
    case 'pg_restore':
      return countingParser(reading);
    case 'size':
    case 'none':
      return undefined;
  }
}

/** The total is found out beside; until then only entries are told. */
function countingParser({ definition, launch, closing }: ProgressReading): ReadRecord {
  let total: number | undefined;
  launch()
    .then((context) => countEntries(definition, context, closing))
    .then((entries) => {
      total = entries;
    })
    .catch(() => {
      // No pg_restore here, or the archive is out of reach: progress without a percent.
    });
  return createPgRestoreParser(() => total);
}

/** A log that cannot be read (no descriptors left, I/O error) is read at the next poll. */
async function readOrNothing(tail: LogTail): Promise<string[]> {
  try {
    return await tail.read();
  } catch {
    return [];
  }
}
