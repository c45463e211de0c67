/**
 * The runner's own heartbeat (ReportTaskRunnerHeartbeat, "every 15 minutes"): the first one at start. Its answer
 * may tell the runner to end.
 */
import { RUNNER_KEY } from '../scheduling/reporter-keys.ts';
import type { PendingCall } from '../scheduling/call-queue.ts';
import type { Call, Outcome } from '../model/call.ts';
import type { Context } from '../scheduling/context.ts';
import { drawnMs } from '../scheduling/deadlines.ts';
import { retryDelayMs } from '../scheduling/pacing.ts';
import type { Reporter } from '../scheduling/reporter.ts';
import type { Now } from '../lib/time.ts';

/** The configured one, else the one that was made here; a copied host never speaks as the one it was copied from. */
export function runnerId({ state: ledger, settings }: Context): string | undefined {
  const { copiedFrom, taskRunnerId } = ledger.metadata;
  const configured = copiedFrom === undefined ? settings.dataPipeline?.taskRunnerId : undefined;
  return configured ?? taskRunnerId;
}

export class RunnerHeartbeat implements Reporter {
  readonly key = RUNNER_KEY;
  readonly #context: Context;
  readonly #terminate: (now: Now) => void;
  readonly #early: number;
  #attempts = 0;
  #acceptedAtMs: number | undefined;
  #retryAtMs = 0;

  constructor(context: Context, terminate: (now: Now) => void) {
    this.#context = context;
    this.#terminate = terminate;
    this.#early = context.random();
  }

  next(): PendingCall | undefined {
    const { dataPipeline } = this.#context.settings;
    if (dataPipeline === undefined || this.#runnerId() === undefined) return undefined;
    const operation = 'ReportTaskRunnerHeartbeat';
    if (this.#acceptedAtMs === undefined) {
      return { operation, readyAtMs: this.#retryAtMs, sinceMs: this.#retryAtMs };
    }
    const everyMs = dataPipeline.heartbeatEveryMs;
    return {
      operation,
      readyAtMs: Math.max(
        this.#acceptedAtMs + drawnMs(everyMs * 0.9, this.#early),
        this.#retryAtMs,
      ),
      deadline: {
        urgentAtMs: this.#acceptedAtMs + everyMs * 0.95,
        byMs: this.#acceptedAtMs + everyMs,
      },
    };
  }

  call(): Call | undefined {
    const taskRunnerId = this.#runnerId();
    const { dataPipeline, hostname } = this.#context.settings;
    if (taskRunnerId === undefined || dataPipeline === undefined) return undefined;
    const workerGroup = dataPipeline.workerGroups[0];
    return {
      operation: 'ReportTaskRunnerHeartbeat',
      taskRunnerId,
      ...(workerGroup === undefined ? {} : { workerGroup }),
      hostname,
    };
  }

  settled(_call: Call, outcome: Outcome, now: Now, sentAt: Now): void {
    if (outcome.kind !== 'accepted') {
      this.#attempts++;
      this.#retryAtMs = now.bootMs + retryDelayMs(this.#attempts, Infinity, this.#context.random);
      return;
    }
    this.#attempts = 0;
    this.#retryAtMs = 0;
    this.#acceptedAtMs = sentAt.bootMs;
    if (outcome.answer.terminate === true) this.#terminate(now);
  }

  #runnerId(): string | undefined {
    return runnerId(this.#context);
  }
}
