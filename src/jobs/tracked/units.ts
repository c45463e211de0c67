/**
 * Watches systemd units that somebody else starts: one `systemctl show` for all of them, and one `journalctl` for those
 * that systemd no longer knows.
 */
import { defined } from '../../core/lib/defined.ts';
import type { Run, TrackedSource } from '../../core/model/job.ts';
import type { Post } from '../../ports.ts';
import { errorText } from '../lib/error-code.ts';
import { readJournal } from './journalctl.ts';
import { plainDetail } from '../lib/plain-text.ts';
import { DETAIL_CHARACTERS_MAX } from '../lib/progress.ts';
import { showUnits } from './systemctl.ts';
import type { UnitProperties } from './systemctl.ts';
import { pauseByDuration, PollLoop } from './poll-loop.ts';
import type { Watch } from './watch.ts';
import { unitExitFromJournal } from './unit-exit-journal.ts';
import { unitState } from './unit-state.ts';
import type { UnitEnd } from './unit-state.ts';

/** Each check starts a process, which is cheap but not free. */
const CHECK_EVERY_MS = 2000;
/** A command line has room for far more. The rest follows in the next round. */
const INVOCATIONS_PER_CALL = 100;

interface Watched {
  readonly run: string;
  readonly source: Extract<TrackedSource, { by: 'unit' }>;
  invocation: string | undefined;
  isSeen: boolean;
  detail?: string;
  problem: string | undefined;
  forgotten?: Forgotten;
}

/** systemd no longer knows the invocation; `sinceMs`: when this agent found that out. */
interface Forgotten {
  readonly invocation: string;
  readonly reason: string;
  readonly sinceMs: number;
}

interface UnitWatchOptions {
  readonly post: Post;
  readonly mask: (text: string) => string;
  /** How long the record of an end may take to reach the journal. */
  readonly graceMs: number;
  readonly checkEveryMs?: number;
}

export class UnitWatch implements Watch {
  readonly #options: UnitWatchOptions;
  readonly #watched = new Map<string, Watched>();
  readonly #loop: PollLoop;
  readonly #closing = new AbortController();
  #readingJournal: Promise<void> | undefined;

  constructor(options: UnitWatchOptions) {
    this.#options = options;
    this.#loop = new PollLoop(pauseByDuration(options.checkEveryMs ?? CHECK_EVERY_MS), () =>
      this.#checkAll(),
    );
  }

  add(run: Run): void {
    const { tracked } = run.definition;
    if (tracked?.by !== 'unit') return;
    const invocation = run.invocation ?? tracked.invocation;
    const { id, problem } = run;
    this.#watched.set(id, { run: id, source: tracked, invocation, isSeen: false, problem });
    this.#loop.wake();
  }

  remove({ id }: Run): void {
    this.#watched.delete(id);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([this.#loop.close(), this.#readingJournal]);
  }

  async #checkAll(): Promise<boolean> {
    const all = [...this.#watched.values()];
    if (all.length === 0) return false;
    try {
      const shown = await showUnits(all.map(({ source }) => source.unit));
      this.#setProblemOfAll(undefined);
      all.forEach((watched, index) => this.#apply(watched, shown[index] ?? {}));
    } catch (error) {
      // Nothing is concluded from a missing answer. The next round asks again.
      this.#setProblemOfAll(errorText(error));
    }
    // Beside the rounds, so that a slow journal does not delay the other runs.
    this.#readingJournal ??= this.#readJournal().finally(() => {
      this.#readingJournal = undefined;
    });
    return this.#watched.size > 0;
  }

  /** Every run shows why its progress has stopped. */
  #setProblemOfAll(reason: string | undefined): void {
    for (const watched of this.#watched.values()) {
      if (watched.problem === reason) continue;
      watched.problem = reason;
      const { run } = watched;
      this.#options.post({ type: 'watch-problem', run, ...defined({ reason }) });
    }
  }

  #apply(watched: Watched, shown: UnitProperties): void {
    // The run was released meanwhile.
    if (!this.#watched.has(watched.run)) return;
    const { post, mask } = this.#options;
    const { run } = watched;
    const state = unitState(watched.source, watched.invocation, shown);
    if (state.kind === 'waiting') return;
    if (state.kind === 'forgotten') {
      const { invocation, reason } = state;
      watched.forgotten ??= { invocation, reason, sinceMs: performance.now() };
      return;
    }
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
    this.#ended(watched, state);
  }

  async #readJournal(): Promise<void> {
    const asked = [...this.#watched.values()]
      .flatMap((watched) =>
        watched.forgotten === undefined ? [] : [{ watched, ...watched.forgotten }],
      )
      .slice(0, INVOCATIONS_PER_CALL);
    if (asked.length === 0) return;
    const { records, error } = await readJournal(
      asked.map(({ invocation }) => invocation),
      this.#closing.signal,
    );
    if (this.#closing.signal.aborted) return;
    for (const { watched, invocation, reason, sinceMs } of asked) {
      // The run was released meanwhile.
      if (!this.#watched.has(watched.run)) continue;
      const { unit } = watched.source;
      const own = records.filter(({ INVOCATION_ID }) => INVOCATION_ID === invocation);
      const state = unitExitFromJournal(unit, invocation, own);
      if (state !== undefined) this.#ended(watched, state);
      else if (performance.now() - sinceMs >= this.#options.graceMs) {
        this.#ended(watched, { kind: 'lost', reason: `${reason}; ${journalGap(error)}` });
      }
    }
  }

  #ended({ run }: Watched, state: UnitEnd): void {
    const { post } = this.#options;
    this.#watched.delete(run);
    switch (state.kind) {
      case 'lost':
        post({ type: 'run-lost', run, reason: state.reason });
        break;
      case 'failed':
        post({ type: 'run-concluded', run, status: 'failed', detail: state.reason });
        break;
      case 'completed':
        post({ type: 'run-concluded', run, status: 'completed', detail: state.message });
        break;
      case 'exited': {
        const { exitCode, signal, message } = state;
        post({
          type: 'run-exited',
          run,
          exitCode,
          ...defined({ signal, errorTail: message }),
        });
      }
    }
  }
}

/** Why the journal does not show the end, and how an operator can change that. */
function journalGap(error: string): string {
  const remedies = 'RemainAfterExit=yes keeps it, or a report in ExecStopPost=';
  return error === ''
    ? `the journal has no record of it (${remedies})`
    : `${error.replace(/\.$/, '')} (SupplementaryGroups=systemd-journal lets the agent read the journal; ${remedies})`;
}
