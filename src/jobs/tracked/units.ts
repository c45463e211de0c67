/**
 * Systemd units that somebody else starts: all of them are asked for together, by one `systemctl show`; those that
 * systemd has forgotten, by one `journalctl`.
 */
import type { Run, TrackedSource } from '../../core/model/job.ts';
import type { Post } from '../../ports.ts';
import { errorText } from '../lib/error-code.ts';
import { readJournal } from './journalctl.ts';
import { plainDetail } from '../lib/plain-text.ts';
import { DETAIL_CHARACTERS_MAX } from '../lib/progress.ts';
import { showUnits } from './systemctl.ts';
import type { UnitProperties } from './systemctl.ts';
import { pauseByTime, Rounds } from './poll-loop.ts';
import type { Watch } from './tracked-work.ts';
import { unitExitFromJournal } from './unit-exit-journal.ts';
import { unitState } from './unit-state.ts';
import type { UnitEnd } from './unit-state.ts';

/** A process of its own each time: cheap, and not free. */
const LOOK_EVERY_MS = 2000;
/** A command line has room for far more; the rest is asked for next. */
const INVOCATIONS_PER_CALL = 100;

interface Watched {
  readonly run: string;
  readonly source: Extract<TrackedSource, { by: 'unit' }>;
  invocation: string | undefined;
  isSeen: boolean;
  detail?: string;
  trouble: string | undefined;
  forgotten?: Forgotten;
}

/** systemd knows the invocation no longer, since when this agent knows that. */
interface Forgotten {
  readonly invocation: string;
  readonly reason: string;
  readonly sinceMs: number;
}

interface UnitWatchOptions {
  readonly post: Post;
  readonly mask: (text: string) => string;
  /** How long the journal may take to tell of an end. */
  readonly patienceMs: number;
  readonly lookEveryMs?: number;
}

export class UnitWatch implements Watch {
  readonly #options: UnitWatchOptions;
  readonly #watched = new Map<string, Watched>();
  readonly #rounds: Rounds;
  readonly #closing = new AbortController();
  #asking: Promise<void> | undefined;

  constructor(options: UnitWatchOptions) {
    this.#options = options;
    this.#rounds = new Rounds(pauseByTime(options.lookEveryMs ?? LOOK_EVERY_MS), () =>
      this.#look(),
    );
  }

  add(run: Run): void {
    const { tracked } = run.definition;
    if (tracked?.by !== 'unit') return;
    const invocation = run.invocation ?? tracked.invocation;
    const { id, problem: trouble } = run;
    this.#watched.set(id, { run: id, source: tracked, invocation, isSeen: false, trouble });
    this.#rounds.wake();
  }

  remove({ id }: Run): void {
    this.#watched.delete(id);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([this.#rounds.close(), this.#asking]);
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
      this.#troubled(errorText(error));
    }
    // Beside the rounds: a journal that is slow to answer keeps nobody else from being seen.
    this.#asking ??= this.#askJournal().finally(() => {
      this.#asking = undefined;
    });
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

  async #askJournal(): Promise<void> {
    const asked = [...this.#watched.values()]
      .flatMap((watched) =>
        watched.forgotten === undefined ? [] : [{ watched, ...watched.forgotten }],
      )
      .slice(0, INVOCATIONS_PER_CALL);
    if (asked.length === 0) return;
    const { records, complaint } = await readJournal(
      asked.map(({ invocation }) => invocation),
      this.#closing.signal,
    );
    if (this.#closing.signal.aborted) return;
    for (const { watched, invocation, reason, sinceMs } of asked) {
      // Released while the journal was asked.
      if (!this.#watched.has(watched.run)) continue;
      const { unit } = watched.source;
      const own = records.filter(({ INVOCATION_ID }) => INVOCATION_ID === invocation);
      const state = unitExitFromJournal(unit, invocation, own);
      if (state !== undefined) this.#ended(watched, state);
      else if (performance.now() - sinceMs >= this.#options.patienceMs) {
        this.#ended(watched, { kind: 'lost', reason: `${reason}; ${whyUntold(complaint)}` });
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
          ...(signal === undefined ? {} : { signal }),
          ...(message === undefined ? {} : { errorTail: message }),
        });
      }
    }
  }
}

/** With what can be done about it, for whoever finds the job lost. */
function whyUntold(complaint: string): string {
  const remedies = 'RemainAfterExit=yes keeps it, or a report in ExecStopPost=';
  return complaint === ''
    ? `the journal has no record of it (${remedies})`
    : `${complaint.replace(/\.$/, '')} (SupplementaryGroups=systemd-journal lets the agent read the journal; ${remedies})`;
}
