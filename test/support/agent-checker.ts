/**
 * Checks an agent in a simulation: each call as it happens, and the whole at the end, by the exit codes of processes,
 * the reports that were answered, and the counts of the service model.
 */
import type { Call, NotifyCall, Outcome } from '../../src/core/model/call.ts';
import type { HubStatus } from '../../src/core/model/call.ts';
import type { Run } from '../../src/core/model/job.ts';
import { MINUTE_MS, SECOND_MS } from '../../src/core/lib/time.ts';
import type { AgentWorld } from './agent-world.ts';

/**
 * The time to recover after a fault: the longest pause of an operation (half a minute after a failure, a minute after a
 * throttle), and a call for each of some forty reporters that wait, at the third of a call a second that throttling leaves.
 */
const RECOVERY_MS = 4 * MINUTE_MS;
const FINDINGS_MAX = 20;
const WINDOW_MS = 15 * MINUTE_MS;
/**
 * The escalation starts so long before the end of the window: a grace of half a minute and a margin. The window may have
 * started with a report whose answer was lost, up to a minute after the last one that was answered.
 */
const FENCE_MS = 41 * SECOND_MS + MINUTE_MS;

type End = Extract<HubStatus, 'COMPLETED' | 'FAILED'>;

interface Ended {
  readonly end: End;
  /** The run, if the agent started it. */
  readonly run?: string;
}

export class AgentChecker {
  readonly findings: string[] = [];
  /** Times that explain a stale task: outages, suspends and absences longer than the slack of a promise. */
  readonly #excused: { readonly fromMs: number; readonly toMs: number }[] = [];
  readonly #world: AgentWorld;
  readonly #ends = new Map<string, Ended[]>();
  readonly #runsOf = new Map<string, Set<string>>();
  readonly #runOfTask = new Map<string, string>();
  readonly #canceled = new Set<string>();
  readonly #promised = new Set<string>();
  readonly #attempts = new Map<string, { exitCode?: number }>();
  /** The percent that the Hub shows for each run that has not ended. */
  readonly #percents = new Map<string, number>();
  readonly #tracked = new Set<string>();
  /** Tasks whose runs were fenced. */
  readonly #givenUp = new Set<string>();
  #forgetfulUntilMs = -Infinity;
  /** Runs that are reported under a name of their own. */
  readonly #apart = new Set<string>();
  /** Runs that ended before anything was started for them. */
  #unstarted: { readonly job: string; readonly run: string }[] = [];
  /** Tasks that the agent must not report any more: first known to the agent, then on disk. */
  #learnt: string[] = [];
  readonly #closed = new Set<string>();

  constructor(world: AgentWorld) {
    this.#world = world;
    world.onCommit = () => this.#committed();
    world.onDeath = () => this.#died();
    world.onLog = (event, fields) => this.#logged(event, fields);
    world.onSend = (call) => this.#sent(call);
    world.onAnswer = (call, outcome) => this.#answered(call, outcome);
    world.host.onEnd = (run, exitCode) => this.#exited(run, exitCode);
    world.service.onReport = (call) => this.#reportAccepted(call);
    world.service.onLapse = (taskId) => this.#lapsed(taskId);
    world.service.onStale = (task, lateMs) => this.#stale(task, lateMs);
  }

  excuse(ms: number): void {
    const fromMs = this.#world.time.now().bootMs;
    this.#excused.push({ fromMs, toMs: fromMs + ms });
  }

  /** The agent has accepted the start of this run. */
  promised(run: string): void {
    this.#promised.add(run);
  }

  offered(attemptId: string): void {
    this.#attempts.set(attemptId, {});
  }

  /** The end of work that the agent does not run. */
  ended(job: string, end: End, run?: string): void {
    const ends = this.#ends.get(job) ?? [];
    ends.push(run === undefined ? { end } : { end, run });
    this.#ends.set(job, ends);
  }

  isAtRest(): boolean {
    return this.#world.host.running() === 0 && this.#world.service.unfinished() === 0;
  }

  /** All findings, after all work has ended. */
  close(): string[] {
    const { faults, host, service } = this.#world;
    const books = service.close();
    for (const fault of faults) this.#find(`the agent failed: ${String(fault)}`);
    for (const name of ['overLimit', 'afterFinal', 'stampsNotRising'] as const) {
      if (books[name] > 0) this.#find(`${name}: ${books[name]} (${books.findings.join('; ')})`);
    }
    if (!this.isAtRest()) this.#find('work is left over');
    for (const run of this.#promised) {
      if (!host.hasStarted(run) && !this.#canceled.has(run)) this.#find(`${run} never began`);
    }
    for (const job of new Set([...this.#ends.keys(), ...books.finals.keys()])) {
      const reported = books.finals.get(job) ?? [];
      const ends = this.#endsOf(job);
      const isReported =
        reported.length === ends.length &&
        ends.every((end, i) => this.#isReportedAs(end, reported[i]));
      if (!isReported)
        this.#find(
          `${job} ended ${ends.map(({ end }) => end).join()}; the Hub got ${reported.join()}`,
        );
    }
    for (const [attemptId, { exitCode }] of this.#attempts) {
      const state = service.taskState(attemptId);
      const wanted = exitCode === 0 ? 'FINISHED' : 'FAILED';
      if (state !== wanted && state !== 'canceled') {
        this.#find(`${attemptId} ended with ${exitCode}; Data Pipeline has it ${state}`);
      }
    }
    return this.findings;
  }

  #logged(event: string, { job, run, taskId }: Readonly<Record<string, unknown>>): void {
    if (typeof job !== 'string' || typeof run !== 'string') return;
    const runs = this.#runsOf.get(job) ?? new Set();
    this.#runsOf.set(job, runs.add(run));
    if (typeof taskId === 'string') this.#runOfTask.set(taskId, run);
    if (event === 'cancel.received') this.#canceled.add(run);
    if (event === 'run.tracked') this.#tracked.add(run);
    if (event === 'run.ended' && !this.#world.host.hasStarted(run) && !this.#tracked.has(run)) {
      this.#unstarted.push({ job, run });
    }
    if (event !== 'lease.fenced') return;
    for (const [task, its] of this.#runOfTask) if (its === run) this.#learnt.push(task);
    this.#fenced(run);
  }

  /** The task of a fenced run lapses now, which is right if its window was about to end. */
  #fenced(run: string): void {
    const nowMs = this.#world.time.now().bootMs;
    for (const [task, its] of this.#runOfTask) {
      const byMs = this.#world.service.reportByMs(task);
      if (its !== run || byMs === undefined) continue;
      this.#givenUp.add(task);
      if (nowMs < byMs - FENCE_MS && nowMs > this.#forgetfulUntilMs) {
        this.#find(
          `${run} was fenced ${((byMs - nowMs) / 1000).toFixed(1)} s before ${task} lapses`,
        );
      }
    }
  }

  #answered(call: Call, outcome: Outcome): void {
    if (call.operation !== 'ReportTaskProgress' || outcome.kind !== 'accepted') return;
    if (outcome.answer.canceled === true) this.#learnt.push(call.taskId);
  }

  #committed(): void {
    for (const taskId of this.#learnt) this.#closed.add(taskId);
    this.#learnt = [];
    for (const { job, run } of this.#unstarted) this.ended(job, 'FAILED', run);
    this.#unstarted = [];
  }

  #died(): void {
    if (this.#world.downMs >= MINUTE_MS) this.excuse(this.#world.downMs);
    this.#learnt = [];
    this.#unstarted = [];
    // Answers that came while the disk took no changes are lost. The next agent does not know them, and an agent that may
    // have lost a task must not work for it.
    if (!this.#world.isBehind) return;
    this.#forgetfulUntilMs = this.#world.time.now().bootMs + this.#world.downMs + WINDOW_MS;
  }

  #sent(call: Call): void {
    if (call.operation !== 'SetTaskStatus' || !this.#closed.has(call.taskId)) return;
    this.#find(`SetTaskStatus of ${call.taskId} after its cancel or fence`);
  }

  #exited(run: Run, exitCode: number): void {
    const end = exitCode === 0 ? 'COMPLETED' : 'FAILED';
    this.ended(run.job, end, run.id);
    const attempt = run.pipeline?.task.attemptId;
    if (attempt !== undefined) this.#attempts.set(attempt, { exitCode });
  }

  /** A run that succeeded while it was being canceled may be reported as either. */
  #isReportedAs({ end, run }: Ended, reported: string | undefined): boolean {
    return (
      end === reported || (reported === 'FAILED' && run !== undefined && this.#canceled.has(run))
    );
  }

  #reportAccepted({ task, status, percent }: NotifyCall): void {
    const reported = this.#world.service.books.finals.get(task)?.length ?? 0;
    const isFinal = status === 'COMPLETED' || status === 'FAILED';
    const own = this.#ownRun(task);
    if (own !== undefined) this.#apart.add(own);
    const ends = this.#endsOf(task).length;
    if (isFinal && reported >= ends) this.#find(`${task}: ${status} before its end`);
    if ((percent ?? 0) < (this.#percents.get(task) ?? 0))
      this.#find(`${task} fell to ${percent} %`);
    if (isFinal) this.#percents.delete(task);
    else if (percent !== undefined) this.#percents.set(task, percent);
    const begun = own === undefined ? (this.#runsOf.get(task)?.size ?? 0) : 1;
    if (!isFinal && reported >= begun)
      this.#find(`${task}: ${status} after the final report of its run`);
  }

  /** If the previous run is still alive, a run is reported under a name of its own: JOB-NUMBER. */
  #ownRun(task: string): string | undefined {
    const [, job = '', number = ''] = /^(.+)-(\d+)$/.exec(task) ?? [];
    return !this.#runsOf.has(task) && this.#runsOf.has(job) ? `${job}/${number}` : undefined;
  }

  #endsOf(task: string): readonly Ended[] {
    const own = this.#ownRun(task);
    if (own === undefined) {
      return (this.#ends.get(task) ?? []).filter(({ run }) => !this.#apart.has(run ?? ''));
    }
    return [...this.#ends.values()].flat().filter(({ run }) => run === own);
  }

  /** Another host may have the task now: no process may work for it here any more. */
  #lapsed(taskId: string): void {
    const run = this.#runOfTask.get(taskId);
    const nowMs = this.#world.time.now().bootMs;
    if (!this.#isExcused(nowMs, nowMs) && !this.#givenUp.has(taskId))
      this.#find(`${taskId} lapsed`);
    const isAway = this.#world.isAway();
    if (run !== undefined && this.#world.host.isRunning(run) && !isAway) {
      this.#find(`${run} ran on when ${taskId} lapsed`);
    }
  }

  #stale(task: string, lateMs: number): void {
    const nowMs = this.#world.time.now().bootMs;
    if (this.#isExcused(nowMs - lateMs, nowMs)) return;
    this.#find(`${task} was stale for ${(lateMs / 1000).toFixed(1)} s`);
  }

  /** Whether every moment between the two has an excuse. */
  #isExcused(fromMs: number, toMs: number): boolean {
    let atMs = fromMs;
    for (const span of this.#excused.toSorted((a, b) => a.fromMs - b.fromMs)) {
      if (span.fromMs <= atMs) atMs = Math.max(atMs, span.toMs + RECOVERY_MS);
      if (atMs > toMs) return true;
    }
    return false;
  }

  #find(what: string): void {
    if (this.findings.length >= FINDINGS_MAX) return;
    this.findings.push(`${new Date(this.#world.time.trueMs()).toISOString()} ${what}`);
  }
}
