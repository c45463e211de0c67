/**
 * Watches processes of any user that somebody else started. A process is identified by pid, boot and start time, so
 * that a reused pid is never taken for it. Only its parent learns its exit code: if no final report came, the run is
 * lost when the process is gone.
 */
import { setImmediate as yieldToLoop } from 'node:timers/promises';
import type { ProcessIdentity, Run } from '../../core/model/job.ts';
import { defined } from '../../core/lib/defined.ts';
import type { Post } from '../../ports.ts';
import { errorText } from '../lib/error-code.ts';
import { lives } from '../process/process-table.ts';
import { pauseByDuration, PollLoop } from './poll-loop.ts';
import type { Watch } from './watch.ts';

/** To check one process takes 10 µs. */
const CHECK_EVERY_MS = 1000;
/** A round yields to the event loop after this time. */
const BLOCK_MS_MAX = 3;

interface Watched {
  readonly run: string;
  readonly process: ProcessIdentity;
  isSeen: boolean;
  /** Why it cannot be seen now. */
  problem?: string | undefined;
  goneSinceMs?: number;
}

interface PidWatchOptions {
  readonly post: Post;
  readonly bootId: string;
  /** How long the final report may take after the process is gone. */
  readonly graceMs: number;
  readonly checkEveryMs?: number;
}

export class PidWatch implements Watch {
  readonly #options: PidWatchOptions;
  readonly #watched = new Map<string, Watched>();
  readonly #loop: PollLoop;

  constructor(options: PidWatchOptions) {
    this.#options = options;
    const { checkEveryMs = CHECK_EVERY_MS } = options;
    this.#loop = new PollLoop(pauseByDuration(checkEveryMs), (closing) => this.#checkAll(closing));
  }

  add({ id, definition: { tracked } }: Run): void {
    if (tracked?.by !== 'pid') return;
    this.#watched.set(id, { run: id, process: tracked.process, isSeen: false });
    this.#loop.wake();
  }

  remove({ id }: Run): void {
    this.#watched.delete(id);
  }

  close(): Promise<void> {
    return this.#loop.close();
  }

  async #checkAll(closing: AbortSignal): Promise<boolean> {
    let blockedSince = performance.now();
    for (const watched of this.#watched.values()) {
      if (closing.aborted) break;
      this.#check(watched);
      if (performance.now() - blockedSince > BLOCK_MS_MAX) {
        await yieldToLoop();
        blockedSince = performance.now();
      }
    }
    return this.#watched.size > 0;
  }

  #check(watched: Watched): void {
    const { post, bootId, graceMs } = this.#options;
    const { run, process } = watched;
    if (process.bootId !== bootId) {
      this.#lost(watched, 'the host was restarted while the work was running');
      return;
    }
    let isAlive: boolean;
    try {
      isAlive = lives(process, bootId);
    } catch (error) {
      // It cannot be seen now (no descriptors, or /proc hides it), which proves nothing.
      delete watched.goneSinceMs;
      this.#setProblem(watched, errorText(error));
      return;
    }
    this.#setProblem(watched, undefined);
    if (isAlive) {
      if (!watched.isSeen) post({ type: 'run-seen', run, process });
      watched.isSeen = true;
      return;
    }
    watched.goneSinceMs ??= performance.now();
    if (performance.now() - watched.goneSinceMs < graceMs) return;
    this.#lost(watched, `process ${process.pid} is gone, and nobody reported how it ended`);
  }

  #setProblem(watched: Watched, reason: string | undefined): void {
    if (watched.problem === reason) return;
    watched.problem = reason;
    this.#options.post({ type: 'watch-problem', run: watched.run, ...defined({ reason }) });
  }

  #lost({ run }: Watched, reason: string): void {
    this.#watched.delete(run);
    this.#options.post({ type: 'run-lost', run, reason });
  }
}
