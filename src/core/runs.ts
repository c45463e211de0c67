/**
 * The life of runs: from the wish that a job be started to its last word. One run of a job at a time holds the
 * job; others wait in order. What must be done outside is collected here and handed out after the commit.
 */
import type { Action, Reply } from './action.ts';
import type { PolledTask } from './call.ts';
import { nextRung } from './cancel.ts';
import type { Climb } from './cancel.ts';
import type { Context } from './context.ts';
import { fenceAtMs } from './deadlines.ts';
import { Heap } from './heap.ts';
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
import { SECOND_MS } from './time.ts';
import type { Instant, Now } from './time.ts';

/** Ended runs of one job that are kept for `status` and `events`; older ones go when nothing is owed. */
const RUNS_KEPT_MAX = 20;

export class Runs {
  readonly #context: Context;
  readonly #telling: Telling;
  readonly #byJob = new Map<string, Run[]>();
  /** When time alone changes a run. */
  readonly #timers = new Heap<string>();
  readonly #climbs = new Map<string, Climb>();
  /** Runs with onFence: continue whose window ended: told once. */
  readonly #unfenced = new Set<string>();
  #actions: Action[] = [];

  constructor(context: Context, now: Now) {
    this.#context = context;
    this.#telling = new Telling(context, (run, news, reason, at) =>
      this.#leaseNews(run, news, reason, at),
    );
    const known = [...context.ledger.runs.values()];
    for (const run of known.toSorted((a, b) => a.number - b.number)) {
      this.#runsOf(run.job).push(run);
      this.#telling.recover(run);
      if (isStarted(run)) this.#actions.push({ type: 'adopt-run', run });
      this.#schedule(run, now);
    }
    for (const job of this.#byJob.keys()) this.#promote(job, now);
  }

  /** What must be done outside, each once. Call after the commit. */
  takeActions(): Action[] {
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }

  wakeAtMs(): number | undefined {
    return this.#timers.peek()?.rank;
  }

  /** Every job that ever ran here, with its runs, oldest first. */
  all(): ReadonlyMap<string, readonly Run[]> {
    return this.#byJob;
  }

  /** Pipeline tasks that take up a place here: those whose job may still run. */
  pipelineRuns(): number {
    let count = 0;
    for (const run of this.#context.ledger.liveRuns.values())
      if (run.pipeline !== undefined) count++;
    return count;
  }

  start(job: string, origin: RunOrigin, now: Now): Reply {
    const runs = this.#byJob.get(job);
    const definition = this.#context.settings.jobs.get(job) ?? adHocDefinition(runs);
    if (definition === undefined) {
      return { ok: false, code: 'no-such-job', words: `there is no job "${job}"` };
    }
    const live = runs?.find((run) => !isFinal(run.state));
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
    const live = this.#byJob.get(definition.name)?.find((run) => !isFinal(run.state));
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
      const ran = this.#byJob
        .get(definition.name)
        ?.some((run) => runsTheSame(run.definition, definition));
      if (ran !== true) this.start(definition.name, 'autostart', now);
    }
  }

  cancel(job: string, by: string, graceMs: number | undefined, now: Now): Reply {
    const runs = this.#byJob.get(job);
    if (runs === undefined && !this.#context.settings.jobs.has(job)) {
      return { ok: false, code: 'no-such-job', words: `there is no job "${job}"` };
    }
    const live = (runs ?? []).filter((run) => !isFinal(run.state));
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
    const run = this.#live(id);
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
    const run = this.#live(id);
    if (run === undefined) return;
    run.reason = reason;
    this.#context.note('job.start_failed', now, { reason }, run);
    this.#finish(run, run.state === 'canceling' ? endState(run) : 'failed', now);
  }

  /** The start had been decided by an earlier agent and provably never happened: it is made now. */
  neverStarted(id: string, now: Now): void {
    const run = this.#live(id);
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
    const run = this.#live(id);
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
    this.#schedule(run, now);
    this.#telling.touch(run);
  }

  exited(
    id: string,
    exitCode: number,
    signal: string | undefined,
    tail: string | undefined,
    now: Now,
  ): void {
    const run = this.#live(id);
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
    const run = this.#live(id);
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
    const run = this.#live(id);
    if (run !== undefined) this.#context.note('tree.signalled', now, { signal, processes }, run);
  }

  /** Proof of P4: a run that is being ended has ended when nobody of its tree is alive. */
  checked(id: string, survivors: readonly number[], now: Now): void {
    const run = this.#live(id);
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
      const due = this.#timers.peek();
      if (due === undefined || due.rank > now.bootMs) return;
      this.#timers.delete(due.key);
      const run = this.#live(due.key);
      if (run !== undefined) this.#timeCame(run, now);
    }
  }

  /** The settings changed: windows and graces may have. */
  reschedule(now: Now): void {
    for (const run of this.#context.ledger.liveRuns.values()) this.#schedule(run, now);
  }

  #timeCame(run: Run, now: Now): void {
    if (run.state === 'canceling') {
      this.#climb(run, now);
    } else if (isDue(fenceAtMs(run), now) && !this.#unfenced.has(run.id)) {
      this.#fence(run, now);
    } else if (isDue(timeoutAtMs(run), now)) {
      const timeoutS = Math.round((run.definition.timeoutMs ?? 0) / SECOND_MS);
      this.#context.note('job.timeout', now, { timeoutS }, run);
      this.#end(run, 'timeout', `it ran longer than ${timeoutS} s`, now);
    } else if (isDue(stallAtMs(run), now)) {
      run.stalled = true;
      const forS = Math.round((run.definition.stallAfterMs ?? 0) / SECOND_MS);
      this.#context.note('job.stalled', now, { noProgressForS: forS }, run);
      this.#changed(run, now);
    } else {
      this.#schedule(run, now);
    }
  }

  /** P3: no report was accepted for the whole window, so the task may be somebody else's. */
  #fence(run: Run, now: Now): void {
    const policy = this.#context.settings.dataPipeline?.onFence ?? 'stop';
    const acceptedAt = run.pipeline?.acceptedAt;
    const silentS = Math.round((now.bootMs - (acceptedAt ?? now).bootMs) / SECOND_MS);
    this.#context.note('lease.fenced', now, { silentS, policy }, run);
    if (policy === 'continue' && acceptedAt !== undefined) {
      this.#unfenced.add(run.id);
      this.#schedule(run, now);
    } else {
      this.#end(run, 'fence', `no report was accepted for ${silentS} s`, now);
    }
  }

  #climb(run: Run, now: Now): void {
    const climb = this.#climbOf(run);
    const { ending } = run;
    if (ending === undefined) return;
    const { rung } = nextRung(ending, climb, now);
    switch (rung) {
      case 'signal':
        climb.signalledAtMs = now.bootMs;
        climb.lastLookAtMs = now.bootMs;
        this.#actions.push({ type: 'signal-tree', run, signal: run.definition.stop.signal });
        break;
      case 'check':
        climb.lastLookAtMs = now.bootMs;
        this.#actions.push({ type: 'check-tree', run });
        break;
      case 'kill':
        climb.lastLookAtMs = now.bootMs;
        this.#actions.push({ type: 'signal-tree', run, signal: 'SIGKILL' });
        break;
      case 'give-up':
        this.#context.note('cancel.incomplete', now, { survivors: run.survivors ?? [] }, run);
        this.#finish(run, endState(run), now);
        return;
      case undefined:
        break;
    }
    this.#schedule(run, now);
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
    for (const run of this.#byJob.get(job) ?? []) {
      if (run.pipeline?.task.instance !== lease.instance) continue;
      if (run.pipeline.task.attemptId === lease.attemptId && hasItsOwnEnd(run)) {
        run.pipeline = { task: lease, delivery: { state: 'pending' } };
        this.#context.note('task.rebound', now, { taskId: shorten(lease.taskId) }, run);
        this.#telling.addPipelineTask(run);
        this.#unfenced.delete(run.id);
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
    const runs = this.#runsOf(definition.name);
    const number = (runs.at(-1)?.number ?? 0) + 1;
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
    this.#prune(runs);
    runs.push(run);
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
    const runs = this.#byJob.get(job) ?? [];
    if (runs.some(isStarted)) return;
    const next = runs.find(
      (run) =>
        run.state === 'queued' &&
        (run.pipeline === undefined || run.pipeline.acknowledgedAt !== undefined),
    );
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
    this.#timers.delete(run.id);
    this.#climbs.delete(run.id);
    this.#unfenced.delete(run.id);
    this.#telling.close(run, now);
    this.#context.note('run.ended', now, { state, words: endWords(run) }, run);
    this.#changed(run, now);
    this.#promote(run.job, now);
  }

  #changed(run: Run, now: Now): void {
    this.#context.ledger.keepRun(run);
    this.#schedule(run, now);
    this.#telling.touch(run);
  }

  #schedule(run: Run, now: Now): void {
    const atMs = this.#nextTimeMs(run, now);
    if (atMs === undefined) this.#timers.delete(run.id);
    else this.#timers.set(run.id, atMs);
  }

  #nextTimeMs(run: Run, now: Now): number | undefined {
    if (isFinal(run.state)) return undefined;
    if (run.state === 'canceling') {
      return run.ending && nextRung(run.ending, this.#climbOf(run), now).atMs;
    }
    const fence = this.#unfenced.has(run.id) ? undefined : fenceAtMs(run);
    const times = [fence, timeoutAtMs(run), stallAtMs(run)].filter((at) => at !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  #climbOf(run: Run): Climb {
    let climb = this.#climbs.get(run.id);
    if (climb === undefined) {
      climb = { lastLookAtMs: -Infinity };
      this.#climbs.set(run.id, climb);
    }
    return climb;
  }

  #prune(runs: Run[]): void {
    while (runs.length >= RUNS_KEPT_MAX) {
      const index = runs.findIndex((run) => isFinal(run.state) && isSettled(run));
      const [old] = index === -1 ? [] : runs.splice(index, 1);
      if (old === undefined) return;
      this.#telling.forget(old);
      this.#context.ledger.dropRun(old);
    }
  }

  #runsOf(job: string): Run[] {
    let runs = this.#byJob.get(job);
    if (runs === undefined) {
      runs = [];
      this.#byJob.set(job, runs);
    }
    return runs;
  }

  #live(id: string): Run | undefined {
    return this.#context.ledger.liveRuns.get(id);
  }
}

function endState(run: Run): RunState {
  return run.ending?.cause === 'fence' || run.ending?.cause === 'gone' ? 'fenced' : 'canceled';
}

/** A run that lives or ended by itself has an end to tell; one that was fenced or canceled must run anew. */
function hasItsOwnEnd(run: Run): boolean {
  return run.state !== 'canceled' && run.state !== 'fenced' && run.state !== 'canceling';
}

function isSettled(run: Run): boolean {
  return run.hub?.delivery.state !== 'pending' && run.pipeline?.delivery.state !== 'pending';
}

function timeoutAtMs(run: Run): number | undefined {
  const { timeoutMs } = run.definition;
  return timeoutMs === undefined ? undefined : sum(run.startedAt, timeoutMs);
}

function stallAtMs(run: Run): number | undefined {
  const { stallAfterMs } = run.definition;
  if (stallAfterMs === undefined || run.stalled === true) return undefined;
  return sum(run.progressAt, stallAfterMs);
}

function sum(since: Instant | undefined, ms: number): number | undefined {
  return since === undefined ? undefined : since.bootMs + ms;
}

function isDue(atMs: number | undefined, now: Now): boolean {
  return atMs !== undefined && now.bootMs >= atMs;
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

function adHocDefinition(runs: readonly Run[] | undefined): JobDefinition | undefined {
  return runs?.findLast((run) => run.origin === 'ad-hoc')?.definition;
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
