/** Reads status files by a separate process (status-file-worker.ts), which is started for the first read. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { extname, join } from 'node:path';
import type { ReaderIdentity } from '../../core/model/job.ts';
import { errorText } from '../lib/error-code.ts';
import type { StatusRead } from './status-file.ts';

export interface ReadRequest {
  readonly id: number;
  readonly path: string;
  readonly version: string | undefined;
  /** Whose rights must allow the reading; absent: the agent's own. */
  readonly reader: ReaderIdentity | undefined;
}

export interface ReadResponse {
  readonly id: number;
  readonly result: StatusRead;
}

/** The same kind of file as this one: a source file, or a part of the bundle. */
const WORKER = join(import.meta.dirname, `status-file-worker${extname(import.meta.filename)}`);

/** A read that hangs occupies one of the worker's threads. An idle thread costs next to nothing. */
const WORKER_THREADS = 128;

export class StatusFileReader {
  #worker: ChildProcess | undefined;
  #pending = new Map<number, (result: StatusRead) => void>();
  #count = 0;

  /** As `readStatusFile`. Never rejects; settles when the file system answers, which may be never. */
  read(path: string, version: string | undefined, reader?: ReaderIdentity): Promise<StatusRead> {
    return new Promise((resolve) => {
      const id = this.#count++;
      this.#pending.set(id, resolve);
      try {
        this.#worker ??= this.#start();
        // A worker that has just exited takes no request. Its exit answers it.
        this.#worker.send({ id, path, version, reader } satisfies ReadRequest, () => undefined);
      } catch (error) {
        // No memory or no descriptors for another process.
        this.#ended(this.#worker, `its reader does not start: ${errorText(error)}`);
      }
    });
  }

  /** Does not wait for the worker: the kernel ends one that hangs when it can. The next read starts another. */
  close(): void {
    const worker = this.#worker;
    this.#ended(worker, 'its reader was ended');
    worker?.kill('SIGKILL');
  }

  #start(): ChildProcess {
    const worker = fork(WORKER, {
      execArgv: ['--max-semi-space-size=1', '--disable-warning=ExperimentalWarning'],
      // The worker reads what others write, so it gets nothing of the agent's environment.
      env: { UV_THREADPOOL_SIZE: String(WORKER_THREADS) },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    worker.on('message', ({ id, result }: ReadResponse) => {
      this.#pending.get(id)?.(result);
      this.#pending.delete(id);
    });
    worker.on('error', (error) => this.#ended(worker, `its reader does not run: ${error.message}`));
    worker.on('exit', () => this.#ended(worker, 'its reader has ended'));
    // The worker does not keep the agent from exiting.
    worker.unref();
    worker.channel?.unref();
    return worker;
  }

  #ended(worker: ChildProcess | undefined, why: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const pending = this.#pending;
    this.#pending = new Map();
    for (const answer of pending.values()) {
      answer({ kind: 'bad', problem: `cannot be read: ${why}`, version: '' });
    }
  }
}
