/**
 * The log: JSON lines by pino, written at once. Masks secrets in every field, bounds what a field may hold,
 * and never stops the agent: a log that cannot be written costs lines, not jobs.
 */
import pino, { type DestinationStream, type Logger } from 'pino';
import { isColorSupported, prettyFactory } from 'pino-pretty';

import type { Log, LogLevel } from '../ports.ts';
import { logText } from './log-words.ts';
import { maskFields } from './masked-fields.ts';

export interface LogOptions {
  readonly level: LogLevel;
  /** Default: standard output. */
  readonly destination?: DestinationStream;
  /** For people. Default: whether standard output is a terminal. */
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
  const lines = options.destination ?? standardOutput();
  const pretty = options.pretty ?? (options.destination === undefined && process.stdout.isTTY);
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pretty ? prettyLines(lines) : lines,
  );
}

/** The same lines in words and colours, one by one: no stream in between that could hold the last of them. */
function prettyLines(destination: DestinationStream): DestinationStream {
  const prettify = prettyFactory({
    hideObject: true,
    ignore: 'pid',
    messageFormat: (line, _messageKey, _levelLabel, { colors }) => logText(line, colors.gray),
    // UTC, as in the timelines and in the JSON lines.
    translateTime: 'UTC:HH:MM:ss.l',
    colorize: isColorSupported && (process.env['NO_COLOR'] ?? '') === '',
    // pino-pretty's own, but for the words: those are to be read on any ground.
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

/** Unwritten lines that are kept for better times: a full disk, a reader that does not read. */
const BACKLOG_BYTES_MAX = 1024 * 1024;
/** Attempts, 100 ms each (sonic-boom), before a blocked pipe is left alone until the next line. */
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
  // ENOSPC, EPIPE, EAGAIN: the line stays in the backlog and goes out with a later one, if it can.
  destination.on('error', () => undefined);
  return destination;
}
