/** What an operator, a schedule or the configuration wants of jobs: start them, run something by hand, cancel. */
import type { Reply } from '../model/action.ts';
import type { SettingsHolder } from '../model/settings.ts';
import type { PersistentState } from '../state/persistent-state.ts';
import { copiedHostRefusal } from '../model/job.ts';
import type { JobDefinition, Run, RunOrigin } from '../model/job.ts';
import { runsTheSame } from './same-work.ts';
import type { SameWork } from './same-work.ts';
import type { RunLifecycle } from './lifecycle.ts';
import { killAtMs } from './stop-escalation.ts';
import { SECOND_MS } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';

interface Parts {
  readonly state: PersistentState;
  readonly settings: SettingsHolder;
  readonly sameWork: SameWork;
}

export class RunRequests {
  readonly #parts: Parts;
  readonly #life: RunLifecycle;

  constructor(parts: Parts, life: RunLifecycle) {
    this.#parts = parts;
    this.#life = life;
  }

  start(job: string, origin: RunOrigin, now: Now, adHocRefusal?: string): Reply {
    const configured = this.#parts.settings.current.jobs.get(job);
    const definition = configured ?? this.#life.index.adHocDefinition(job);
    if (definition === undefined) {
      return { ok: false, code: 'no-such-job', message: `there is no job "${job}"` };
    }
    if (configured === undefined && adHocRefusal !== undefined) {
      return { ok: false, code: 'forbidden', message: adHocRefusal };
    }
    const [live] = this.#life.index.liveOf(job);
    if (live?.copiedHost === true) return refuseForeign(live);
    if (live !== undefined) {
      return {
        ok: false,
        code: 'conflict',
        message: `${job} is ${live.state} already (run ${live.number})`,
      };
    }
    const other = this.#parts.sameWork.runningAs(definition);
    if (other !== undefined) {
      const message = `${job} is ${other.state} already, as ${other.job} (run ${other.number}), a name that the configuration has no more`;
      return { ok: false, code: 'conflict', message };
    }
    const run = this.#life.create(definition, origin, now);
    return { ok: true, run: run.id, message: `${job} starts as run ${run.number}` };
  }

  submit(definition: JobDefinition, now: Now): Reply {
    if (this.#parts.settings.current.jobs.has(definition.name)) {
      const message = `"${definition.name}" is a job of the configuration: start it by its name`;
      return { ok: false, code: 'conflict', message: message };
    }
    const [live] = this.#life.index.liveOf(definition.name);
    if (live?.copiedHost === true) return refuseForeign(live);
    if (live !== undefined) {
      return {
        ok: false,
        code: 'conflict',
        message: `${definition.name} is ${live.state} already`,
      };
    }
    const run = this.#life.create(definition, 'ad-hoc', now);
    return { ok: true, run: run.id, message: `${definition.name} starts as run ${run.number}` };
  }

  /** Starts what the configuration wants started with the agent and has never run as it is now defined. */
  autostart(now: Now): void {
    for (const definition of this.#parts.settings.current.jobs.values()) {
      if (!definition.autostart) continue;
      const ran = this.#life.index
        .of(definition.name)
        .some((run) => runsTheSame(run.definition, definition));
      if (!ran) this.start(definition.name, 'autostart', now);
    }
  }

  cancel(job: string, by: string, graceMs: number | undefined, now: Now): Reply {
    if (this.#life.index.of(job).length === 0 && !this.#parts.settings.current.jobs.has(job)) {
      return { ok: false, code: 'no-such-job', message: `there is no job "${job}"` };
    }
    const live = this.#life.index.liveOf(job);
    const last = live.at(-1);
    if (last?.copiedHost === true) return refuseForeign(last);
    if (last === undefined) {
      return { ok: false, code: 'conflict', message: `${job} is not running` };
    }
    const isEnding = last.ending !== undefined;
    for (const run of live) this.#life.end(run, 'operator', by, now, graceMs);
    return { ok: true, run: last.id, message: cancelText(last, isEnding, now) };
  }

  /** Ends every pipeline run, as `onTerminate: stop` wants it. */
  cancelPipelineRuns(detail: string, now: Now): void {
    for (const run of [...this.#parts.state.liveRuns.values()]) {
      if (run.pipeline !== undefined) this.#life.end(run, 'operator', detail, now);
    }
  }
}

/** Another host may be running the job and reporting it. */
function refuseForeign(run: Run): Reply {
  return { ok: false, code: 'conflict', message: copiedHostRefusal(run) };
}

function cancelText(run: Run, wasEnding: boolean, now: Now): string {
  const { definition, ending, job, number } = run;
  if (definition.tracked !== undefined) {
    return `${job} is no longer tracked (run ${number}); the work itself is not stopped`;
  }
  if (!wasEnding || ending === undefined) return `${job} is being canceled (run ${number})`;
  const leftS = Math.max(0, Math.ceil((killAtMs(ending) - now.bootMs) / SECOND_MS));
  return `${job} is being canceled already (run ${number}); SIGKILL follows in ${leftS} s`;
}
