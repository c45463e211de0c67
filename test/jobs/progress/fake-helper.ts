/** A helper program that a test plays: what it writes and how it ends. */
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import type { Helper } from '../../../src/jobs/process/helper.ts';

export class FakeHelper extends EventEmitter {
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  readonly command: readonly string[];
  readonly signal: AbortSignal;

  constructor(command: readonly string[], signal: AbortSignal) {
    super();
    this.command = command;
    this.signal = signal;
    // As a child that was spawned with a signal does.
    signal.addEventListener('abort', () => {
      this.emit('error', Object.assign(new Error('aborted'), { name: 'AbortError' }));
    });
  }

  get asHelper(): Helper {
    return this as unknown as Helper;
  }

  /** All that it wrote is read before its end is known, as with a child. */
  async end(code: number | null): Promise<void> {
    for (const stream of [this.stdout, this.stderr]) {
      stream.end();
      if (!stream.readableEnded) await new Promise((resolve) => stream.once('end', resolve));
    }
    this.emit('close', code);
  }
}
