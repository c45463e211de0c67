/**
 * The log: JSON lines by pino, written synchronously. Masks secrets in every field, bounds every field, and never stops the
 * agent: if the log cannot be written, lines are lost and jobs go on.
 */
import { fstatSync } from 'node:fs';
import { isatty } from 'node:tty';
import pino, { type DestinationStream, type Logger } from 'pino';

import type { Log, LogLevel } from '../ports.ts';
import { maskFields } from './masked-fields.ts';

/** Its descriptor. The stream of Node.js for it is not made: nothing else writes there. */
const STDOUT = 1;

export interface LogOptions {
  readonly level: LogLevel;
  /** Default: standard output. */
  readonly destination?: DestinationStream;
  /** Formats the lines for people (pretty-lines.ts). Absent: they are JSON. */
  readonly format?: (lines: DestinationStream) => DestinationStream;
}

/** The log on standard output: for people if it is a terminal. What formats lines is loaded only then. */
export async function openLog(level: LogLevel): Promise<ReturnType<typeof createLog>> {
  if (!isatty(STDOUT)) return createLog({ level });
  const { prettyLines } = await import('./pretty-lines.ts');
  return createLog({ level, format: prettyLines });
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
  const isJournal = options.destination === undefined && isJournalStream(process.env, STDOUT);
  const lines = options.destination ?? standardOutput();
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    options.format?.(lines) ?? (isJournal ? priorityLines(lines) : lines),
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

/** How much unwritten output is kept while the disk is full or the reader is blocked. */
const BACKLOG_BYTES_MAX = 1024 * 1024;
/** Attempts, 100 ms each (sonic-boom), before a blocked pipe is skipped until the next line. */
const ATTEMPTS_MAX = 3;

function standardOutput(): DestinationStream {
  let attempts = 0;
  const destination = pino.destination({
    fd: STDOUT,
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
