/** What an operator, a schedule or the configuration wants of jobs: start them, run something by hand, cancel. */
import type { Reply } from '../model/action.ts';
import type { Context } from '../scheduling/context.ts';
import { foreignWords } from '../model/job.ts';
import type { JobDefinition, Run, RunOrigin } from '../model/job.ts';
import type { RunLife } from './lifecycle.ts';
import type { Now } from '../lib/time.ts';

export class RunRequests {
  readonly #context: Context;
  readonly #life: RunLife;

  constructor(context: Context, life: RunLife) {
    this.#context = context;
    this.#life = life;
  }

  start(job: string, origin: RunOrigin, now: Now): Reply {
    const definition = this.#context.settings.jobs.get(job) ?? this.#life.book.adHocDefinition(job);
    if (definition === undefined) {
      return { ok: false, code: 'no-such-job', words: `there is no job "${job}"` };
    }
    const [live] = this.#life.book.liveOf(job);
    if (live?.foreign === true) return refuseForeign(live);
    if (live !== undefined) {
      return {
        ok: false,
        code: 'conflict',
        words: `${job} is ${live.state} already (run ${live.number})`,
      };
    }
    const run = this.#life.create(definition, origin, now);
    return { ok: true, run: run.id, words: `${job} starts as run ${run.number}` };
  }

  submit(definition: JobDefinition, now: Now): Reply {
    if (this.#context.settings.jobs.has(definition.name)) {
      const words = `"${definition.name}" is a job of the configuration: start it by its name`;
      return { ok: false, code: 'conflict', words };
    }
    const [live] = this.#life.book.liveOf(definition.name);
    if (live?.foreign === true) return refuseForeign(live);
    if (live !== undefined) {
      return { ok: false, code: 'conflict', words: `${definition.name} is ${live.state} already` };
    }
    const run = this.#life.create(definition, 'ad-hoc', now);
    return { ok: true, run: run.id, words: `${definition.name} starts as run ${run.number}` };
  }

  /** Starts what the configuration wants started with the agent and has never run as it is now defined. */
  autostart(now: Now): void {
    for (const definition of this.#context.settings.jobs.values()) {
      if (!definition.autostart) continue;
      const ran = this.#life.book
        .of(definition.name)
        .some((run) => runsTheSame(run.definition, definition));
      if (!ran) this.start(definition.name, 'autostart', now);
    }
  }

  cancel(job: string, by: string, graceMs: number | undefined, now: Now): Reply {
    if (this.#life.book.of(job).length === 0 && !this.#context.settings.jobs.has(job)) {
      return { ok: false, code: 'no-such-job', words: `there is no job "${job}"` };
    }
    const live = this.#life.book.liveOf(job);
    const last = live.at(-1);
    if (last?.foreign === true) return refuseForeign(last);
    if (last === undefined) {
      return { ok: false, code: 'conflict', words: `${job} is not running` };
    }
    for (const run of live) this.#life.end(run, 'operator', by, now, graceMs);
    const words =
      last.definition.tracked === undefined
        ? `${job} is being canceled (run ${last.number})`
        : `${job} is no longer tracked (run ${last.number}); the work itself is not stopped`;
    return { ok: true, run: last.id, words };
  }

  /** Ends every pipeline run, as `onTerminate: stop` wants it. */
  cancelPipelineRuns(detail: string, now: Now): void {
    for (const run of [...this.#context.ledger.liveRuns.values()]) {
      if (run.pipeline !== undefined) this.#life.end(run, 'operator', detail, now);
    }
  }
}

/** Another host may be running it, and telling of it. */
function refuseForeign(run: Run): Reply {
  return { ok: false, code: 'conflict', words: foreignWords(run) };
}

/** True where both would run the same program in the same way: what is told about it may differ. */
function runsTheSame(a: JobDefinition, b: JobDefinition): boolean {
  const how = (one: JobDefinition): string =>
    JSON.stringify([one.command, one.environment, one.workingDirectory, one.user]);
  return how(a) === how(b);
}
