/**
 * The heartbeat of the task runner itself (ReportTaskRunnerHeartbeat, "every 15 minutes"). The first one is sent at the
 * start. The answer may terminate the runner.
 */
import { defined } from '../lib/defined.ts';
import type { Now } from '../lib/time.ts';
import type { Call, Outcome } from '../model/call.ts';
import type { Fact } from '../model/fact.ts';
import type { SettingsHolder } from '../model/settings.ts';
import type { PendingCall } from '../scheduling/call-queue.ts';
import { drawnMs } from '../scheduling/deadlines.ts';
import { retryDelayMs } from '../scheduling/pacing.ts';
import type { Reporter } from '../scheduling/reporter.ts';
import { RUNNER_KEY } from '../scheduling/reporter-keys.ts';
import type { PersistentState } from '../state/persistent-state.ts';

interface Parts {
  readonly state: PersistentState;
  readonly settings: SettingsHolder;
  readonly random: () => number;
}

/** The configured id, else the generated one. A copied host never uses the id of the host that it was copied from. */
export function runnerId({
  state,
  settings,
}: Pick<Parts, 'state' | 'settings'>): string | undefined {
  const { copiedFrom, taskRunnerId } = state.metadata;
  const { dataPipeline } = settings.current;
  const configured = copiedFrom === undefined ? dataPipeline?.taskRunnerId : undefined;
  return configured ?? taskRunnerId;
}

export class RunnerHeartbeat implements Reporter {
  readonly key = RUNNER_KEY;
  readonly #parts: Parts;
  readonly #jitter: number;
  #attempts = 0;
  #acceptedAtMs: number | undefined;
  #retryAtMs = 0;
  #isSettled = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#jitter = parts.random();
  }

  /** True when the first heartbeat was answered or has failed. Its answer may terminate the runner. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  next(): PendingCall | undefined {
    const { dataPipeline } = this.#parts.settings.current;
    if (dataPipeline === undefined || runnerId(this.#parts) === undefined) return undefined;
    const operation = 'ReportTaskRunnerHeartbeat';
    if (this.#acceptedAtMs === undefined) {
      return { operation, readyAtMs: this.#retryAtMs, sinceMs: this.#retryAtMs };
    }
    const everyMs = dataPipeline.heartbeatEveryMs;
    const dueMs = this.#acceptedAtMs + drawnMs(everyMs * 0.9, this.#jitter);
    return {
      operation,
      readyAtMs: Math.max(dueMs, this.#retryAtMs),
      deadline: {
        urgentAtMs: this.#acceptedAtMs + everyMs * 0.95,
        byMs: this.#acceptedAtMs + everyMs,
      },
    };
  }

  call(): Call | undefined {
    const taskRunnerId = runnerId(this.#parts);
    const { dataPipeline, hostname } = this.#parts.settings.current;
    if (taskRunnerId === undefined || dataPipeline === undefined) return undefined;
    const [workerGroup] = dataPipeline.workerGroups;
    const operation = 'ReportTaskRunnerHeartbeat';
    return { operation, taskRunnerId, ...defined({ workerGroup }), hostname };
  }

  settled(_call: Call, outcome: Outcome, now: Now, sentAt: Now): Fact | undefined {
    this.#isSettled = true;
    if (outcome.kind !== 'accepted') {
      this.#attempts++;
      this.#retryAtMs = now.bootMs + retryDelayMs(this.#attempts, Infinity, this.#parts.random);
      return undefined;
    }
    this.#attempts = 0;
    this.#retryAtMs = 0;
    this.#acceptedAtMs = sentAt.bootMs;
    return outcome.answer.terminate === true ? { type: 'runner-terminated' } : undefined;
  }
}
