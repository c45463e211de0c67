/**
 * The life of a run: made, queued, started, ended, told. One run of a job at a time holds the job; others wait in
 * order. What must be done outside is collected here and handed out after the commit.
 *
 * Who wants something of a run stands in files of their own: the operator (run-requests.ts), the host
 * (run-news.ts), the pipeline (run-leases.ts).
 */
import type { Action } from '../model/action.ts';
import type { HubTask } from '../model/hub-task.ts';
import type { SameWork } from './same-work.ts';
import { tightened } from './stop-escalation.ts';
import { fenceGraceMs } from '../scheduling/deadlines.ts';
import { isStarted, moveRun } from '../model/job.ts';
import type {
  EndCause,
  JobDefinition,
  PipelineTask,
  Run,
  RunOrigin,
  RunState,
} from '../model/job.ts';
import { isPending } from '../model/job.ts';
import { pipelineTaskKey } from '../scheduling/reporter-keys.ts';
import { shorten } from '../pipeline/task-reporter.ts';
import type { SettingsHolder } from '../model/settings.ts';
import type { ResumeHold } from '../scheduling/resume-hold.ts';
import type { Durability } from '../state/durability.ts';
import type { PersistentState } from '../state/persistent-state.ts';
import type { Timeline } from '../state/timeline.ts';
import { endText } from '../model/report.ts';
import { RunIndex } from '../state/run-index.ts';
import { isWatched, trackedFields } from '../model/tracked.ts';
import { RunTimers } from './timers.ts';
import type { Deliveries } from './deliveries.ts';
import { SECOND_MS } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';

interface Parts {
  readonly sameWork: SameWork;
  readonly state: PersistentState;
  readonly settings: SettingsHolder;
  readonly deliveries: Deliveries;
  readonly durability: Durability;
  readonly resumeHold: ResumeHold;
  readonly timeline: Timeline;
}

export class RunLifecycle {
  readonly index: RunIndex;
  readonly #parts: Parts;
  readonly #deliveries: Deliveries;
  readonly #timers = new RunTimers();
  #actions: Action[] = [];

  constructor(parts: Parts, now: Now) {
    this.#parts = parts;
    this.#deliveries = parts.deliveries;
    this.index = new RunIndex(parts.state);
    this.#recover(parts.state.runs.values(), now);
  }

  /** What was set aside as another host's is this host's after all. */
  takeOver(runs: readonly Run[], tasks: readonly HubTask[], now: Now): void {
    for (const task of tasks) this.#deliveries.recoverTask(task, now);
    this.#recover(runs, now);
  }

  #recover(runs: Iterable<Run>, now: Now): void {
    for (const run of runs) {
      this.#deliveries.recover(run);
      if (isStarted(run)) this.#findAgain(run);
      this.#timers.schedule(run, now);
    }
    for (const job of this.index.all().keys()) this.promote(job, now);
  }

  /** Asks for something outside, after the next commit. */
  act(action: Action): void {
    this.#actions.push(action);
  }

  /**
   * What must be done outside, each once. Without the commit only what may be done twice: signals and checks. The rest is
   * held, and decided anew when it can be done: a run may have ended meanwhile, and must not start then.
   */
  takeActions(isDurable: boolean): Action[] {
    const isReady = (action: Action): boolean =>
      isDurable || action.type === 'signal-tree' || action.type === 'check-tree';
    const wanted = this.#actions.filter(isStillWanted);
    this.#actions = wanted.filter((action) => !isReady(action));
    return wanted.filter(isReady);
  }

  wakeAtMs(): number | undefined {
    return this.#timers.nextMs();
  }

  create(definition: JobDefinition, origin: RunOrigin, now: Now, lease?: PipelineTask): Run {
    const number = this.index.nextNumber(definition.name);
    const run: Run = {
      id: `${definition.name}/${number}`,
      job: definition.name,
      number,
      definition,
      origin,
      state: 'queued',
      requestedAt: now,
      spawn: 1,
      ...(lease === undefined
        ? {}
        : { pipeline: { task: lease, delivery: { state: 'pending' as const } } }),
    };
    for (const old of this.index.takeOld(run.job)) {
      this.#drop(old);
    }
    this.index.add(run);
    this.#deliveries.open(run);
    this.#noteArrival(run, lease, now);
    this.changed(run, now);
    this.promote(run.job, now);
    return run;
  }

  /** The run is no longer kept. */
  forget(run: Run): void {
    this.index.remove(run);
    this.#drop(run);
  }

  #drop(run: Run): void {
    this.#parts.state.dropRun(run);
    this.#deliveries.forget(run);
    this.act({ type: 'forget-run', run });
  }

  /** What goes on since an earlier agent. What only `report` speaks of needs no looking for. */
  #findAgain(run: Run): void {
    if (isWatched(run)) this.act({ type: 'watch-run', run });
    else if (run.definition.tracked === undefined) this.act({ type: 'adopt-run', run });
  }

  #noteArrival(run: Run, lease: PipelineTask | undefined, now: Now): void {
    if (lease !== undefined) {
      const { workerGroup, attemptId } = lease;
      const fields = { workerGroup, attemptId, taskId: shorten(lease.taskId) };
      this.#parts.timeline.add('task.received', now, fields, run);
      return;
    }
    const { tracked } = run.definition;
    if (tracked === undefined)
      this.#parts.timeline.add('run.queued', now, { origin: run.origin }, run);
    else this.#parts.timeline.add('run.tracked', now, trackedFields(tracked), run);
  }

  /** Gives the job to the run that has waited longest, if nobody holds it. */
  promote(job: string, now: Now): void {
    const next = this.index.nextInLine(job);
    if (next === undefined || this.#parts.sameWork.holderOf(next) !== undefined) return;
    moveRun(next, 'starting');
    const { tracked } = next.definition;
    if (tracked === undefined) this.#parts.timeline.add('job.starting', now, {}, next);
    // What only `report` speaks of is under way as soon as it is known; the rest is looked at first.
    if (tracked?.by === 'report') this.begun(next, now);
    else this.act({ type: tracked === undefined ? 'start-run' : 'watch-run', run: next });
    this.changed(next, now);
  }

  /**
   * Begins to end a run, or ends it more strictly than it is being ended already: a later ending may shorten the grace,
   * withhold the delivery and name a stricter cause, never the reverse.
   */
  end(run: Run, cause: EndCause, detail: string, now: Now, graceMs?: number): void {
    const isOurs = cause === 'operator' || cause === 'timeout';
    // The task may be given to another host when its window ends, whatever the job's grace is.
    const ownMs = graceMs ?? run.definition.stop.graceMs;
    const limitMs = isOurs ? ownMs : Math.min(ownMs, fenceGraceMs(run, now));
    const before = run.ending;
    const ending = { cause, detail, since: now, graceMs: limitMs };
    run.ending = before === undefined ? ending : tightened(before, ending, graceMs !== undefined);
    if (!isOurs) this.withhold(run, detail);
    if (run.ending === before) return;
    this.#parts.timeline.add('cancel.received', now, { cause, detail }, run);
    if (before !== undefined) {
      this.changed(run, now);
      return;
    }
    if (run.state === 'queued') {
      this.finish(run, endState(run), now);
      return;
    }
    moveRun(run, 'canceling');
    if (run.definition.tracked !== undefined) {
      // Whoever runs it ends it: the agent signals nothing that it has not started.
      this.finish(run, endState(run), now);
      return;
    }
    this.#escalate(run, now);
    this.changed(run, now);
  }

  /** The run is under way. */
  begun(run: Run, now: Now): void {
    run.startedAt ??= now;
    run.progressAt ??= now;
    if (run.state === 'starting') moveRun(run, 'running');
  }

  finish(run: Run, state: RunState, now: Now): void {
    moveRun(run, state);
    run.endedAt = now;
    this.#parts.durability.runEnded(run.id);
    delete run.problem;
    if (isWatched(run)) this.act({ type: 'release-run', run });
    if (state === 'succeeded') run.percent = 100;
    this.#deliveries.close(run, now);
    this.#parts.timeline.add('run.ended', now, { state, message: endText(run) }, run);
    this.changed(run, now);
    this.promote(run.job, now);
    this.#promoteHeld(run, now);
  }

  /** Runs of other jobs that waited for this one. */
  #promoteHeld(ended: Run, now: Now): void {
    for (const { job } of this.#parts.sameWork.waitingFor(ended)) this.promote(job, now);
  }

  /** Call after every change of a run: it is kept, its timers are set, whoever speaks for it looks again. */
  changed(run: Run, now: Now): void {
    this.#parts.state.saveRun(run);
    this.#timers.schedule(run, now);
    this.#deliveries.touch(run);
  }

  /** The run works for another task now, and has a window of its own again. */
  leaseAgain(run: Run, task: PipelineTask, now: Now): void {
    run.pipeline = { task, delivery: { state: 'pending' } };
    this.#deliveries.addPipelineTask(run);
    this.#timers.fenceAgain(run);
    this.changed(run, now);
  }

  /** A change that need not be on disk now. */
  touched(run: Run, now: Now): void {
    this.#parts.state.touchRun(run);
    this.#timers.schedule(run, now);
    this.#deliveries.touch(run);
  }

  /** Nothing more is said to the pipeline about this run: the task is canceled, or may be somebody else's. */
  withhold(run: Run, reason: string): void {
    if (run.pipeline !== undefined && isPending(run.pipeline.delivery)) {
      run.pipeline.delivery = { state: 'withheld', reason };
      this.#parts.resumeHold.forget(pipelineTaskKey(run.id));
    }
  }

  /** Everything that time alone changes: windows, timeouts, stalls, escalation steps. */
  timePassed(now: Now): void {
    for (;;) {
      const id = this.#timers.takeDue(now);
      if (id === undefined) return;
      const run = this.index.live(id);
      if (run !== undefined) this.#timeCame(run, now);
    }
  }

  /** The settings changed: windows and graces may have, and names of jobs. */
  settingsChanged(now: Now): void {
    this.#parts.sameWork.settingsChanged();
    for (const run of this.#parts.state.liveRuns.values()) this.#timers.schedule(run, now);
  }

  #timeCame(run: Run, now: Now): void {
    switch (this.#timers.due(run, now)) {
      case 'step':
        this.#escalate(run, now);
        break;
      case 'fence':
        this.#fence(run, now);
        break;
      case 'timeout': {
        const timeoutS = Math.round((run.definition.timeoutMs ?? 0) / SECOND_MS);
        this.#parts.timeline.add('job.timeout', now, { timeoutS }, run);
        this.end(run, 'timeout', `it ran longer than ${timeoutS} s`, now);
        break;
      }
      case 'tree-check':
        this.act({ type: 'check-tree', run });
        this.#timers.schedule(run, now);
        break;
      case 'stall': {
        run.stalled = true;
        const noProgressForS = Math.round((run.definition.stallAfterMs ?? 0) / SECOND_MS);
        this.#parts.timeline.add('job.stalled', now, { noProgressForS }, run);
        this.changed(run, now);
        break;
      }
      case undefined:
        this.#timers.schedule(run, now);
        break;
    }
  }

  /** P3: no report was accepted for the whole window, so the task may be somebody else's. */
  #fence(run: Run, now: Now): void {
    const policy = this.#parts.settings.current.dataPipeline?.onFence ?? 'stop';
    const heardAt = run.pipeline?.acceptedAt ?? run.pipeline?.task.receivedAt ?? now;
    const silentS = Math.round((now.bootMs - heardAt.bootMs) / SECOND_MS);
    this.#parts.timeline.add('lease.fenced', now, { silentS, policy }, run);
    if (policy === 'continue' && isStarted(run)) {
      this.#timers.unfence(run);
      this.#timers.schedule(run, now);
    } else {
      this.end(run, 'fence', `no report was accepted for ${silentS} s`, now);
      this.#timers.schedule(run, now);
    }
  }

  #escalate(run: Run, now: Now): void {
    switch (this.#timers.takeStep(run, now)) {
      case 'signal':
        this.act({ type: 'signal-tree', run, signal: run.definition.stop.signal });
        break;
      case 'check':
        this.act({ type: 'check-tree', run });
        break;
      case 'kill':
        this.act({ type: 'signal-tree', run, signal: 'SIGKILL' });
        break;
      case 'give-up':
        run.survivors ??= [];
        this.#parts.timeline.add('cancel.incomplete', now, { survivors: run.survivors }, run);
        this.finish(run, endState(run), now);
        return;
      case undefined:
        break;
    }
    this.#timers.schedule(run, now);
  }
}

/** False: the run has moved on since the action was asked for, so that it would do harm or nothing. */
function isStillWanted(action: Action): boolean {
  if (action.type === 'start-run') return action.run.state === 'starting';
  if (action.type === 'adopt-run' || action.type === 'watch-run') return isStarted(action.run);
  return true;
}

/** The state of a run that was ended: fenced if its task may be another host's. */
export function endState(run: Run): RunState {
  return run.ending?.cause === 'fence' || run.ending?.cause === 'gone' ? 'fenced' : 'canceled';
}
