/**
 * Says when something has happened to a job, by the agent's event stream, so that a command that waits asks only then. If
 * there is no stream (too many are open, or the agent restarts), it says so now and then.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandFailure } from '../command.ts';
import type { Client } from './client.ts';

/** Each event is in the stream; this bounds what a lost one costs. */
const QUIET_MS_MAX = 60_000;
/** Without a stream: short at first, for jobs that end at once; then longer, to spare the agent. */
const ASK_AGAIN_MS_MIN = 50;
const ASK_AGAIN_MS_MAX = 1_000;

export class JobChanges {
  readonly #client: Client;
  readonly #path: string;
  readonly #closing = new AbortController();
  #stream: AsyncIterator<Uint8Array> | undefined;
  #next: Promise<boolean> | undefined;
  #askAgainMs = ASK_AGAIN_MS_MIN;

  constructor(client: Client, job: string) {
    this.#client = client;
    this.#path = `/v1/events?job=${encodeURIComponent(job)}`;
  }

  /** Resolves when the caller has to look again. The first call after a stream has begun resolves at once. */
  async next(): Promise<void> {
    if (this.#stream === undefined) {
      const { signal } = this.#closing;
      this.#stream = this.#client.stream(this.#path, signal)[Symbol.asyncIterator]();
    }
    // Keep-alive comments come as pieces too. They are rare, and to look once more is cheap.
    this.#next ??= this.#piece(this.#stream);
    const hasCome = await within(this.#next, QUIET_MS_MAX);
    if (hasCome === undefined) return;
    this.#next = undefined;
    if (hasCome) {
      this.#askAgainMs = ASK_AGAIN_MS_MIN;
      return;
    }
    this.#stream = undefined;
    await sleep(this.#askAgainMs);
    this.#askAgainMs = Math.min(ASK_AGAIN_MS_MAX, this.#askAgainMs * 1.5);
  }

  close(): void {
    this.#closing.abort();
  }

  /** `false`: there is no stream, or it has ended. */
  async #piece(stream: AsyncIterator<Uint8Array>): Promise<boolean> {
    try {
      return (await stream.next()).done !== true;
    } catch (error) {
      // What it means for the command shows when it asks for the job.
      if (error instanceof CommandFailure || this.#closing.signal.aborted) return false;
      throw error;
    }
  }
}

/** `undefined`: not in time. */
async function within<Value>(promise: Promise<Value>, limitMs: number): Promise<Value | undefined> {
  const limit = new AbortController();
  try {
    return await Promise.race([promise, sleep(limitMs, undefined, { signal: limit.signal })]);
  } finally {
    limit.abort();
  }
}
