/**
 * Asks one worker group for work: one poll in flight, none while the host is full or draining, and never
 * faster than the floor, since a poll that fails fast would spend the whole account's budget.
 */
import { pollerKey } from '../scheduling/reporter-keys.ts';
import type { PendingCall } from '../scheduling/call-queue.ts';
import type { Call, Outcome, PolledTask } from '../model/call.ts';
import type { Context } from '../scheduling/context.ts';
import { retryDelayMs } from '../scheduling/pacing.ts';
import type { Reporter } from '../scheduling/reporter.ts';
import { SECOND_MS } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';

/** Two polls of one group begin at least so far apart (PollForTask: 2 calls a second for the whole account). */
const POLL_EVERY_MS_MIN = SECOND_MS;

export class Poller implements Reporter {
  readonly key: string;
  readonly #context: Context;
  readonly #workerGroup: string;
  readonly #mayPoll: () => boolean;
  readonly #receive: (task: PolledTask, workerGroup: string, now: Now) => void;
  #attempts = 0;
  #notBeforeMs = 0;

  constructor(
    context: Context,
    workerGroup: string,
    mayPoll: () => boolean,
    receive: (task: PolledTask, workerGroup: string, now: Now) => void,
  ) {
    this.key = pollerKey(workerGroup);
    this.#context = context;
    this.#workerGroup = workerGroup;
    this.#mayPoll = mayPoll;
    this.#receive = receive;
  }

  next(): PendingCall | undefined {
    if (!this.#mayPoll()) return undefined;
    // Waiting longest goes first, so that worker groups take turns for the last free place.
    return { operation: 'PollForTask', readyAtMs: this.#notBeforeMs, sinceMs: this.#notBeforeMs };
  }

  call(now: Now): Call | undefined {
    if (!this.#mayPoll()) return undefined;
    this.#notBeforeMs = now.bootMs + POLL_EVERY_MS_MIN;
    return {
      operation: 'PollForTask',
      workerGroup: this.#workerGroup,
      hostname: this.#context.settings.hostname,
    };
  }

  settled(_call: Call, outcome: Outcome, now: Now): void {
    if (outcome.kind === 'accepted') {
      this.#attempts = 0;
      if (outcome.answer.task !== undefined) {
        this.#receive(outcome.answer.task, this.#workerGroup, now);
      }
      return;
    }
    this.#attempts++;
    this.#notBeforeMs = now.bootMs + retryDelayMs(this.#attempts, Infinity, this.#context.random);
  }
}
