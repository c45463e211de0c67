/**
 * The same work under two names. A reload may rename a job, or map an activity to another job, while a run is live under
 * the old name: the work does not start a second time before that run has ended (P3).
 */
import { isFinal, isStarted } from '../model/job.ts';
import type { JobDefinition, Run } from '../model/job.ts';
import type { SettingsHolder } from '../model/settings.ts';
import type { PersistentState } from '../state/persistent-state.ts';

interface Parts {
  readonly state: PersistentState;
  readonly settings: SettingsHolder;
}

export class SameWork {
  readonly #parts: Parts;
  /** Live runs, queued ones too, of jobs that the configuration named once and names no more; nearly always none. */
  #renamed: Run[] = [];

  constructor(parts: Parts) {
    this.#parts = parts;
    this.settingsChanged();
  }

  settingsChanged(): void {
    const { settings, state } = this.#parts;
    this.#renamed = [...state.liveRuns.values()].filter(
      (run) => wasConfigured(run) && !settings.current.jobs.has(run.job),
    );
  }

  /**
   * A live run under another name that does what a run with this definition would do. Two names that the configuration has at
   * the same time are two jobs, even with the same command; of two names that it had one after the other, one has gone.
   */
  runningAs(definition: JobDefinition): Run | undefined {
    const { settings, state } = this.#parts;
    this.#renamed = this.#renamed.filter((run) => !isFinal(run.state));
    const isNamed = settings.current.jobs.has(definition.name);
    const candidates = isNamed ? this.#renamed : [...state.liveRuns.values()].filter(wasConfigured);
    return candidates.find(
      (run) =>
        run.job !== definition.name && isStarted(run) && runsTheSame(run.definition, definition),
    );
  }

  /** The run that has to end before this one may start. */
  holderOf(next: Run): Run | undefined {
    const renamed = wasConfigured(next) ? this.runningAs(next.definition) : undefined;
    return renamed ?? this.#instanceHolder(next);
  }

  /** Queued runs that may have waited for this one. */
  waitingFor(ended: Run): Run[] {
    const { liveRuns, livePipelineRuns } = this.#parts.state;
    if (ended.pipeline === undefined && !wasConfigured(ended)) return [];
    const candidates =
      this.#renamed.length > 0
        ? [...liveRuns.values()]
        : [...livePipelineRuns].flatMap((id) => liveRuns.get(id) ?? []);
    return candidates.filter(
      (run) =>
        run.state === 'queued' &&
        run.job !== ended.job &&
        (isSameInstance(run, ended) || runsTheSame(run.definition, ended.definition)),
    );
  }

  #instanceHolder(next: Run): Run | undefined {
    if (next.pipeline === undefined) return undefined;
    const { copiedHostRuns, livePipelineRuns, liveRuns } = this.#parts.state;
    const live = [...livePipelineRuns].flatMap((id) => liveRuns.get(id) ?? []);
    return [...live, ...copiedHostRuns.values()].find(
      (run) => run.job !== next.job && isStarted(run) && isSameInstance(run, next),
    );
  }
}

/** A run of a job that the configuration names or named: not ad hoc, not tracked, not a pipeline's own command. */
function wasConfigured({ definition, job, origin, pipeline }: Run): boolean {
  if (definition.tracked !== undefined || origin === 'ad-hoc') return false;
  return pipeline === undefined || !job.startsWith(`${pipeline.task.pipelineId}.`);
}

function isSameInstance(a: Run, b: Run): boolean {
  return a.pipeline !== undefined && a.pipeline.task.instance === b.pipeline?.task.instance;
}

/** True if both run the same program in the same way; what is reported about them may differ. */
export function runsTheSame(a: JobDefinition, b: JobDefinition): boolean {
  const how = ({ command, environment, workingDirectory, user }: JobDefinition): string =>
    JSON.stringify([command, environment, workingDirectory, user]);
  return how(a) === how(b);
}
