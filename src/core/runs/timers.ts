/** When time alone changes a run: the end of its window, its timeout, a stall, the next escalation step. */
import { nextStep } from './stop-escalation.ts';
import type { Escalation, EscalationStep } from './stop-escalation.ts';
import { fenceAtMs } from '../scheduling/deadlines.ts';
import { Heap, Ranked } from '../lib/heap.ts';
import { isFinal } from '../model/job.ts';
import type { Run } from '../model/job.ts';
import { SECOND_MS } from '../lib/time.ts';
import type { Instant, Now } from '../lib/time.ts';

export type Due = 'step' | 'fence' | 'timeout' | 'tree-check' | 'stall';

/** How often the tree of a run is checked whose program or shim has ended. */
const TREE_CHECK_MS = 5 * SECOND_MS;

export class RunTimers {
  readonly #times = new Heap<RunTimer>();
  readonly #timers = new Map<string, RunTimer>();
  /** When the tree of a run whose program or shim has ended was last checked. */
  readonly #treeCheckedAtMs = new Map<string, number>();
  readonly #escalations = new Map<string, Escalation>();
  /** Runs whose window has ended and whose job continues (onFence: continue). */
  readonly #unfenced = new Set<string>();

  nextMs(): number | undefined {
    return this.#times.peek()?.rank;
  }

  /** Takes out a run whose time has come. */
  takeDue(now: Now): string | undefined {
    const next = this.#times.peek();
    if (next === undefined || next.rank > now.bootMs) return undefined;
    this.#times.pop();
    this.#timers.delete(next.run);
    return next.run;
  }

  /** What has come for this run; `undefined`: nothing yet. */
  due(run: Run, now: Now): Due | undefined {
    if (run.state === 'canceling') {
      // The window ends for a run that is being stopped, too, and its grace may be longer.
      if (isPast(this.#fenceAtMs(run), now)) return 'fence';
      return isPast(this.#timeoutOfEndingMs(run), now) ? 'timeout' : 'step';
    }
    if (isPast(this.#fenceAtMs(run), now)) return 'fence';
    if (isPast(timeoutAtMs(run), now)) return 'timeout';
    if (isPast(this.#treeCheckAtMs(run), now)) {
      this.#treeCheckedAtMs.set(run.id, now.bootMs);
      return 'tree-check';
    }
    return isPast(stallAtMs(run), now) ? 'stall' : undefined;
  }

  /** The escalation step to take now, remembered as taken. */
  takeStep(run: Run, now: Now): EscalationStep | undefined {
    if (run.ending === undefined) return undefined;
    const escalation = this.#escalationOf(run);
    const { step } = nextStep(run.ending, escalation, now, areSurvivorsSeen(run));
    if (step !== undefined) escalation.lastLookAtMs = now.bootMs;
    if (step === 'signal') escalation.signalledAtMs = now.bootMs;
    if (step === 'kill') escalation.isKillAsked = true;
    return step;
  }

  /** SIGKILL was sent. The host may have been unable to send it for a while after the escalation asked for it. */
  killed(run: Run, now: Now): void {
    const escalation = this.#escalationOf(run);
    if (escalation.isKillAsked !== true || escalation.killedAtMs !== undefined) return;
    escalation.killedAtMs = now.bootMs;
    // What was seen alive before the first SIGKILL has not outlived it yet.
    delete run.survivors;
  }

  /** The run's window no longer matters: the policy lets the job go on after it. */
  unfence(run: Run): void {
    this.#unfenced.add(run.id);
  }

  fenceAgain(run: Run): void {
    this.#unfenced.delete(run.id);
  }

  /** Call after every change of the run. */
  schedule(run: Run, now: Now): void {
    const atMs = this.#nextTimeMs(run, now);
    this.#set(run.id, atMs);
    if (!isFinal(run.state)) return;
    this.#escalations.delete(run.id);
    this.#treeCheckedAtMs.delete(run.id);
    this.#unfenced.delete(run.id);
  }

  #set(run: string, atMs: number | undefined): void {
    const timer = this.#timers.get(run);
    if (atMs !== undefined) {
      const set = timer ?? new RunTimer(run);
      if (timer === undefined) this.#timers.set(run, set);
      this.#times.set(set, atMs);
    } else if (timer !== undefined) {
      this.#times.delete(timer);
      this.#timers.delete(run);
    }
  }

  #nextTimeMs(run: Run, now: Now): number | undefined {
    if (isFinal(run.state)) return undefined;
    if (run.state === 'canceling') {
      const stepMs =
        run.ending &&
        nextStep(run.ending, this.#escalationOf(run), now, areSurvivorsSeen(run)).atMs;
      return earliestMs([stepMs, this.#fenceAtMs(run), this.#timeoutOfEndingMs(run)]);
    }
    return earliestMs([
      this.#fenceAtMs(run),
      timeoutAtMs(run),
      stallAtMs(run),
      this.#treeCheckAtMs(run),
    ]);
  }

  /** A job that an operator cancels with a long grace still runs out of its time. */
  #timeoutOfEndingMs(run: Run): number | undefined {
    return run.ending?.cause === 'operator' ? timeoutAtMs(run) : undefined;
  }

  #fenceAtMs(run: Run): number | undefined {
    return this.#unfenced.has(run.id) ? undefined : fenceAtMs(run);
  }

  #treeCheckAtMs(run: Run): number | undefined {
    if (run.processesLeft === undefined) return undefined;
    return (this.#treeCheckedAtMs.get(run.id) ?? -Infinity) + TREE_CHECK_MS;
  }

  #escalationOf(run: Run): Escalation {
    let escalation = this.#escalations.get(run.id);
    if (escalation === undefined) {
      escalation = { lastLookAtMs: -Infinity };
      this.#escalations.set(run.id, escalation);
    }
    return escalation;
  }
}

/** One run's place among those that time will change. */
class RunTimer extends Ranked {
  readonly run: string;

  constructor(run: string) {
    super();
    this.run = run;
  }
}

function areSurvivorsSeen({ survivors = [] }: Run): boolean {
  return survivors.length > 0;
}

function timeoutAtMs(run: Run): number | undefined {
  const { timeoutMs } = run.definition;
  return timeoutMs === undefined ? undefined : sum(run.startedAt, timeoutMs);
}

function stallAtMs(run: Run): number | undefined {
  const { stallAfterMs } = run.definition;
  if (stallAfterMs === undefined || run.stalled === true) return undefined;
  return sum(run.progressAt, stallAfterMs);
}

function sum(since: Instant | undefined, ms: number): number | undefined {
  return since === undefined ? undefined : since.bootMs + ms;
}

function earliestMs(times: readonly (number | undefined)[]): number | undefined {
  const earliest = Math.min(...times.map((at) => at ?? Infinity));
  return earliest === Infinity ? undefined : earliest;
}

function isPast(atMs: number | undefined, now: Now): boolean {
  return atMs !== undefined && now.bootMs >= atMs;
}
