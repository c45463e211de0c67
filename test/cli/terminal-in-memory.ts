/** A terminal that keeps what was written, and a way to run one command of the program in it. */
import { Readable, Writable } from 'node:stream';

import { runProgram } from '../../src/cli/program.ts';
import type { Output, Terminal } from '../../src/cli/terminal/terminal.ts';

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly done: Promise<Result>;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** As Ctrl-C does. */
  readonly stop: () => void;
}

interface Surroundings {
  readonly environment?: NodeJS.ProcessEnv;
  readonly stdin?: string;
  readonly terminal?: { readonly columns: number; readonly rows: number };
}

class UsageExit extends Error {}

/** Runs `migration-agent ARGUMENTS…` in this process. */
export function begin(message: readonly string[], surroundings: Surroundings = {}): Running {
  const stdout = new Collector(surroundings.terminal);
  const stderr = new Collector(undefined);
  const interruption = new AbortController();
  let code = 0;
  const terminal: Terminal = {
    stdout,
    stderr,
    ...(surroundings.stdin === undefined ? {} : { stdin: Readable.from([surroundings.stdin]) }),
    interrupted: interruption.signal,
    environment: surroundings.environment ?? {},
    setExitCode: (value) => (code = value),
    exit: (value) => {
      code = value;
      throw new UsageExit();
    },
  };
  const done = runProgram(message, terminal).then(
    () => undefined,
    (error: unknown) => {
      if (!(error instanceof UsageExit)) throw error;
    },
  );
  return {
    done: done.then(() => ({ code, stdout: stdout.text, stderr: stderr.text })),
    stdout: () => stdout.text,
    stderr: () => stderr.text,
    stop: () => interruption.abort(),
  };
}

export function run(message: readonly string[], surroundings: Surroundings = {}): Promise<Result> {
  return begin(message, surroundings).done;
}

export class Collector extends Writable implements Output {
  text = '';
  readonly isTTY: boolean;
  readonly columns: number;
  readonly rows: number;

  constructor(terminal: Surroundings['terminal']) {
    super();
    this.isTTY = terminal !== undefined;
    this.columns = terminal?.columns ?? 0;
    this.rows = terminal?.rows ?? 0;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}
