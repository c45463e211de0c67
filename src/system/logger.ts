/**
 * The log: JSON lines by pino, written synchronously. Masks secrets in every field, bounds every field, and never stops the
 * agent: if the log cannot be written, lines are lost and jobs go on.
 */
import { fstatSync } from 'node:fs';
import pino, { type DestinationStream, type Logger } from 'pino';
import { isColorSupported, prettyFactory } from 'pino-pretty';

import type { Log, LogLevel } from '../ports.ts';
import { logText } from './log-text.ts';
import { maskFields } from './masked-fields.ts';

export interface LogOptions {
  readonly level: LogLevel;
  /** Default: standard output. */
  readonly destination?: DestinationStream;
  /** Human-readable lines. Default: true if standard output is a terminal. */
  readonly pretty?: boolean;
}

export function createLog(options: LogOptions): Log & { setLevel(level: LogLevel): void } {
  const logger = createLogger(options);
  return {
    write: (level, event, msg, fields) => {
      if (logger.isLevelEnabled(level)) logger[level]({ event, ...maskFields(fields) }, msg);
    },
    setLevel: (level) => {
      logger.level = level;
    },
  };
}

function createLogger(options: LogOptions): Logger {
  const isJournal = options.destination === undefined && isJournalStream(process.env, 1);
  const lines = options.destination ?? standardOutput();
  const pretty = options.pretty ?? (options.destination === undefined && process.stdout.isTTY);
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pretty ? prettyLines(lines) : isJournal ? priorityLines(lines) : lines,
  );
}

/** Priorities of the journal, sd-daemon(3). */
const PRIORITIES: Readonly<Record<LogLevel, number>> = {
  fatal: 2,
  error: 3,
  warn: 4,
  info: 6,
  debug: 7,
};

/** Puts `<N>` before each line: the journal takes it off and keeps it as PRIORITY, for `journalctl -p`. */
export function priorityLines(destination: DestinationStream): DestinationStream {
  return {
    write: (line) => {
      const level = /^\{"level":"(\w+)"/.exec(line)?.[1];
      const priority = PRIORITIES[level as LogLevel] as number | undefined;
      destination.write(`<${priority ?? PRIORITIES.info}>${line}`);
    },
  };
}

/**
 * Whether a descriptor is connected to the journal: JOURNAL_STREAM names its device and inode (systemd.exec(5)). The
 * variable alone says nothing, since it is inherited by programs whose output goes elsewhere.
 */
export function isJournalStream(environment: NodeJS.ProcessEnv, descriptor: number): boolean {
  const [, device, inode] = /^(\d+):(\d+)$/.exec(environment['JOURNAL_STREAM'] ?? '') ?? [];
  if (device === undefined || inode === undefined) return false;
  try {
    const { dev, ino } = fstatSync(descriptor, { bigint: true });
    return dev === BigInt(device) && ino === BigInt(inode);
  } catch {
    return false;
  }
}

/** Formats each line for people. No stream in between, so the last line cannot be lost in a buffer. */
function prettyLines(destination: DestinationStream): DestinationStream {
  const prettify = prettyFactory({
    hideObject: true,
    ignore: 'pid',
    messageFormat: (line, _messageKey, _levelLabel, { colors }) => logText(line, colors.gray),
    // UTC, as in the timelines and in the JSON lines.
    translateTime: 'UTC:HH:MM:ss.l',
    colorize: isColorSupported && (process.env['NO_COLOR'] ?? '') === '',
    // pino-pretty's own colours, except for the message, which must be readable on any background.
    customColors: {
      message: 'reset',
      fatal: 'bgRed',
      error: 'red',
      warn: 'yellow',
      info: 'green',
      debug: 'blue',
    },
  });
  return {
    write: (line) => destination.write(prettify(line)),
  };
}

/** How much unwritten output is kept while the disk is full or the reader is blocked. */
const BACKLOG_BYTES_MAX = 1024 * 1024;
/** Attempts, 100 ms each (sonic-boom), before a blocked pipe is skipped until the next line. */
const ATTEMPTS_MAX = 3;

function standardOutput(): DestinationStream {
  let attempts = 0;
  const destination = pino.destination({
    fd: 1,
    sync: true,
    maxLength: BACKLOG_BYTES_MAX,
    retryEAGAIN: () => {
      attempts += 1;
      return attempts <= ATTEMPTS_MAX;
    },
  });
  destination.on('write', () => {
    attempts = 0;
  });
  // ENOSPC, EPIPE, EAGAIN: the line stays in the backlog and is written with a later one, if possible.
  destination.on('error', () => undefined);
  return destination;
}
