/**
 * The life of runs: from the wish that a job be started to its last word. One run of a job at a time holds the
 * job; others wait in order. What must be done outside is collected here and handed out after the commit.
 */
import type { Action, Reply } from './action.ts';
import type { PolledTask } from './call.ts';
import type { Context } from './context.ts';
import { Telling } from './telling.ts';
import { isFinal, isStarted, moveRun } from './job.ts';
import type {
  EndCause,
  JobDefinition,
  PipelineTask,
  ProcessIdentity,
  Run,
  RunOrigin,
  RunState,
} from './job.ts';
import type { LeaseNews } from './pipeline-task.ts';
import { shorten } from './pipeline-task.ts';
import { assignment, instanceKey, windowMs } from './polled-task.ts';
import { endWords } from './report.ts';
import { RunBook } from './run-book.ts';
import { RunTimers } from './run-timers.ts';
import { SECOND_MS } from './time.ts';
import type { Now } from './time.ts';

export class Runs {
  readonly #context: Context;
  readonly #telling: Telling;
  readonly #book: RunBook;
  readonly #timers = new RunTimers();
  #actions: Action[] = [];

  constructor(context: Context, now: Now) {
    this.#context = context;
    this.#telling = new Telling(context, (run, news, reason, at) =>
      this.#leaseNews(run, news, reason, at),
    );
    this.#book = new RunBook(context.ledger);
    for (const run of context.ledger.runs.values()) {
      this.#telling.recover(run);
      if (isStarted(run)) this.#actions.push({ type: 'adopt-run', run });
      this.#timers.schedule(run, now);
    }
    for (const job of this.#book.all().keys()) this.#promote(job, now);
  }

  /** What must be done outside, each once. Call after the commit. */
  takeActions(): Action[] {
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }

  wakeAtMs(): number | undefined {
    return this.#timers.nextMs();
  }

  get book(): RunBook {
    return this.#book;
  }

  start(job: string, origin: RunOrigin, now: Now): Reply {
    const definition = this.#context.settings.jobs.get(job) ?? this.#book.adHocDefinition(job);
    if (definition === undefined) {
      return { ok: false, code: 'no-such-job', words: `there is no job "${job}"` };
    }
    const [live] = this.#book.liveOf(job);
    if (live !== undefined) {
      return {
        ok: false,
        code: 'conflict',
        words: `${job} is ${live.state} already (run ${live.number})`,
      };
    }
    const run = this.#create(definition, origin, now);
    return { ok: true, run: run.id, words: `${job} starts as run ${run.number}` };
  }

  submit(definition: JobDefinition, now: Now): Reply {
    if (this.#context.settings.jobs.has(definition.name)) {
      const words = `"${definition.name}" is a job of the configuration: start it by its name`;
      return { ok: false, code: 'conflict', words };
    }
    const [live] = this.#book.liveOf(definition.name);
    if (live !== undefined) {
      return { ok: false, code: 'conflict', words: `${definition.name} is ${live.state} already` };
    }
    const run = this.#create(definition, 'ad-hoc', now);
    return { ok: true, run: run.id, words: `${definition.name} starts as run ${run.number}` };
  }

  /** Starts what the configuration wants started with the agent and has never run as it is now defined. */
  autostart(now: Now): void {
    for (const definition of this.#context.settings.jobs.values()) {
      if (!definition.autostart) continue;
      const ran = this.#book
        .of(definition.name)
        .some((run) => runsTheSame(run.definition, definition));
      if (!ran) this.start(definition.name, 'autostart', now);
    }
  }

  cancel(job: string, by: string, graceMs: number | undefined, now: Now): Reply {
    if (this.#book.of(job).length === 0 && !this.#context.settings.jobs.has(job)) {
      return { ok: false, code: 'no-such-job', words: `there is no job "${job}"` };
    }
    const live = this.#book.liveOf(job);
    const last = live.at(-1);
    if (last === undefined) {
      return { ok: false, code: 'conflict', words: `${job} is not running` };
    }
    for (const run of live) this.#end(run, 'operator', by, now, graceMs);
    return { ok: true, run: last.id, words: `${job} is being canceled (run ${last.number})` };
  }

  /** Ends every pipeline run, as `onTerminate: stop` wants it. */
  cancelPipelineRuns(detail: string, now: Now): void {
    for (const run of [...this.#context.ledger.liveRuns.values()]) {
      if (run.pipeline !== undefined) this.#end(run, 'operator', detail, now);
    }
  }

  /** A task that a poll brought. The run is on disk before the task is acknowledged. */
  receive(task: PolledTask, workerGroup: string, now: Now): void {
    const { dataPipeline } = this.#context.settings;
    if (dataPipeline === undefined) return;
    const lease: PipelineTask = {
      taskId: task.taskId,
      pipelineId: task.pipelineId,
      attemptId: task.attemptId,
      instance: instanceKey(task),
      workerGroup,
      windowMs: windowMs(task, dataPipeline),
      receivedAt: now,
    };
    const assigned = assignment(task, this.#context.settings);
    const definition =
      assigned.kind === 'run' ? assigned.definition : refusedDefinition(assigned.name);
    if (this.#rebind(definition.name, lease, now)) return;
    const run = this.#create(definition, 'pipeline', now, lease);
    if (assigned.kind === 'refuse') {
      run.reason = assigned.reason;
      this.#context.note('task.refused', now, { reason: assigned.reason }, run);
      this.#finish(run, 'failed', now);
    }
  }

  started(id: string, process: ProcessIdentity, now: Now): void {
    const run = this.#book.live(id);
    if (run === undefined) return;
    const isAdopted = run.process !== undefined;
    run.process = process;
    run.startedAt ??= now;
    run.progressAt ??= now;
    if (run.state === 'starting') moveRun(run, 'running');
    this.#context.note(isAdopted ? 'job.adopted' : 'job.started', now, { pid: process.pid }, run);
    this.#changed(run, now);
  }

  startFailed(id: string, reason: string, now: Now): void {
    const run = this.#book.live(id);
    if (run === undefined) return;
    run.reason = reason;
    this.#context.note('job.start_failed', now, { reason }, run);
    this.#finish(run, run.state === 'canceling' ? endState(run) : 'failed', now);
  }

  /** The start had been decided by an earlier agent and provably never happened: it is made now. */
  neverStarted(id: string, now: Now): void {
    const run = this.#book.live(id);
    if (run === undefined) return;
    if (run.state === 'canceling') {
      this.#finish(run, endState(run), now);
      return;
    }
    run.spawn++;
    this.#actions.push({ type: 'start-run', run });
    this.#changed(run, now);
  }

  progress(id: string, percent: number | undefined, detail: string | undefined, now: Now): void {
    const run = this.#book.live(id);
    if (run === undefined) return;
    // Never 100 before the job has ended well, never lower than it was (DESIGN.md, section 3).
    const whole =
      percent === undefined ? undefined : Math.min(99, Math.max(0, Math.floor(percent)));
    const isHigher = whole !== undefined && whole > (run.percent ?? -1);
    const isOther = detail !== undefined && detail !== run.detail;
    if (!isHigher && !isOther) return;
    if (isHigher) run.percent = whole;
    if (isOther) run.detail = detail;
    run.progressAt = now;
    delete run.stalled;
    // Not kept on disk now: it is with the next accepted report, and a lost percent is read again.
    this.#timers.schedule(run, now);
    this.#telling.touch(run);
  }

  exited(
    id: string,
    exitCode: number,
    signal: string | undefined,
    tail: string | undefined,
    now: Now,
  ): void {
    const run = this.#book.live(id);
    if (run === undefined) return;
    run.exitCode = exitCode;
    if (signal !== undefined) run.exitSignal = signal;
    if (tail !== undefined && tail !== '') run.errorTail = tail;
    this.#context.note('job.exited', now, { exitCode, signal }, run);
    if (run.state === 'canceling') {
      // The leader is gone; whether the tree is must be seen.
      this.#actions.push({ type: 'check-tree', run });
      this.#changed(run, now);
      return;
    }
    if (run.state === 'starting') moveRun(run, 'running');
    run.startedAt ??= now;
    if (exitCode !== 0) run.reason = exitReason(exitCode, signal, tail);
    this.#finish(run, exitCode === 0 ? 'succeeded' : 'failed', now);
  }

  lost(id: string, reason: string, now: Now): void {
    const run = this.#book.live(id);
    if (run === undefined) return;
    run.reason = reason;
    this.#context.note('job.lost', now, { reason }, run);
    if (run.state === 'canceling') {
      this.#actions.push({ type: 'check-tree', run });
      this.#changed(run, now);
      return;
    }
    this.#finish(run, 'lost', now);
  }

  signalled(id: string, signal: string, processes: number, now: Now): void {
    const run = this.#book.live(id);
    if (run !== undefined) this.#context.note('tree.signalled', now, { signal, processes }, run);
  }

  /** Proof of P4: a run that is being ended has ended when nobody of its tree is alive. */
  checked(id: string, survivors: readonly number[], now: Now): void {
    const run = this.#book.live(id);
    if (run?.state !== 'canceling') return;
    run.survivors = survivors;
    if (survivors.length > 0) return;
    delete run.survivors;
    this.#context.note('tree.empty', now, {}, run);
    this.#finish(run, endState(run), now);
  }

  /** Everything that time alone changes: windows, timeouts, stalls, the rungs of a ladder. */
  timePassed(now: Now): void {
    for (;;) {
      const id = this.#timers.takeDue(now);
      if (id === undefined) return;
      const run = this.#book.live(id);
      if (run !== undefined) this.#timeCame(run, now);
    }
  }

  /** The settings changed: windows and graces may have. */
  reschedule(now: Now): void {
    for (const run of this.#context.ledger.liveRuns.values()) this.#timers.schedule(run, now);
  }

  #timeCame(run: Run, now: Now): void {
    switch (this.#timers.due(run, now)) {
      case 'rung':
        this.#climb(run, now);
        break;
      case 'fence':
        this.#fence(run, now);
        break;
      case 'timeout': {
        const timeoutS = Math.round((run.definition.timeoutMs ?? 0) / SECOND_MS);
        this.#context.note('job.timeout', now, { timeoutS }, run);
        this.#end(run, 'timeout', `it ran longer than ${timeoutS} s`, now);
        break;
      }
      case 'stall': {
        run.stalled = true;
        const noProgressForS = Math.round((run.definition.stallAfterMs ?? 0) / SECOND_MS);
        this.#context.note('job.stalled', now, { noProgressForS }, run);
        this.#changed(run, now);
        break;
      }
      case undefined:
        this.#timers.schedule(run, now);
        break;
    }
  }

  /** P3: no report was accepted for the whole window, so the task may be somebody else's. */
  #fence(run: Run, now: Now): void {
    const policy = this.#context.settings.dataPipeline?.onFence ?? 'stop';
    const acceptedAt = run.pipeline?.acceptedAt;
    const silentS = Math.round((now.bootMs - (acceptedAt ?? now).bootMs) / SECOND_MS);
    this.#context.note('lease.fenced', now, { silentS, policy }, run);
    if (policy === 'continue' && acceptedAt !== undefined) {
      this.#timers.unfence(run);
      this.#timers.schedule(run, now);
    } else {
      this.#end(run, 'fence', `no report was accepted for ${silentS} s`, now);
    }
  }

  #climb(run: Run, now: Now): void {
    switch (this.#timers.climb(run, now)) {
      case 'signal':
        this.#actions.push({ type: 'signal-tree', run, signal: run.definition.stop.signal });
        break;
      case 'check':
        this.#actions.push({ type: 'check-tree', run });
        break;
      case 'kill':
        this.#actions.push({ type: 'signal-tree', run, signal: 'SIGKILL' });
        break;
      case 'give-up':
        this.#context.note('cancel.incomplete', now, { survivors: run.survivors ?? [] }, run);
        this.#finish(run, endState(run), now);
        return;
      case undefined:
        break;
    }
    this.#timers.schedule(run, now);
  }

  #leaseNews(run: Run, news: LeaseNews, reason: string, now: Now): void {
    switch (news) {
      case 'acknowledged':
        this.#context.note('lease.acknowledged', now, {}, run);
        this.#promote(run.job, now);
        this.#changed(run, now);
        break;
      case 'canceled':
        this.#withhold(run, 'the service canceled the task');
        if (!isFinal(run.state)) this.#end(run, 'service', reason, now);
        this.#changed(run, now);
        break;
      case 'gone': {
        const isStopping = this.#context.settings.dataPipeline?.onFence !== 'continue';
        this.#context.note('lease.gone', now, { reason }, run);
        this.#withhold(run, reason);
        if (!isFinal(run.state) && (isStopping || !isStarted(run)))
          this.#end(run, 'gone', reason, now);
        this.#changed(run, now);
        break;
      }
    }
  }

  /** Nothing more is said to the pipeline about this run: the task is canceled, or may be somebody else's. */
  #withhold(run: Run, reason: string): void {
    if (run.pipeline?.delivery.state === 'pending')
      run.pipeline.delivery = { state: 'withheld', reason };
  }

  /** The same attempt handed out again is the same work: it keeps its run, and its end is told again. */
  #rebind(job: string, lease: PipelineTask, now: Now): boolean {
    for (const run of this.#book.of(job)) {
      if (run.pipeline?.task.instance !== lease.instance) continue;
      if (run.pipeline.task.attemptId === lease.attemptId && hasItsOwnEnd(run)) {
        run.pipeline = { task: lease, delivery: { state: 'pending' } };
        this.#context.note('task.rebound', now, { taskId: shorten(lease.taskId) }, run);
        this.#telling.addPipelineTask(run);
        this.#timers.fenceAgain(run);
        this.#changed(run, now);
        return true;
      }
      if (!isFinal(run.state)) {
        // Another attempt of the same instance: the service has given up on this one.
        this.#end(run, 'fence', `the service began ${lease.attemptId}`, now);
      }
    }
    return false;
  }

  #create(definition: JobDefinition, origin: RunOrigin, now: Now, lease?: PipelineTask): Run {
    const number = this.#book.nextNumber(definition.name);
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
    for (const old of this.#book.takeOld(run.job)) {
      this.#telling.forget(old);
      this.#context.ledger.dropRun(old);
    }
    this.#book.add(run);
    this.#telling.open(run);
    this.#context.note(
      lease === undefined ? 'run.queued' : 'task.received',
      now,
      lease === undefined
        ? { origin }
        : {
            workerGroup: lease.workerGroup,
            attemptId: lease.attemptId,
            taskId: shorten(lease.taskId),
          },
      run,
    );
    this.#changed(run, now);
    this.#promote(run.job, now);
    return run;
  }

  /** Gives the job to the run that has waited longest, if nobody holds it. */
  #promote(job: string, now: Now): void {
    const next = this.#book.nextInLine(job);
    if (next === undefined) return;
    moveRun(next, 'starting');
    this.#context.note('job.starting', now, {}, next);
    this.#actions.push({ type: 'start-run', run: next });
    this.#changed(next, now);
  }

  /** Begins to end a run; the first reason wins. */
  #end(run: Run, cause: EndCause, detail: string, now: Now, graceMs?: number): void {
    if (run.ending !== undefined) return;
    run.ending = { cause, detail, since: now, graceMs: graceMs ?? run.definition.stop.graceMs };
    if (cause === 'fence' || cause === 'gone' || cause === 'service') this.#withhold(run, detail);
    this.#context.note('cancel.received', now, { cause, detail }, run);
    if (run.state === 'queued') {
      this.#finish(run, endState(run), now);
      return;
    }
    moveRun(run, 'canceling');
    this.#climb(run, now);
    this.#changed(run, now);
  }

  #finish(run: Run, state: RunState, now: Now): void {
    moveRun(run, state);
    run.endedAt = now;
    if (state === 'succeeded') run.percent = 100;
    this.#telling.close(run, now);
    this.#context.note('run.ended', now, { state, words: endWords(run) }, run);
    this.#changed(run, now);
    this.#promote(run.job, now);
  }

  #changed(run: Run, now: Now): void {
    this.#context.ledger.keepRun(run);
    this.#timers.schedule(run, now);
    this.#telling.touch(run);
  }
}

function endState(run: Run): RunState {
  return run.ending?.cause === 'fence' || run.ending?.cause === 'gone' ? 'fenced' : 'canceled';
}

/** A run that lives or ended by itself has an end to tell; one that was fenced or canceled must run anew. */
function hasItsOwnEnd(run: Run): boolean {
  return run.state !== 'canceled' && run.state !== 'fenced' && run.state !== 'canceling';
}

function exitReason(
  exitCode: number,
  signal: string | undefined,
  tail: string | undefined,
): string {
  const how = signal === undefined ? `exit code ${exitCode}` : `ended by ${signal}`;
  const last = tail?.trimEnd().split('\n').at(-1)?.trim();
  return last === undefined || last === '' ? how : `${how}: ${last}`;
}

/** True where both would run the same program in the same way: what is told about it may differ. */
function runsTheSame(a: JobDefinition, b: JobDefinition): boolean {
  const how = (one: JobDefinition): string =>
    JSON.stringify([one.command, one.environment, one.workingDirectory, one.user]);
  return how(a) === how(b);
}

/** Stands for a task that this host does not allow, so that it has a place in `status` and a timeline. */
function refusedDefinition(name: string): JobDefinition {
  return {
    name,
    command: [],
    environment: {},
    autostart: false,
    progress: { parser: 'none' },
    stop: { signal: 'SIGTERM', graceMs: 30 * SECOND_MS },
  };
}
