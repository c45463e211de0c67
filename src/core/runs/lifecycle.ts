/**
 * The life of a run: created, queued, started, ended, reported. One run of a job at a time holds the job; others wait in
 * order. Actions are collected here and performed after the commit.
 *
 * What changes a run from outside is in files of its own: the operator (requests.ts), the host (host-events.ts), the
 * pipeline (task-leases.ts), time (timers.ts).
 */
import { defined } from '../lib/defined.ts';
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

/** They change nothing that an earlier agent has not put on disk. */
const REPEATABLE: readonly Action['type'][] = [
  'signal-tree',
  'check-tree',
  'adopt-run',
  'watch-run',
];

export class RunLifecycle {
  readonly index: RunIndex;
  readonly #parts: Parts;
  readonly #deliveries: Deliveries;
  readonly #timers = new RunTimers();
  /** Runs whose start waits until AWS has confirmed their tasks. */
  readonly #unconfirmedStarts = new Set<string>();
  #actions: Action[] = [];

  constructor(parts: Parts, now: Now) {
    this.#parts = parts;
    this.#deliveries = parts.deliveries;
    this.index = new RunIndex(parts.state);
    this.#recover(parts.state.runs.values(), now);
  }

  /** Continues with runs and tasks that were set aside as another host's and are this host's after all. */
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

  /** Requests an action after the next commit. */
  act(action: Action): void {
    this.#actions.push(action);
  }

  /**
   * The requested actions, each once. Without a commit only those that may be done twice: signals, checks, and finding what an
   * earlier agent left (an agent that starts on a full disk sees how its jobs end). The others are held, and dropped if they are
   * no longer wanted: a run that has ended meanwhile must not start.
   */
  takeActions(isDurable: boolean): Action[] {
    const isReady = ({ type }: Action): boolean => isDurable || REPEATABLE.includes(type);
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

  /**
   * The start that was decided never happened, and no shim will make it any more: another spawn does, after AWS has confirmed
   * that the task is still this host's.
   */
  startAnew(run: Run, now: Now): void {
    if (run.pipeline?.unconfirmedSince !== undefined) {
      this.#unconfirmedStarts.add(run.id);
      return;
    }
    run.spawn++;
    this.act({ type: 'start-run', run });
    this.changed(run, now);
  }

  startConfirmed(run: Run, now: Now): void {
    const isWaiting = this.#unconfirmedStarts.delete(run.id);
    if (isWaiting && run.state === 'starting') this.startAnew(run, now);
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

  /** Finds a run of an earlier agent. Work that is known by `report` only is not watched. */
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

  /** Starts the run that has waited longest, if no other run holds the job. */
  promote(job: string, now: Now): void {
    const next = this.index.nextInLine(job);
    if (next === undefined || this.#parts.sameWork.holderOf(next) !== undefined) return;
    moveRun(next, 'starting');
    const { tracked } = next.definition;
    if (tracked === undefined) this.#parts.timeline.add('job.starting', now, {}, next);
    // Work that is known by `report` only is running at once; other tracked work is looked at first.
    if (tracked?.by === 'report') this.begun(next, now);
    else this.act({ type: tracked === undefined ? 'start-run' : 'watch-run', run: next });
    this.changed(next, now);
  }

  /**
   * Begins to stop a run, or stops it more strictly than before: a later ending may shorten the grace, withhold the
   * delivery and name a stricter cause, never the reverse.
   */
  end(run: Run, cause: EndCause, detail: string, now: Now, graceMs?: number): void {
    const isOurs = cause === 'operator' || cause === 'timeout';
    // AWS may give the task to another host when its window ends, whatever the job's grace is.
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
      // The agent signals nothing that it has not started.
      this.finish(run, endState(run), now);
      return;
    }
    this.#escalate(run, now);
    this.changed(run, now);
  }

  /** The host has sent SIGKILL to the run's tree. */
  killed(run: Run, now: Now): void {
    this.#timers.killed(run, now);
  }

  /** The run's work has begun. */
  begun(run: Run, now: Now): void {
    run.startedAt ??= now;
    run.progressAt ??= now;
    if (run.state === 'starting') moveRun(run, 'running');
  }

  finish(run: Run, state: RunState, now: Now): void {
    moveRun(run, state);
    run.endedAt = now;
    this.#parts.durability.runEnded(run.id);
    this.#unconfirmedStarts.delete(run.id);
    delete run.problem;
    if (isWatched(run)) this.act({ type: 'release-run', run });
    if (state === 'succeeded') run.percent = 100;
    this.#deliveries.close(run, now);
    this.#parts.timeline.add('run.ended', now, { state, message: endText(run) }, run);
    this.changed(run, now);
    this.promote(run.job, now);
    this.#promoteHeld(run, now);
  }

  /** Starts runs of other jobs that waited for this one. */
  #promoteHeld(ended: Run, now: Now): void {
    for (const { job } of this.#parts.sameWork.waitingFor(ended)) this.promote(job, now);
  }

  /** Call after every change of a run: it is saved, its timers are set, and its reporters are touched. */
  changed(run: Run, now: Now): void {
    this.#parts.state.saveRun(run);
    this.#timers.schedule(run, now);
    this.#deliveries.touch(run);
  }

  /** The run works for another task now, with a new window. */
  leaseAgain(run: Run, task: PipelineTask, now: Now): void {
    run.pipeline = { task, delivery: { state: 'pending' } };
    this.#deliveries.addPipelineTask(run);
    this.#timers.fenceAgain(run);
    this.changed(run, now);
  }

  /** A change that the next agent would find out again: it need not be on disk now. */
  touched(run: Run, now: Now): void {
    this.#parts.state.holdRun(run, now);
    this.#timers.schedule(run, now);
    this.#deliveries.touch(run);
  }

  /** The percent is higher: it need not be on disk before it is reported. */
  progressed(run: Run, now: Now): void {
    this.touched(run, now);
    this.#parts.state.holdProgress(run, now);
  }

  /** Nothing more of this run is reported to the pipeline: the task is canceled, or may belong to another host. */
  withhold(run: Run, reason: string): void {
    if (run.pipeline !== undefined && isPending(run.pipeline.delivery)) {
      run.pipeline.delivery = { state: 'withheld', reason };
      this.#parts.resumeHold.forget(pipelineTaskKey(run.id));
    }
  }

  /** Handles everything that is due because of time: windows, timeouts, stalls, escalation steps. */
  timePassed(now: Now): void {
    for (;;) {
      const id = this.#timers.takeDue(now);
      if (id === undefined) return;
      const run = this.index.live(id);
      if (run !== undefined) this.#timeCame(run, now);
    }
  }

  /** The settings changed, and with them perhaps windows, graces and names of jobs. */
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

  /** P3: no report was accepted for the whole window, so the task may belong to another host. */
  #fence(run: Run, now: Now): void {
    const policy = this.#parts.settings.current.dataPipeline?.onFence ?? 'stop';
    const lastAt = run.pipeline?.acceptedAt ?? run.pipeline?.task.receivedAt ?? now;
    const silentS = Math.round((now.bootMs - lastAt.bootMs) / SECOND_MS);
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
        this.#parts.timeline.add(
          'cancel.incomplete',
          now,
          defined({ survivors: run.survivors, reason: run.survivorsDoubt }),
          run,
        );
        this.finish(run, endState(run), now);
        return;
      case undefined:
        break;
    }
    this.#timers.schedule(run, now);
  }
}

/** False if the run's state has changed since the action was requested, so that it would do harm or nothing. */
function isStillWanted(action: Action): boolean {
  if (action.type === 'start-run') return action.run.state === 'starting';
  if (action.type === 'adopt-run' || action.type === 'watch-run') return isStarted(action.run);
  return true;
}

/** The state of a run that was stopped: fenced if its task may belong to another host. */
export function endState(run: Run): RunState {
  return run.ending?.cause === 'fence' || run.ending?.cause === 'gone' ? 'fenced' : 'canceled';
}
