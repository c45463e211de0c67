/** Systemd units that somebody else starts: all of them are asked for together, by one `systemctl show`. */
import type { Run, TrackedSource } from '../core/job.ts';
import type { Post } from '../ports.ts';
import { errorWords } from './error-code.ts';
import { plainDetail } from './plain-text.ts';
import { DETAIL_CHARACTERS_MAX } from './progress.ts';
import { showUnits } from './systemctl.ts';
import type { UnitProperties } from './systemctl.ts';
import { Rounds } from './tracked-rounds.ts';
import type { Watch } from './tracked-work.ts';
import { unitState } from './unit-state.ts';

/** A process of its own each time: cheap, and not free. */
const LOOK_EVERY_MS = 2000;

interface Watched {
  readonly run: string;
  readonly source: Extract<TrackedSource, { by: 'unit' }>;
  invocation: string | undefined;
  isSeen: boolean;
  detail?: string;
  trouble: string | undefined;
}

interface UnitWatchOptions {
  readonly post: Post;
  readonly mask: (text: string) => string;
  readonly lookEveryMs?: number;
}

export class UnitWatch implements Watch {
  readonly #options: UnitWatchOptions;
  readonly #watched = new Map<string, Watched>();
  readonly #rounds: Rounds;

  constructor(options: UnitWatchOptions) {
    this.#options = options;
    this.#rounds = new Rounds(options.lookEveryMs ?? LOOK_EVERY_MS, () => this.#look());
  }

  add(run: Run): void {
    const { tracked } = run.definition;
    if (tracked?.by !== 'unit') return;
    const invocation = run.invocation ?? tracked.invocation;
    const { id, trouble } = run;
    this.#watched.set(id, { run: id, source: tracked, invocation, isSeen: false, trouble });
    this.#rounds.wake();
  }

  remove({ id }: Run): void {
    this.#watched.delete(id);
  }

  close(): Promise<void> {
    return this.#rounds.close();
  }

  async #look(): Promise<boolean> {
    const all = [...this.#watched.values()];
    if (all.length === 0) return false;
    try {
      const shown = await showUnits(all.map(({ source }) => source.unit));
      this.#troubled(undefined);
      all.forEach((watched, index) => this.#judge(watched, shown[index] ?? {}));
    } catch (error) {
      // Nothing is inferred from silence: they are asked for again.
      this.#troubled(errorWords(error));
    }
    return this.#watched.size > 0;
  }

  /** Told for each run, once: whoever looks at one job must see why it stands still. */
  #troubled(reason: string | undefined): void {
    for (const watched of this.#watched.values()) {
      if (watched.trouble === reason) continue;
      watched.trouble = reason;
      const { run } = watched;
      this.#options.post({
        type: 'watch-troubled',
        run,
        ...(reason === undefined ? {} : { reason }),
      });
    }
  }

  #judge(watched: Watched, shown: UnitProperties): void {
    // Released while systemd was asked.
    if (!this.#watched.has(watched.run)) return;
    const { post, mask } = this.#options;
    const { run } = watched;
    const state = unitState(watched.source, watched.invocation, shown);
    if (state.kind === 'waiting') return;
    if ('invocation' in state && !watched.isSeen) {
      watched.isSeen = true;
      watched.invocation = state.invocation;
      post({ type: 'run-seen', run, invocation: state.invocation });
    }
    if (state.kind === 'running') {
      if (state.detail === undefined || state.detail === watched.detail) return;
      watched.detail = state.detail;
      const detail = plainDetail(state.detail, DETAIL_CHARACTERS_MAX, mask);
      post({ type: 'progress-read', run, detail });
      return;
    }
    this.#watched.delete(run);
    if (state.kind === 'lost') post({ type: 'run-lost', run, reason: state.reason });
    else if (state.kind === 'failed') {
      post({ type: 'run-concluded', run, status: 'failed', detail: state.reason });
    } else {
      const { exitCode, signal, words } = state;
      post({
        type: 'run-exited',
        run,
        exitCode,
        ...(signal === undefined ? {} : { signal }),
        ...(words === undefined ? {} : { errorTail: words }),
      });
    }
  }
}
