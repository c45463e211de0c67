/** What the host tells of runs: they started, got on, ended, were lost; who of their trees is alive. */
import type { Context } from './context.ts';
import { moveRun } from './job.ts';
import type { ProcessIdentity } from './job.ts';
import { endState } from './run-life.ts';
import type { RunLife } from './run-life.ts';
import type { Now } from './time.ts';

export class RunNews {
  readonly #context: Context;
  readonly #life: RunLife;

  constructor(context: Context, life: RunLife) {
    this.#context = context;
    this.#life = life;
  }

  started(id: string, process: ProcessIdentity, now: Now): void {
    const run = this.#life.book.live(id);
    if (run === undefined) return;
    const isAdopted = run.process !== undefined;
    run.process = process;
    run.startedAt ??= now;
    run.progressAt ??= now;
    if (run.state === 'starting') moveRun(run, 'running');
    this.#context.note(isAdopted ? 'job.adopted' : 'job.started', now, { pid: process.pid }, run);
    this.#life.changed(run, now);
  }

  startFailed(id: string, reason: string, now: Now): void {
    const run = this.#life.book.live(id);
    if (run === undefined) return;
    run.reason = reason;
    this.#context.note('job.start_failed', now, { reason }, run);
    this.#life.finish(run, run.state === 'canceling' ? endState(run) : 'failed', now);
  }

  /** The start had been decided by an earlier agent and provably never happened: it is made now. */
  neverStarted(id: string, now: Now): void {
    const run = this.#life.book.live(id);
    if (run === undefined) return;
    if (run.state === 'canceling') {
      this.#life.finish(run, endState(run), now);
      return;
    }
    run.spawn++;
    this.#life.act({ type: 'start-run', run });
    this.#life.changed(run, now);
  }

  progress(id: string, percent: number | undefined, detail: string | undefined, now: Now): void {
    const run = this.#life.book.live(id);
    if (run === undefined) return;
    // Never 100 before the job has ended well, never lower than it was (DESIGN.md, section 3).
    const whole =
      percent === undefined ? undefined : Math.min(99, Math.max(0, Math.floor(percent)));
    const isHigher = whole !== undefined && whole > (run.percent ?? -1);
    const isOther = detail !== undefined && detail !== run.detail;
    if (!isHigher && !isOther) return;
    if (isHigher) run.percent = whole;
    if (isOther) run.detail = detail;
    run.progressAt = now;
    delete run.stalled;
    // Not kept on disk now: it is with the next accepted report, and a lost percent is read again.
    this.#life.touched(run, now);
  }

  exited(
    id: string,
    exitCode: number,
    signal: string | undefined,
    tail: string | undefined,
    now: Now,
  ): void {
    const run = this.#life.book.live(id);
    if (run === undefined) return;
    run.exitCode = exitCode;
    if (signal !== undefined) run.exitSignal = signal;
    if (tail !== undefined && tail !== '') run.errorTail = tail;
    this.#context.note('job.exited', now, { exitCode, signal }, run);
    if (run.state === 'canceling') {
      // The leader is gone; whether the tree is must be seen.
      this.#life.act({ type: 'check-tree', run });
      this.#life.changed(run, now);
      return;
    }
    if (run.state === 'starting') moveRun(run, 'running');
    run.startedAt ??= now;
    if (exitCode !== 0) run.reason = exitReason(exitCode, signal, tail);
    this.#life.finish(run, exitCode === 0 ? 'succeeded' : 'failed', now);
  }

  lost(id: string, reason: string, now: Now): void {
    const run = this.#life.book.live(id);
    if (run === undefined) return;
    run.reason = reason;
    this.#context.note('job.lost', now, { reason }, run);
    if (run.state === 'canceling') {
      this.#life.act({ type: 'check-tree', run });
      this.#life.changed(run, now);
      return;
    }
    this.#life.finish(run, 'lost', now);
  }

  signalled(id: string, signal: string, processes: number, now: Now): void {
    const run = this.#life.book.live(id);
    if (run !== undefined) this.#context.note('tree.signalled', now, { signal, processes }, run);
  }

  /** Proof of P4: a run that is being ended has ended when nobody of its tree is alive. */
  checked(id: string, survivors: readonly number[], now: Now): void {
    const run = this.#life.book.live(id);
    if (run?.state !== 'canceling') return;
    run.survivors = survivors;
    if (survivors.length > 0) return;
    delete run.survivors;
    this.#context.note('tree.empty', now, {}, run);
    this.#life.finish(run, endState(run), now);
  }
}

function exitReason(
  exitCode: number,
  signal: string | undefined,
  tail: string | undefined,
): string {
  const how = signal === undefined ? `exit code ${exitCode}` : `ended by ${signal}`;
  const last = tail?.trimEnd().split('\n').at(-1)?.trim();
  return last === undefined || last === '' ? how : `${how}: ${last}`;
}
