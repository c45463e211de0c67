/**
 * Where a command reads its surroundings and writes its words. Data goes to `stdout`, words for people to
 * `stderr`; a test hands in another.
 */
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { styleText } from 'node:util';

export type Output = Writable & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};

export interface Terminal {
  readonly stdout: Output;
  readonly stderr: Output;
  /** Absent: there is nothing to read. */
  readonly stdin?: Readable;
  readonly environment: NodeJS.ProcessEnv;
  /** The exit code for when the command is done. */
  readonly setExitCode: (code: number) => void;
  /** Ends the program now: for usage errors, before anything was begun. */
  readonly exit: (code: number) => void;
  /** Ends what would go on for ever. Absent: a person presses Ctrl-C, which ends the program. */
  readonly interrupted?: AbortSignal;
}

export function processTerminal(): Terminal {
  // `migration-agent logs NAME | head`: a reader that has seen enough is no failure.
  if (process.stdout.listenerCount('error') === 0) {
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit();
      throw error;
    });
  }
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin,
    environment: process.env,
    setExitCode: (code) => {
      process.exitCode = code;
    },
    exit: (code) => process.exit(code),
  };
}

/** Writes and waits for the reader, so that a huge log does not pile up here. */
export async function write(output: Output, text: string | Uint8Array): Promise<void> {
  if (!output.write(text)) await once(output, 'drain');
}

export function print(terminal: Terminal, message: string): void {
  terminal.stderr.write(`${message}\n`);
}

/** https://no-color.org; a terminal that can only write knows no colours either. */
export function wantsColor(output: Output, environment: NodeJS.ProcessEnv): boolean {
  if ((environment['NO_COLOR'] ?? '') !== '') return false;
  return output.isTTY === true && environment['TERM'] !== 'dumb';
}

/** 80 columns where nothing is known: a pipe, a file, a journal. */
export function widthOf(output: Output): number {
  return output.columns !== undefined && output.columns > 0 ? output.columns : 80;
}

/** Rows; the least that any terminal has where nothing is known. */
export function heightOf(output: Output): number {
  return output.rows !== undefined && output.rows > 1 ? output.rows : 24;
}

export type Style = Parameters<typeof styleText>[0];
export type Paint = (style: Style, text: string) => string;

/** Whether to colour was decided by `wantsColor`; so the stream is not asked again. */
export function painter(color: boolean): Paint {
  return (style, text) => (color ? styleText(style, text, { validateStream: false }) : text);
}
