/**
 * Where a command reads its environment and writes its output. Data goes to `stdout`, messages for people to
 * `stderr`. Tests pass their own.
 */
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { stripVTControlCharacters, styleText } from 'node:util';
import { escapeControls, withoutControls } from '../../core/lib/control-characters.ts';

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
  /** Ends a command that would go on for ever. Absent: Ctrl-C ends the program. */
  readonly interrupted?: AbortSignal;
}

export function processTerminal(): Terminal {
  for (const output of [process.stdout, process.stderr]) {
    if (output.listenerCount('error') === 0) output.on('error', outputFailed);
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

/**
 * `migration-agent logs NAME | head`: a reader that stops early is no failure, and the command ends. One that has to clean
 * up (`dev`, `demo`) gets SIGHUP instead, as when its terminal is closed.
 */
function outputFailed(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  if (!process.emit('SIGHUP', 'SIGHUP')) process.exit();
}

/** Writes and waits for the reader, so that a huge log does not accumulate in memory. */
export async function write(output: Output, text: string | Uint8Array): Promise<void> {
  if (!output.write(text)) await once(output, 'drain');
}

/**
 * A message for people. It may quote anybody (a job's name, an answer of AWS), so no control character of it reaches the
 * terminal.
 */
export function print(terminal: Terminal, message: string): void {
  terminal.stderr.write(`${message.split('\n').map(printableLine).join('\n')}\n`);
}

function printableLine(line: string): string {
  return withoutControls(stripVTControlCharacters(line));
}

/** One line of data: exactly as it is for a program, without control characters (line breaks too) for a person. */
export function printLine(terminal: Terminal, text: string): void {
  const isForPeople = terminal.stdout.isTTY === true;
  terminal.stdout.write(`${isForPeople ? printableLine(text) : text}\n`);
}

/** One JSON document on one line; `indent` for people. */
export function jsonText(document: unknown, indent?: number): string {
  return escapeControls(JSON.stringify(document, null, indent));
}

/** https://no-color.org; a dumb terminal has no colours either. */
export function wantsColor(output: Output, environment: NodeJS.ProcessEnv): boolean {
  if ((environment['NO_COLOR'] ?? '') !== '') return false;
  return output.isTTY === true && environment['TERM'] !== 'dumb';
}

/** 80 columns if nothing is known: a pipe, a file, a journal. */
export function widthOf(output: Output): number {
  return output.columns !== undefined && output.columns > 0 ? output.columns : 80;
}

/** Rows; the least that a terminal has, if nothing is known. */
export function heightOf(output: Output): number {
  return output.rows !== undefined && output.rows > 1 ? output.rows : 24;
}

export type Style = Parameters<typeof styleText>[0];
export type Paint = (style: Style, text: string) => string;

/** `wantsColor` has decided already; `styleText` must not ask the stream again. */
export function painter(color: boolean): Paint {
  return (style, text) => (color ? styleText(style, text, { validateStream: false }) : text);
}
