/** Log lines for people, on a terminal. Loaded only there. */
import type { DestinationStream } from 'pino';
import { isColorSupported, prettyFactory } from 'pino-pretty';
import { logText } from './log-text.ts';

/** Formats each line for people. No stream in between, so the last line cannot be lost in a buffer. */
export function prettyLines(destination: DestinationStream): DestinationStream {
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
