/** Events of the host about runs: started, progress, exited, lost, and which processes of a tree are alive. */
import { defined } from '../lib/defined.ts';
import { errorLine } from '../lib/error-line.ts';
import type { Event } from '../model/event.ts';
import type { Timeline } from '../state/timeline.ts';
import type { ProcessIdentity, Run, RunState } from '../model/job.ts';
import { endState } from './lifecycle.ts';
import type { RunLifecycle } from './lifecycle.ts';
import { advance, conclude } from './tracking.ts';
import type { Now } from '../lib/time.ts';

export type RunEvent = Extract<
  Event,
  { type: `run-${string}` | `tree-${string}` | 'progress-read' | 'watch-problem' }
>;

export class HostEvents {
  readonly #parts: { readonly timeline: Timeline };
  readonly #life: RunLifecycle;

  constructor(parts: { readonly timeline: Timeline }, life: RunLifecycle) {
    this.#parts = parts;
    this.#life = life;
  }

  take(event: RunEvent, now: Now): void {
    switch (event.type) {
      case 'run-started':
        this.#started(event.run, event.process, now);
        break;
      case 'run-start-failed':
        this.#startFailed(event.run, event.reason, now);
        break;
      case 'run-never-started':
        this.#neverStarted(event.run, now);
        break;
      case 'progress-read':
        this.#progress(event.run, event.percent, event.detail, now);
        break;
      case 'run-exited':
        this.#exited(event, now);
        break;
      case 'run-orphaned':
        this.#orphaned(event.run, event.pids, event.reason, now);
        break;
      case 'run-lost':
        this.#lost(event.run, event.reason, now);
        break;
      case 'run-seen':
        this.#seen(event, now);
        break;
      case 'run-concluded': {
        const run = this.#life.index.live(event.run);
        if (run !== undefined) {
          conclude(this.#parts.timeline, this.#life, run, event.status, event.detail, now);
        }
        break;
      }
      case 'watch-problem':
        this.#watchProblem(event.run, event.reason, now);
        break;
      case 'tree-signalled':
        this.#signalled(event.run, event.signal, event.processes, now);
        break;
      case 'tree-checked':
        this.#checked(event, now);
        break;
    }
  }

  #started(id: string, process: ProcessIdentity, now: Now): void {
    const run = this.#life.index.live(id);
    if (run === undefined) return;
    const { process: before, state } = run;
    const event = before === undefined ? 'job.started' : 'job.adopted';
    this.#parts.timeline.add(event, now, { pid: process.pid }, run);
    // Found as it was left, which nearly every run is: nothing of it has to be written.
    if (state === 'running' && before !== undefined && isSameProcess(before, process)) return;
    run.process = process;
    this.#life.begun(run, now);
    this.#life.changed(run, now);
  }

  #startFailed(id: string, reason: string, now: Now): void {
    const run = this.#life.index.live(id);
    if (run === undefined) return;
    run.reason = reason;
    this.#parts.timeline.add('job.start_failed', now, { reason }, run);
    this.#life.finish(run, run.state === 'canceling' ? endState(run) : 'failed', now);
  }

  /** An earlier agent decided the start, and it provably never happened: start the job now. */
  #neverStarted(id: string, now: Now): void {
    const run = this.#life.index.live(id);
    if (run === undefined) return;
    if (run.state === 'canceling') {
      this.#life.finish(run, endState(run), now);
      return;
    }
    this.#life.startAnew(run, now);
  }

  #progress(id: string, percent: number | undefined, detail: string | undefined, now: Now): void {
    const run = this.#life.index.live(id);
    if (run === undefined) return;
    advance(this.#life, run, defined({ percent, detail }), now);
  }

  #exited(event: Extract<Event, { type: 'run-exited' }>, now: Now): void {
    const { exitCode, signal, errorTail: tail, processesLeft = [] } = event;
    const run = this.#life.index.live(event.run);
    if (run === undefined) return;
    const isKnown = run.exitCode !== undefined;
    run.exitCode = exitCode;
    if (signal !== undefined) run.exitSignal = signal;
    if (tail !== undefined && tail !== '') run.errorTail = tail;
    if (!isKnown) this.#parts.timeline.add('job.exited', now, { exitCode, signal }, run);
    if (run.state === 'canceling') {
      // The program has ended. Whether its whole tree has is checked next.
      this.#life.act({ type: 'check-tree', run });
      this.#life.changed(run, now);
      return;
    }
    this.#life.begun(run, now);
    if (exitCode !== 0) run.reason = exitReason(exitCode, signal, tail);
    if (processesLeft.length > 0) {
      run.processesLeft = processesLeft;
      const waitFor = run.definition.waitFor ?? 'leader';
      if (!isKnown) {
        this.#parts.timeline.add('job.left_processes', now, { pids: processesLeft, waitFor }, run);
      }
      if (waitFor === 'tree') {
        this.#life.changed(run, now);
        return;
      }
    }
    this.#life.finish(run, stateByExit(exitCode), now);
  }

  /** There will be no exit record, but processes of the run are alive: the run lives as long as they do. */
  #orphaned(id: string, pids: readonly number[], reason: string, now: Now): void {
    const run = this.#life.index.live(id);
    if (run === undefined) return;
    if (run.isOrphaned !== true)
      this.#parts.timeline.add('job.orphaned', now, { reason, pids }, run);
    run.isOrphaned = true;
    run.reason = reason;
    if (run.state === 'canceling') {
      this.#life.act({ type: 'check-tree', run });
      this.#life.changed(run, now);
      return;
    }
    run.processesLeft = pids;
    run.problem = `${reason}; its exit code will not be known`;
    this.#life.begun(run, now);
    this.#life.changed(run, now);
  }

  #lost(id: string, reason: string, now: Now): void {
    const run = this.#life.index.live(id);
    if (run === undefined) return;
    run.reason = reason;
    this.#parts.timeline.add('job.lost', now, { reason }, run);
    if (run.state === 'canceling') {
      this.#life.act({ type: 'check-tree', run });
      this.#life.changed(run, now);
      return;
    }
    this.#life.finish(run, 'lost', now);
  }

  #signalled(id: string, signal: string, processes: number, now: Now): void {
    const run = this.#life.index.live(id);
    if (run === undefined) return;
    if (signal === 'SIGKILL') this.#life.killed(run, now);
    this.#parts.timeline.add('tree.signalled', now, { signal, processes }, run);
  }

  /**
   * The proof of P4: a run that is being stopped has ended when no process of its tree is alive. The same holds for a run
   * whose program or shim has ended.
   */
  #checked(
    { run: id, survivors, reason }: Extract<Event, { type: 'tree-checked' }>,
    now: Now,
  ): void {
    const run = this.#life.index.live(id);
    if (run === undefined) return;
    if (run.state !== 'canceling') {
      this.#treeChecked(run, survivors, now);
      return;
    }
    run.survivors = survivors;
    delete run.survivorsDoubt;
    if (reason !== undefined) run.survivorsDoubt = reason;
    if (survivors.length > 0) return;
    delete run.survivors;
    delete run.processesLeft;
    this.#parts.timeline.add('tree.empty', now, {}, run);
    this.#life.finish(run, endState(run), now);
  }

  #treeChecked(run: Run, pids: readonly number[], now: Now): void {
    if (run.processesLeft === undefined) return;
    if (pids.length > 0) {
      run.processesLeft = pids;
      this.#life.touched(run, now);
      return;
    }
    delete run.processesLeft;
    this.#parts.timeline.add('tree.empty', now, {}, run);
    if (run.isOrphaned === true)
      this.#parts.timeline.add('job.lost', now, { reason: run.reason }, run);
    this.#life.finish(run, run.exitCode === undefined ? 'lost' : stateByExit(run.exitCode), now);
  }

  /** Tracked work was seen: for the first time, or again by the next agent. */
  #seen({ run: id, process, invocation }: Extract<Event, { type: 'run-seen' }>, now: Now): void {
    const run = this.#life.index.live(id);
    if (run === undefined) return;
    const isAdopted = run.startedAt !== undefined;
    if (process !== undefined) run.process = process;
    if (invocation !== undefined) run.invocation = invocation;
    this.#life.begun(run, now);
    const fields = defined({ pid: process?.pid, invocation });
    this.#parts.timeline.add(isAdopted ? 'job.adopted' : 'job.started', now, fields, run);
    this.#life.changed(run, now);
  }

  /** The state of tracked work cannot be seen. Recorded once; no end is inferred from it. */
  #watchProblem(id: string, reason: string | undefined, now: Now): void {
    const run = this.#life.index.live(id);
    if (run === undefined || run.problem === reason) return;
    if (reason === undefined) delete run.problem;
    else run.problem = reason;
    if (reason === undefined) this.#parts.timeline.add('job.readable', now, {}, run);
    else this.#parts.timeline.add('job.unreadable', now, { reason }, run);
    this.#life.changed(run, now);
  }
}

function stateByExit(exitCode: number): RunState {
  return exitCode === 0 ? 'succeeded' : 'failed';
}

function exitReason(
  exitCode: number,
  signal: string | undefined,
  tail: string | undefined,
): string {
  const how = signal === undefined ? `exit code ${exitCode}` : `ended by ${signal}`;
  const why = errorLine(tail ?? '');
  return why === undefined ? how : `${how}: ${why}`;
}

function isSameProcess(a: ProcessIdentity, b: ProcessIdentity): boolean {
  return a.pid === b.pid && a.bootId === b.bootId && a.startTicks === b.startTicks;
}
