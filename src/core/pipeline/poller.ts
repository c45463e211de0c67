/**
 * Polls one worker group for tasks: one poll in flight, none while the host is full or draining, and at least a second
 * between two polls, since polls that fail fast would use up the budget of the whole account.
 */
import { SECOND_MS } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';
import type { Call, Outcome } from '../model/call.ts';
import type { Fact } from '../model/fact.ts';
import { isFinal } from '../model/job.ts';
import type { SettingsHolder } from '../model/settings.ts';
import type { PendingCall } from '../scheduling/call-queue.ts';
import { retryDelayMs } from '../scheduling/pacing.ts';
import type { Pacing } from '../scheduling/pacing.ts';
import type { Reporter } from '../scheduling/reporter.ts';
import { pollerKey } from '../scheduling/reporter-keys.ts';
import type { PersistentState } from '../state/persistent-state.ts';
import type { Shutdown } from '../state/shutdown.ts';

/** The least time between the beginnings of two polls of one group (PollForTask: 2 calls a second for an account). */
const POLL_EVERY_MS_MIN = SECOND_MS;

interface Parts {
  readonly state: PersistentState;
  readonly settings: SettingsHolder;
  readonly shutdown: Shutdown;
  readonly pacing: Pacing;
  readonly random: () => number;
  /** A runner that its first heartbeat terminates must not have taken a task (see RunnerHeartbeat). */
  readonly heartbeat: { readonly isSettled: boolean };
}

export class Poller implements Reporter {
  readonly key: string;
  readonly #parts: Parts;
  readonly #workerGroup: string;
  #attempts = 0;
  #notBeforeMs = 0;

  constructor(parts: Parts, workerGroup: string) {
    this.key = pollerKey(workerGroup);
    this.#parts = parts;
    this.#workerGroup = workerGroup;
  }

  next(): PendingCall | undefined {
    if (!this.#mayPoll()) return undefined;
    // The group that has waited longest goes first, so that worker groups take turns for the last free place.
    return { operation: 'PollForTask', readyAtMs: this.#notBeforeMs, sinceMs: this.#notBeforeMs };
  }

  call(now: Now): Call | undefined {
    if (!this.#mayPoll()) return undefined;
    this.#notBeforeMs = now.bootMs + POLL_EVERY_MS_MIN;
    const { hostname } = this.#parts.settings.current;
    return { operation: 'PollForTask', workerGroup: this.#workerGroup, hostname };
  }

  settled(_call: Call, outcome: Outcome, now: Now): Fact | undefined {
    if (outcome.kind !== 'accepted') {
      this.#attempts++;
      this.#notBeforeMs = now.bootMs + retryDelayMs(this.#attempts, Infinity, this.#parts.random);
      return undefined;
    }
    this.#attempts = 0;
    const { task } = outcome.answer;
    return task && { type: 'task-received', task, workerGroup: this.#workerGroup };
  }

  #mayPoll(): boolean {
    const { heartbeat, pacing, settings, shutdown, state } = this.#parts;
    const { dataPipeline } = settings.current;
    if (dataPipeline?.workerGroups.includes(this.#workerGroup) !== true) return false;
    if (!heartbeat.isSettled) return false;
    if (shutdown.isDraining || shutdown.requestedAt !== undefined) return false;
    // A task might have to wait for a run that belongs to another host.
    if (hasLiveCopiedRuns(state)) return false;
    // A poll in flight may bring a task, which counts from then on.
    const taken = state.livePipelineRuns.size + pacing.of('PollForTask').inFlight;
    return taken < dataPipeline.concurrency;
  }
}

/** Runs of the host that this state was copied from hold their jobs. */
function hasLiveCopiedRuns({ copiedHostRuns }: PersistentState): boolean {
  if (copiedHostRuns.size === 0) return false;
  return [...copiedHostRuns.values()].some((run) => !isFinal(run.state));
}
