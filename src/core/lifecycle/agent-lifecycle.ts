/**
 * The agent's own life: it drains, resumes, is terminated by the service, ends with shutdown reports; a state that was
 * moved to this host is claimed.
 */
import type { Now } from '../lib/time.ts';
import type { Reply } from '../model/action.ts';
import type { SettingsHolder } from '../model/settings.ts';
import type { RunLifecycle } from '../runs/lifecycle.ts';
import type { RunRequests } from '../runs/requests.ts';
import type { CallScheduler } from '../scheduling/call-scheduler.ts';
import type { Pacing } from '../scheduling/pacing.ts';
import { RUNNER_KEY } from '../scheduling/reporter-keys.ts';
import type { Reporters } from '../scheduling/reporters.ts';
import { claimState } from '../state/host-identity.ts';
import type { PersistentState } from '../state/persistent-state.ts';
import type { Shutdown } from '../state/shutdown.ts';
import type { Timeline } from '../state/timeline.ts';

/** Terminated by the service; the service manager does not restart it. */
const EXIT_TERMINATED = 75;
/**
 * How long a terminated agent waits for polls in flight: one may bring a task. A poll that finds nothing takes up to 90 s, so
 * after this time the agent ends, and the timeline records that a poll was abandoned.
 */
const POLLS_FINISH_MS = 5_000;

interface Parts {
  readonly state: PersistentState;
  readonly settings: SettingsHolder;
  readonly shutdown: Shutdown;
  readonly pacing: Pacing;
  readonly reporters: Reporters;
  readonly timeline: Timeline;
  readonly calls: CallScheduler;
  readonly runs: RunLifecycle;
  readonly requests: RunRequests;
}

export class AgentLifecycle {
  readonly #parts: Parts;
  #exitCode = 0;
  #pollsEndAtMs = -Infinity;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  drain(now: Now): Reply {
    if (this.#parts.shutdown.drain()) this.#parts.timeline.add('agent.draining', now, {});
    return this.#parts.settings.current.dataPipeline === undefined
      ? {
          ok: true,
          message:
            'nothing to drain: without dataPipeline in the configuration no pipeline tasks are taken',
        }
      : { ok: true, message: 'draining: no more pipeline tasks are accepted' };
  }

  resume(now: Now): Reply {
    const { shutdown, timeline } = this.#parts;
    if (shutdown.isTerminated) {
      const message =
        'AWS Data Pipeline asked this task runner to terminate; the agent ends when its pipeline tasks have. Start it again to take tasks';
      return { ok: false, code: 'conflict', message };
    }
    shutdown.resume();
    timeline.add('agent.resumed', now, {});
    return { ok: true, message: 'pipeline tasks are accepted again' };
  }

  /** The state was moved here, not copied: its runs are this host's again. */
  claim(by: string, now: Now): Reply {
    const { reporters, runs, state, timeline } = this.#parts;
    if (state.metadata.copiedFrom === undefined) {
      return { ok: false, code: 'conflict', message: 'this state was made on this host' };
    }
    const claimed = claimState(state);
    timeline.add('host.claimed', now, { runs: claimed.runs.length, by });
    runs.takeOver(claimed.runs, claimed.tasks, now);
    reporters.touch(RUNNER_KEY);
    return { ok: true, message: `${claimed.runs.length} runs are this host's again` };
  }

  /** The service wants the task runner to terminate: the agent ends when its last task has been reported. */
  terminate(now: Now): void {
    const { requests, settings, shutdown, timeline } = this.#parts;
    if (!shutdown.terminate()) return;
    const policy = settings.current.dataPipeline?.onTerminate;
    this.#pollsEndAtMs = now.bootMs + POLLS_FINISH_MS;
    timeline.add('agent.terminated', now, { policy });
    this.drain(now);
    if (policy === 'stop') {
      requests.cancelPipelineRuns('AWS Data Pipeline asked the task runner to terminate', now);
    }
  }

  /** Call after every event: a terminated agent whose pipeline tasks are done begins to end. */
  afterEvent(now: Now): void {
    if (this.#parts.shutdown.isTerminated && this.#isPipelineDone(now))
      this.stop(now, EXIT_TERMINATED);
  }

  stop(now: Now, exitCode = 0): void {
    if (!this.#parts.shutdown.request(now)) return;
    this.#exitCode = exitCode;
    const polls = this.#pollsInFlight;
    if (polls > 0) this.#parts.timeline.add('poll.abandoned', now, { polls });
    this.#parts.reporters.touchAll();
  }

  /** When polls in flight are no longer waited for, on the boot clock. */
  wakeAtMs(now: Now): number {
    return this.#pollsEndAtMs > now.bootMs ? this.#pollsEndAtMs : Infinity;
  }

  /** The exit code, when everything that can be sent is sent and on disk, or when the time for it is over. */
  ended(now: Now, isDurable: boolean): number | undefined {
    const { endsAtMs } = this.#parts.shutdown;
    if (endsAtMs === undefined) return undefined;
    const isOver =
      now.bootMs >= endsAtMs || (isDurable && !this.#parts.calls.isBusy(now, endsAtMs));
    return isOver ? this.#exitCode : undefined;
  }

  get #pollsInFlight(): number {
    return this.#parts.pacing.of('PollForTask').inFlight;
  }

  /** No pipeline run lives here, none has anything left to report, and no poll is waited for any more. */
  #isPipelineDone(now: Now): boolean {
    const { livePipelineRuns, outboxRuns } = this.#parts.state;
    if (livePipelineRuns.size > 0) return false;
    if (this.#pollsInFlight > 0 && now.bootMs < this.#pollsEndAtMs) return false;
    return ![...outboxRuns].some((run) => run.pipeline?.delivery.state === 'pending');
  }
}
