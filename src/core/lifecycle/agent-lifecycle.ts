/**
 * What becomes of the agent itself: it takes no more pipeline tasks, it is told to end by the operator or by the
 * service, it says farewell; a state that was moved here is claimed.
 */
import type { Reply } from '../model/action.ts';
import type { CallScheduler } from '../scheduling/call-scheduler.ts';
import type { Context } from '../scheduling/context.ts';
import { shutdownEndsMs } from '../scheduling/farewell.ts';
import { claimState } from '../state/host-identity.ts';
import type { RunLifecycle } from '../runs/lifecycle.ts';
import type { RunRequests } from '../runs/requests.ts';
import { RUNNER_KEY } from '../scheduling/reporter-keys.ts';
import type { Now } from '../lib/time.ts';

/** Terminated by the service: no restart (DESIGN.md, section 5). */
const EXIT_TERMINATED = 75;

export class AgentLifecycle {
  readonly #context: Context;
  readonly #calls: CallScheduler;
  readonly #life: RunLifecycle;
  readonly #requests: RunRequests;
  #isDraining = false;
  #isTerminated = false;
  #exitCode = 0;

  constructor(context: Context, calls: CallScheduler, life: RunLifecycle, requests: RunRequests) {
    this.#context = context;
    this.#calls = calls;
    this.#life = life;
    this.#requests = requests;
  }

  /** No more pipeline tasks are taken; those that are here go on. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  drain(now: Now): Reply {
    if (!this.#isDraining) this.#context.addEvent('agent.draining', now, {});
    this.#isDraining = true;
    return { ok: true, message: 'no more pipeline tasks are taken' };
  }

  resume(now: Now): Reply {
    this.#isDraining = false;
    this.#context.addEvent('agent.resumed', now, {});
    return { ok: true, message: 'pipeline tasks are taken again' };
  }

  /** The state was moved here, not copied: what is in it is this host's again. */
  claim(by: string, now: Now): Reply {
    if (this.#context.state.metadata.copiedFrom === undefined) {
      return { ok: false, code: 'conflict', message: 'this state was made on this host' };
    }
    const { runs, tasks } = claimState(this.#context.state);
    this.#context.addEvent('host.claimed', now, { runs: runs.length, by });
    this.#life.takeOver(runs, tasks, now);
    this.#context.touch(RUNNER_KEY);
    return { ok: true, message: `${runs.length} runs are this host's again` };
  }

  /** The service wants the task runner to end: when its last task is told, the agent does. */
  terminate(now: Now): void {
    if (this.#isTerminated) return;
    this.#isTerminated = true;
    const { dataPipeline } = this.#context.settings;
    this.#context.addEvent('agent.terminated', now, { policy: dataPipeline?.onTerminate });
    this.drain(now);
    if (dataPipeline?.onTerminate === 'stop') {
      this.#requests.cancelPipelineRuns('the service told the task runner to terminate', now);
    }
  }

  /** Call after every event: a terminated agent whose pipeline is done begins to end. */
  look(now: Now): void {
    if (this.#isTerminated && this.#pipelineIsDone()) this.stop(now, EXIT_TERMINATED);
  }

  stop(now: Now, exitCode = 0): void {
    if (this.#context.stopRequestedAt !== undefined) return;
    this.#context.stopRequestedAt = now;
    this.#exitCode = exitCode;
    this.#context.touchAll();
  }

  /** The exit code, when all is said that can be, and kept; or when the time for it is over. */
  ended(now: Now, isDurable: boolean): number | undefined {
    const endsMs = this.endsMs();
    if (endsMs === undefined) return undefined;
    const isOver = now.bootMs >= endsMs || (isDurable && !this.#calls.isBusy(now, endsMs));
    return isOver ? this.#exitCode : undefined;
  }

  /** When the time for the farewell is over, on the boot clock; `undefined`: the agent is not to end. */
  endsMs(): number | undefined {
    const { stopRequestedAt: stopAskedAt } = this.#context;
    return stopAskedAt === undefined ? undefined : shutdownEndsMs(stopAskedAt);
  }

  /** No pipeline run lives here, and none has anything left to say. */
  #pipelineIsDone(): boolean {
    const { livePipelineRuns, runs } = this.#context.state;
    if (livePipelineRuns.size > 0) return false;
    return ![...runs.values()].some((run) => run.pipeline?.delivery.state === 'pending');
  }
}
