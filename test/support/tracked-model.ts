/** Work on the host that somebody else runs, and what can be seen of it: a process, a systemd unit, a status file. */
import type { Event } from '../../src/core/model/event.ts';
import type { Run } from '../../src/core/model/job.ts';
import type { VirtualTime } from './virtual-time.ts';

/** How the work ends: with an exit code (a unit), with a last report of its own (a file), or without any (a process). */
export type WorkEnd = 'completed' | 'failed' | 'gone';

interface Work {
  readonly name: string;
  end?: WorkEnd;
}

/** The final report of a process may take so long after its end. */
const GONE_MS = 5_000;
const LOOK_AGAIN_MS = 1_000;

export class TrackedModel {
  /** Called with the job's name. */
  onEnd: (job: string, end: WorkEnd) => void = () => undefined;
  readonly #time: VirtualTime;
  readonly #post: (event: Event) => void;
  readonly #works = new Map<string, Work>();
  /** By job, what the present agent watches. */
  readonly #watched = new Map<string, Run>();
  #blindUntilMs = -Infinity;

  constructor(time: VirtualTime, post: (event: Event) => void) {
    this.#time = time;
    this.#post = post;
  }

  /** Somebody begins the work. */
  begin(name: string, durationMs: number, end: WorkEnd): void {
    const work: Work = { name };
    this.#works.set(name, work);
    this.#time.in(durationMs, () => this.#ends(work, end));
  }

  isRunning(name: string): boolean {
    const work = this.#works.get(name);
    return work !== undefined && work.end === undefined;
  }

  running(): number {
    return [...this.#works.values()].filter(({ end }) => end === undefined).length;
  }

  /** Neither processes nor units nor files can be read, for so long. */
  goBlind(ms: number): void {
    const wasBlind = this.#isBlind;
    this.#blindUntilMs = Math.max(this.#blindUntilMs, this.#time.now().bootMs + ms);
    if (wasBlind) return;
    for (const run of this.#watched.values()) {
      if (run.definition.tracked?.by === 'pid') continue;
      this.#post({ type: 'watch-problem', run: run.id, reason: 'EMFILE: too many open files' });
    }
  }

  watch(run: Run): void {
    this.#watched.set(run.job, run);
    this.#look(run, false);
  }

  release(run: Run): void {
    if (this.#watched.get(run.job)?.id === run.id) this.#watched.delete(run.job);
  }

  agentDied(): void {
    this.#watched.clear();
  }

  powerOff(): void {
    for (const work of this.#works.values()) this.#ends(work, 'gone');
  }

  get #isBlind(): boolean {
    return this.#time.now().bootMs < this.#blindUntilMs;
  }

  #ends(work: Work, end: WorkEnd): void {
    if (work.end !== undefined) return;
    work.end = end;
    this.onEnd(work.name, end);
  }

  /** Looks every second, as long as this agent watches. */
  #look(run: Run, isSeen: boolean): void {
    if (this.#watched.get(run.job) !== run) return;
    const again = (seen: boolean): void =>
      this.#time.in(LOOK_AGAIN_MS, () => this.#look(run, seen));
    if (this.#isBlind) {
      again(false);
      return;
    }
    const end = this.#works.get(run.job)?.end;
    if (end === undefined) {
      if (!isSeen) {
        this.#post({ type: 'watch-problem', run: run.id });
        this.#post({ type: 'run-seen', run: run.id });
      }
      again(true);
      return;
    }
    this.#watched.delete(run.job);
    if (end === 'gone') {
      const lost = { type: 'run-lost', run: run.id, reason: 'the work is gone' } as const;
      this.#watched.set(run.job, run);
      this.#time.in(GONE_MS, () => {
        if (this.#watched.get(run.job) === run) this.#post(lost);
      });
    } else this.#post({ type: 'run-concluded', run: run.id, status: end });
  }
}
