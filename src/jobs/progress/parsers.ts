/** Makes the parser that a job's definition names, or the one that its command asks for. */
import { bytesOfTar } from '../../core/command-line/archive-size.ts';
import type { Tool } from '../../core/command-line/tools.ts';
import type { JobDefinition, ProgressSource } from '../../core/model/job.ts';
import { knowsAllFiles, parserFor, toolFor } from '../../core/command-line/progress-parser.ts';
import type { ReadRecord } from '../lib/progress.ts';
import type { Launch } from '../process/launch-spec.ts';
import { expectedBytes } from './expected-bytes.ts';
import { createJsonParser, createPvParser, createRegexParser, readPercent } from './lines.ts';
import { createPgRestoreParser, listEntries } from './pg-restore.ts';
import { createRsyncParser } from './rsync.ts';
import {
  createAwsS3Parser,
  createDdParser,
  createRcloneParser,
  createTarParser,
  readPgBasebackup,
  readQemuImg,
  readRestic,
} from './tools.ts';

export interface ParserInput {
  readonly definition: JobDefinition;
  /** How the job's own programs see the host: asked for if one must be run. */
  readonly launch: () => Promise<Launch>;
  readonly closing: AbortSignal;
}

export interface Parser {
  readonly read: ReadRecord;
  /** Every record counts, so that none may be skipped. */
  readonly everyRecord: boolean;
  /** A large step may be another number than the progress. */
  readonly confirmsSteps: boolean;
}

/** The progress source with `auto` resolved. */
export function resolvedSource({ progress, command }: JobDefinition): ProgressSource {
  if (progress.parser !== 'auto') return progress;
  const { parser } = parserFor(command);
  // These need more than a name, and parserFor() never names them.
  return parser === 'regex' || parser === 'size' ? { parser: 'none' } : { parser };
}

/** Undefined: nothing is read from the output. */
export function createParser(input: ParserInput): Parser | undefined {
  const progress = resolvedSource(input.definition);
  const read = readerOf(progress, input);
  if (read === undefined) return undefined;
  const { parser } = progress;
  return {
    read,
    everyRecord: parser === 'pg_restore',
    confirmsSteps: CONFIRMED.has(parser),
  };
}

/** Parsers whose numbers may be about something else, such as how full a disk is: see PercentFilter. */
const CONFIRMED: ReadonlySet<ProgressSource['parser']> = new Set([
  'percent',
  'regex',
  'json',
  'pv',
]);

/** Parsers that take nothing but the output. */
const PLAIN = {
  pv: createPvParser,
  percent: () => readPercent,
  json: createJsonParser,
  pg_basebackup: () => readPgBasebackup,
  rclone: createRcloneParser,
  restic: () => readRestic,
  qemu_img: () => readQemuImg,
  aws_s3: createAwsS3Parser,
} as const;

function isPlain(parser: ProgressSource['parser']): parser is keyof typeof PLAIN {
  return Object.hasOwn(PLAIN, parser);
}

function readerOf(progress: ProgressSource, input: ParserInput): ReadRecord | undefined {
  const { definition, launch, closing } = input;
  const { parser } = progress;
  const tool = toolFor(parser, definition.command);
  if (isPlain(parser)) return PLAIN[parser]();
  if (parser === 'rsync')
    return createRsyncParser({ knowsAllFiles: tool !== undefined && knowsAllFiles(tool) });
  if (progress.parser === 'regex') return createRegexParser(progress.pattern);
  if (progress.parser === 'dd') return createDdParser(totalOf(progress, tool, input));
  if (progress.parser === 'tar') {
    const { blockBytes } = bytesOfTar(tool?.args ?? []);
    return createTarParser(blockBytes, totalOf(progress, tool, input));
  }
  if (parser !== 'pg_restore') return undefined;
  const entries = launch().then((context) => listEntries(definition, context, closing));
  return createPgRestoreParser(later(entries));
}

function totalOf(
  progress: Extract<ProgressSource, { parser: 'dd' | 'tar' }>,
  tool: Tool | undefined,
  { launch, closing }: ParserInput,
): () => number | undefined {
  if (progress.totalBytes !== undefined) return () => progress.totalBytes;
  return later(launch().then((context) => expectedBytes(tool, context, closing)));
}

/** What becomes known beside the run. Until then, and if it fails, progress has no percent. */
function later<Value>(value: Promise<Value | undefined>): () => Value | undefined {
  let known: Value | undefined;
  value.then(
    (found) => {
      known = found;
    },
    () => undefined,
  );
  return () => known;
}
