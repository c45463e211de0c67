/** Has status files read by a process of its own (status-reader.ts), which is started when there is one to read. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { extname, join } from 'node:path';
import { errorText } from '../lib/error-code.ts';
import type { StatusLook } from './status-file.ts';

export interface Question {
  readonly id: number;
  readonly path: string;
  readonly version: string | undefined;
}

export interface Answer {
  readonly id: number;
  readonly look: StatusLook;
}

/** The same kind of file as this one: a source, or a part of the bundle. */
const READER = join(import.meta.dirname, `status-file-worker${extname(import.meta.filename)}`);

/** A look that hangs holds one of the reader's threads; they cost next to nothing. */
const READER_THREADS = 128;

export class StatusQuestions {
  #reader: ChildProcess | undefined;
  #asked = new Map<number, (look: StatusLook) => void>();
  #count = 0;

  /** Looks once, as `lookAtStatusFile`. Never rejects; settles when the file system answers, which may be never. */
  ask(path: string, version: string | undefined): Promise<StatusLook> {
    return new Promise((resolve) => {
      const id = this.#count++;
      this.#asked.set(id, resolve);
      try {
        this.#reader ??= this.#start();
        // One that has just ended takes no question; its end answers it.
        this.#reader.send({ id, path, version } satisfies Question, () => undefined);
      } catch (error) {
        // No memory for another process, no descriptors.
        this.#ended(this.#reader, `its reader does not start: ${errorText(error)}`);
      }
    });
  }

  /** Does not wait for the reader: where it hangs, the kernel ends it when it can. Starts again when asked again. */
  close(): void {
    const reader = this.#reader;
    this.#ended(reader, 'its reader was ended');
    reader?.kill('SIGKILL');
  }

  #start(): ChildProcess {
    const reader = fork(READER, {
      execArgv: ['--max-semi-space-size=1', '--disable-warning=ExperimentalWarning'],
      // Nothing of the agent's own environment: it reads what others write.
      env: { UV_THREADPOOL_SIZE: String(READER_THREADS) },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    reader.on('message', ({ id, look }: Answer) => {
      this.#asked.get(id)?.(look);
      this.#asked.delete(id);
    });
    reader.on('error', (error) => this.#ended(reader, `its reader does not run: ${error.message}`));
    reader.on('exit', () => this.#ended(reader, 'its reader has ended'));
    // The agent ends without it.
    reader.unref();
    reader.channel?.unref();
    return reader;
  }

  #ended(reader: ChildProcess | undefined, why: string): void {
    if (this.#reader !== reader) return;
    this.#reader = undefined;
    const asked = this.#asked;
    this.#asked = new Map();
    for (const answer of asked.values()) {
      answer({ kind: 'bad', problem: `cannot be read: ${why}`, version: '' });
    }
  }
}
