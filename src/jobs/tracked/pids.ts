/**
 * Processes that somebody else started, of any user. One is known by its boot and start time, so a pid that the
 * kernel has given to another since is never taken for it. Its exit code is its parent's to know: without a final
 * word it is lost when it is gone.
 */
import { setImmediate as yieldToLoop } from 'node:timers/promises';
import type { ProcessIdentity, Run } from '../../core/model/job.ts';
import type { Post } from '../../ports.ts';
import { lives } from '../process/process-table.ts';
import { pauseByTime, Rounds } from './poll-loop.ts';
import type { Watch } from './tracked-work.ts';

/** A look at one process takes 10 µs. */
const LOOK_EVERY_MS = 1000;
/** The loop is never held longer than this by a round. */
const HOLD_MS_MAX = 3;

interface Watched {
  readonly run: string;
  readonly process: ProcessIdentity;
  isSeen: boolean;
  goneSinceMs?: number;
}

interface PidWatchOptions {
  readonly post: Post;
  readonly bootId: string;
  readonly patienceMs: number;
  readonly lookEveryMs?: number;
}

export class PidWatch implements Watch {
  readonly #options: PidWatchOptions;
  readonly #watched = new Map<string, Watched>();
  readonly #rounds: Rounds;

  constructor(options: PidWatchOptions) {
    this.#options = options;
    const { lookEveryMs = LOOK_EVERY_MS } = options;
    this.#rounds = new Rounds(pauseByTime(lookEveryMs), (closing) => this.#look(closing));
  }

  add({ id, definition: { tracked } }: Run): void {
    if (tracked?.by !== 'pid') return;
    this.#watched.set(id, { run: id, process: tracked.process, isSeen: false });
    this.#rounds.wake();
  }

  remove({ id }: Run): void {
    this.#watched.delete(id);
  }

  close(): Promise<void> {
    return this.#rounds.close();
  }

  async #look(closing: AbortSignal): Promise<boolean> {
    let heldSince = performance.now();
    for (const watched of this.#watched.values()) {
      if (closing.aborted) break;
      this.#lookAt(watched);
      if (performance.now() - heldSince > HOLD_MS_MAX) {
        await yieldToLoop();
        heldSince = performance.now();
      }
    }
    return this.#watched.size > 0;
  }

  #lookAt(watched: Watched): void {
    const { post, bootId, patienceMs } = this.#options;
    const { run, process } = watched;
    if (process.bootId !== bootId) {
      this.#lost(watched, 'the host was restarted while the work was under way');
      return;
    }
    if (lives(process, bootId)) {
      if (!watched.isSeen) post({ type: 'run-seen', run, process });
      watched.isSeen = true;
      return;
    }
    watched.goneSinceMs ??= performance.now();
    if (performance.now() - watched.goneSinceMs < patienceMs) return;
    this.#lost(watched, `process ${process.pid} is gone, and nobody told how it ended`);
  }

  #lost({ run }: Watched, reason: string): void {
    this.#watched.delete(run);
    this.#options.post({ type: 'run-lost', run, reason });
  }
}
