/**
 * Judges a simulated fleet by what really happened: which processes lived, what the services accepted, what was on disk. It
 * shares no code with the agent, and believes nothing that the agent says of itself.
 */
import type { Call, NotifyCall, Outcome } from '../../src/core/model/call.ts';
import type { Run } from '../../src/core/model/job.ts';
import type { AgentWorld } from './agent-world.ts';
import type { ServiceModel } from './service-model.ts';
import type { VirtualTime } from './virtual-time.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const WINDOW_MS = 15 * MINUTE_MS;
/** After an outage: the longest pause of an operation, and a call for each reporter that waits. */
const RECOVERY_MS = 5 * MINUTE_MS;
/** What an agent that is back needs to kill what must not live any more. */
const REACT_MS = 45 * SECOND_MS;
/** Signals, looks and the kernel take so long beyond a grace. */
const STOP_MARGIN_MS = 30 * SECOND_MS;
/** No clock of a host that runs this program can show less or more. */
const CLOCK_MS_MIN = Date.UTC(2000, 0, 1);
const CLOCK_MS_MAX = Date.UTC(2100, 0, 1);
/** A run may have ended that long before its end is on disk: while the disk is full. */
const LATE_ON_DISK_MS = 20 * MINUTE_MS;
const FINDINGS_MAX = 20;
const ENDED: readonly string[] = ['succeeded', 'failed', 'lost', 'canceled', 'fenced'];

type End = 'COMPLETED' | 'FAILED';
const ENDS: readonly string[] = ['COMPLETED', 'FAILED'] satisfies End[];

interface Live {
  readonly host: AgentWorld;
  readonly run: Run;
  /** What it executes: a reload may give it another name. */
  readonly work: string;
  readonly hubTask: string | undefined;
  readonly instance: string | undefined;
  taskId: string | undefined;
  /** Its program has ended and its exit code is on record: by the rule of its job the run is over. */
  isOver: boolean;
}

interface HostRecord {
  readonly world: AgentWorld;
  bornAtMs: number;
  deaths: number;
  /** The last moment at which the agent was gone, asleep or could see nothing. */
  awayAtMs: number;
  /** An agent died with a full disk: what was accepted meanwhile is forgotten. */
  forgetfulUntilMs: number;
  learnt: string[];
  /** The service asked the agent that lives now to terminate. */
  isTerminated: boolean;
  /** A heartbeat of the agent that lives now was answered, or failed. */
  hasHeartbeat: boolean;
}

/** A final report that the Hub must have. */
interface Ended {
  readonly end: End;
  readonly run: string;
  /** The run was canceled, and is not kept any more. */
  wasCanceled?: boolean;
}

export class Judge {
  readonly findings: string[] = [];
  readonly #time: VirtualTime;
  readonly #service: ServiceModel;
  readonly #hosts = new Map<AgentWorld, HostRecord>();
  readonly #live = new Map<string, Live>();
  readonly #excused: { readonly fromMs: number; readonly toMs: number }[] = [];
  readonly #acknowledged = new Set<string>();
  /** Pipeline tasks of which the agent knows that nothing may follow, on disk. */
  readonly #closed = new Set<string>();
  readonly #canceled = new Set<string>();
  readonly #fenced = new Set<string>();
  /** By Hub task, how runs really ended, in order. */
  readonly #ends = new Map<string, Ended[]>();
  readonly #counted = new Set<string>();
  readonly #hubTaskOf = new Map<string, string>();
  readonly #endOf = new Map<string, End>();
  readonly #attempts = new Map<string, number | undefined>();
  readonly #promised = new Map<string, AgentWorld>();
  readonly #percents = new Map<string, number>();
  readonly #scheduled = new Map<string, string>();
  /** By host and Hub task: until when the last two reports promised the next, whose answers an agent has seen. */
  readonly #promises = new Map<string, { readonly beforeMs: number; readonly untilMs: number }>();
  /** Runs whose program ended and left processes behind, until the timeline shows it. */
  readonly #left = new Set<string>();
  /** Ended runs that are on disk, with the true time of their ends. */
  readonly #kept = new Map<string, { readonly row: Run; readonly endedMs: number }>();
  readonly #tracking = new Map<string, string>();
  readonly #keepRunsMs: number;
  /** By region and Hub task, the status that the Hub shows. */
  readonly #shown = new Map<string, string>();
  /** Hub tasks with an end in the Hub that no run on disk belongs to any more. */
  readonly #forgottenTasks = new Set<string>();

  constructor(time: VirtualTime, service: ServiceModel, keepRunsMs: number) {
    this.#time = time;
    this.#keepRunsMs = keepRunsMs;
    this.#service = service;
    service.onReport = (call) => this.#reported(call);
    service.onStale = (task, lateMs) => this.#stale(task, lateMs);
    service.onFault = (what) => this.#find(what);
    service.onLapse = (taskId) => this.#lapsed(taskId);
    service.onTaskReport = (taskId) => this.#acknowledged.add(taskId);
    service.onRetry = (_before, next) => this.offered(next);
  }

  add(world: AgentWorld): void {
    const host: HostRecord = {
      ...{ world, bornAtMs: 0, deaths: 0, awayAtMs: -Infinity },
      ...{ forgetfulUntilMs: -Infinity, learnt: [], isTerminated: false, hasHeartbeat: false },
    };
    this.#hosts.set(world, host);
    world.host.onStart = (run) => this.#started(host, run);
    world.host.onEnd = (run, code) => this.#ended(host, run, code);
    world.host.onEmpty = (run) => this.#live.delete(this.#key(world, run.id));
    world.tracked.onEnd = (job, end) => this.#trackedEnded(host, job, end);
    world.host.onLeft = (run) => this.#leftProcesses(host, run);
    world.onBirth = () => {
      host.bornAtMs = this.#nowMs;
      host.isTerminated = false;
      host.hasHeartbeat = false;
    };
    world.onLog = (event, fields) => this.#logged(host, event, fields);
    world.onDeath = () => this.#died(host);
    world.onAnswer = (call, outcome) => this.#answered(host, call, outcome);
    world.onSend = (call) => this.#sent(host, call);
    world.onCommit = ({ droppedRuns, runs }) => this.#committed(host, runs, droppedRuns);
  }

  /** Explains tasks that are stale or lost: an outage, an absence, refused credentials. */
  excuse(ms: number): void {
    this.#excused.push({ fromMs: this.#nowMs, toMs: this.#nowMs + ms });
  }

  /** Nothing of this host is seen, or nobody is there, for so long. */
  away(world: AgentWorld, ms: number): void {
    const host = this.#hosts.get(world);
    if (host !== undefined) host.awayAtMs = Math.max(host.awayAtMs, this.#nowMs + ms);
  }

  offered(attemptId: string): void {
    this.#attempts.set(attemptId, undefined);
  }

  /** An operator was answered that the run will be. */
  startPromised(world: AgentWorld, run: string): void {
    this.#promised.set(this.#key(world, run), world);
  }

  /** An operator was answered that the run is being canceled, with this grace. */
  cancelPromised(world: AgentWorld, id: string, graceMs: number): void {
    this.#canceled.add(this.#key(world, id));
    this.#mustStop(world, id, graceMs);
  }

  /** The agent has a run of tracked work by this name that has not ended. */
  isTracking(world: AgentWorld, job: string): boolean {
    return this.#tracking.has(this.#key(world, job));
  }

  /** An ended run of which nothing is pending. */
  settledRun(world: AgentWorld): string | undefined {
    for (const [key, { row }] of this.#kept) {
      const isPending = row.hub?.delivery.state === 'pending';
      const isOwn = key === this.#key(world, row.id) && row.job.startsWith('once-');
      if (isOwn && !isPending && !this.#live.has(key)) return row.id;
    }
    return undefined;
  }

  /** Its row is damaged: nobody knows of it any more. */
  damaged(world: AgentWorld, id: string): void {
    const key = this.#key(world, id);
    this.#checkPromisedStart(key);
    this.#promised.delete(key);
    this.#kept.delete(key);
  }

  isAtRest(): boolean {
    const isQuiet = ({ host, tracked }: AgentWorld): boolean =>
      host.running() === 0 && tracked.running() === 0;
    return [...this.#hosts.keys()].every(isQuiet) && this.#service.unfinished() === 0;
  }

  close(): string[] {
    const books = this.#service.close();
    for (const world of this.#hosts.keys()) {
      for (const fault of world.faults) this.#find(`the agent failed: ${String(fault)}`);
    }
    for (const name of ['overLimit', 'stampsNotRising'] as const) {
      if (books[name] > 0) this.#find(`${name}: ${books[name]}`);
    }
    if (!this.isAtRest()) this.#find('work is left over');
    for (const key of this.#promised.keys()) this.#checkPromisedStart(key);
    for (const [key, { endedMs, row }] of this.#kept) {
      const keptMs = this.#nowMs - endedMs;
      const isOnce = row.job.startsWith('once-') && row.hub?.delivery.state !== 'pending';
      if (isOnce && keptMs > this.#keepRunsMs + HOUR_MS) this.#find(`${key} is kept for ever`);
    }
    for (const task of new Set([...this.#ends.keys(), ...books.finals.keys()])) {
      const finals = books.finals.get(task) ?? [];
      const ends = this.#ends.get(task) ?? [];
      const isRight =
        finals.length === ends.length && ends.every((ended, i) => this.#mayBe(ended, finals[i]));
      if (!isRight) {
        const really = ends.map(({ end, run }) => `${run} ${end}`).join();
        this.#find(`${task}: runs ended ${really}; the Hub has ${finals.join()}`);
      }
    }
    for (const [attemptId, code] of this.#attempts) {
      const state = this.#service.taskState(attemptId);
      const isSettled = state === 'canceled' || state === 'FAILED' || state === 'ended';
      if (!isSettled && !(state === 'FINISHED' && code === 0)) {
        this.#find(`${attemptId} ended with ${code}; Data Pipeline has it ${state}`);
      }
    }
    return this.findings;
  }

  get #nowMs(): number {
    return this.#time.now().bootMs;
  }

  #key({ name }: AgentWorld, run: string): string {
    return `${name} ${run}`;
  }

  #started(host: HostRecord, run: Run): void {
    const { world } = host;
    const key = this.#key(world, run.id);
    const task = run.pipeline?.task;
    const started: Live = {
      host: world,
      run,
      work: run.definition.command.join(' '),
      hubTask: run.hub?.task,
      instance:
        task === undefined ? undefined : `${task.pipelineId} ${withoutAttempt(task.attemptId)}`,
      taskId: task?.taskId,
      isOver: false,
    };
    for (const other of this.#live.values()) {
      if (!other.isOver) this.#compare(started, other);
    }
    if (this.#canceled.has(key)) this.#find(`${key} started after its cancel`);
    if (task !== undefined && !this.#acknowledged.has(task.taskId)) {
      this.#find(`${key} started before its task was acknowledged`);
    }
    if (run.origin === 'schedule') this.#startedBySchedule(host, run);
    this.#live.set(key, started);
    if (run.hub !== undefined) this.#hubTaskOf.set(key, run.hub.task);
  }

  /** Whoever looks at the job sees that processes of it live on. */
  #leftProcesses(host: HostRecord, run: Run): void {
    const key = this.#key(host.world, run.id);
    this.#left.add(key);
    const check = (): void => {
      const isSettled = !this.#left.has(key) || this.#canceled.has(key);
      if (isSettled || !this.#live.has(key)) return;
      if (this.#isHelpless(host.world)) this.#time.in(MINUTE_MS, check);
      else this.#find(`${key} left processes behind, and its timeline does not show it`);
    };
    this.#time.in(MINUTE_MS, check);
  }

  #logged(host: HostRecord, event: string, fields: Readonly<Record<string, unknown>>): void {
    if (event === 'job.left_processes')
      this.#left.delete(this.#key(host.world, String(fields['run'])));
    if (event !== 'promise.broken') return;
    const task = String(fields['task']);
    const { beforeMs } = this.#promises.get(this.#key(host.world, task)) ?? { beforeMs: 0 };
    if (beforeMs > this.#time.trueMs() + SECOND_MS) {
      this.#find(`${task}: a promise that was kept is reported as broken`);
    }
  }

  #compare(started: Live, other: Live): void {
    const names = `${this.#key(started.host, started.run.id)} started while ${this.#key(other.host, other.run.id)}`;
    const isSameHost = started.host === other.host;
    if (isSameHost && started.work === other.work) this.#find(`${names} does the same work`);
    if (started.instance !== undefined && started.instance === other.instance) {
      if (isSameHost || !this.#isHelpless(other.host)) {
        this.#find(`${names} runs for the same instance`);
      }
    }
    if (isSameHost && started.hubTask !== undefined && started.hubTask === other.hubTask) {
      this.#find(`${names} has the same Hub task ${started.hubTask}`);
    }
  }

  /** Every hour at most once, and by no clock that is decades off. */
  #startedBySchedule({ world }: HostRecord, run: Run): void {
    const hour = Math.floor(this.#time.trueMs() / HOUR_MS);
    const slot = `${this.#key(world, run.job)} ${hour}`;
    const before = this.#scheduled.get(slot);
    if (before !== undefined)
      this.#find(`${run.id} is a second start in one hour, after ${before}`);
    this.#scheduled.set(slot, run.id);
    const { wallMs } = run.requestedAt;
    if (wallMs < CLOCK_MS_MIN || wallMs > CLOCK_MS_MAX) {
      this.#find(`${run.id} was started by a clock that shows ${new Date(wallMs).toISOString()}`);
    }
  }

  #ended({ world }: HostRecord, run: Run, code: number): void {
    const key = this.#key(world, run.id);
    const live = this.#live.get(key);
    if (live !== undefined) live.isOver = true;
    this.#count(world, run.id, code === 0 ? 'COMPLETED' : 'FAILED');
    const { taskId } = live ?? {};
    const attempt = run.pipeline?.task.attemptId;
    if (attempt !== undefined && taskId !== undefined) this.#attempts.set(attempt, code);
  }

  #trackedEnded({ world }: HostRecord, job: string, end: string): void {
    this.#endOf.set(this.#key(world, job), end === 'completed' ? 'COMPLETED' : 'FAILED');
  }

  /** Once for each run, in the order in which they ended. */
  #count(world: AgentWorld, run: string, end: End): void {
    const key = this.#key(world, run);
    const task = this.#hubTaskOf.get(key);
    if (this.#counted.has(key) || task === undefined) return;
    this.#counted.add(key);
    const ends = this.#ends.get(task) ?? [];
    ends.push({ end, run: key });
    this.#ends.set(task, ends);
  }

  #committed(host: HostRecord, rows: Iterable<Run>, dropped: Iterable<string>): void {
    for (const taskId of host.learnt) this.#closed.add(taskId);
    host.learnt = [];
    for (const row of rows) this.#stored(host, row);
    for (const id of dropped) this.#dropped(host.world, id);
  }

  /** The run is forgotten: its number may be given again. */
  #dropped(world: AgentWorld, id: string): void {
    const key = this.#key(world, id);
    const kept = this.#kept.get(key);
    const isOther = kept !== undefined && !world.settings.jobs.has(kept.row.job);
    if (isOther && this.#nowMs - kept.endedMs < this.#keepRunsMs - LATE_ON_DISK_MS) {
      this.#find(`${key} is forgotten too early`);
    }
    this.#checkPromisedStart(key);
    for (const ended of [...this.#ends.values()].flat()) {
      if (ended.run === key) ended.wasCanceled ??= this.#canceled.has(key);
    }
    if (kept?.row.hub !== undefined) this.#forgottenTasks.add(kept.row.hub.task);
    const { task } = kept?.row.pipeline ?? {};
    if (task !== undefined) this.#fenced.delete(task.taskId);
    this.#kept.delete(key);
    for (const one of [this.#promised, this.#canceled, this.#counted, this.#hubTaskOf]) {
      one.delete(key);
    }
  }

  #checkPromisedStart(key: string): void {
    const world = this.#promised.get(key);
    if (world === undefined || this.#canceled.has(key)) return;
    if (!world.host.hasStarted(key.split(' ')[1] ?? '')) this.#find(`${key} never began`);
    else if (!this.#counted.has(key) && this.#hubTaskOf.has(key)) this.#find(`${key} never ended`);
  }

  /** A run as it is on disk now. */
  #stored(host: HostRecord, row: Run): void {
    const { world } = host;
    const key = this.#key(world, row.id);
    if (row.hub !== undefined) this.#hubTaskOf.set(key, row.hub.task);
    const live = this.#live.get(key);
    if (live !== undefined) live.taskId = row.pipeline?.task.taskId;
    if (row.ending?.cause === 'fence' || row.ending?.cause === 'gone') {
      this.#fenced.add(row.pipeline?.task.taskId ?? '');
    }
    if (row.ending !== undefined) this.#canceled.add(key);
    const isOver = ENDED.includes(row.state);
    if (row.definition.tracked !== undefined) this.#isTracked(world, row, isOver);
    if (!isOver) return;
    this.#kept.set(key, { row, endedMs: this.#kept.get(key)?.endedMs ?? this.#nowMs });
    if (live !== undefined && !live.isOver && (row.survivors ?? []).length === 0) {
      this.#find(`${key} is ${row.state} while its processes live`);
    }
    if (row.definition.tracked !== undefined) this.#trackedStored(world, row);
    else if (!world.host.hasStarted(row.id)) this.#count(world, row.id, 'FAILED');
  }

  #isTracked(world: AgentWorld, row: Run, isOver: boolean): void {
    const key = this.#key(world, row.job);
    if (!isOver) this.#tracking.set(key, row.id);
    else if (this.#tracking.get(key) === row.id) this.#tracking.delete(key);
  }

  #trackedStored(world: AgentWorld, row: Run): void {
    const key = this.#key(world, row.id);
    if (this.#counted.has(key)) return;
    const isWatched = row.definition.tracked?.by !== 'report';
    if (isWatched && row.ending === undefined && world.tracked.isRunning(row.job)) {
      this.#find(`${key} is ${row.state} while the work goes on`);
    }
    const end = this.#endOf.get(this.#key(world, row.job)) ?? 'FAILED';
    this.#count(world, row.id, row.ending === undefined && isWatched ? end : endOf(row));
  }

  #answered(host: HostRecord, call: Call, outcome: Outcome): void {
    if (call.operation === 'ReportTaskRunnerHeartbeat') {
      host.hasHeartbeat = true;
      host.isTerminated ||= outcome.kind === 'accepted' && outcome.answer.terminate === true;
    }
    if (call.operation === 'NotifyMigrationTaskState' && outcome.kind === 'accepted') {
      const key = this.#key(host.world, call.task);
      const beforeMs = this.#promises.get(key)?.untilMs ?? 0;
      const untilMs = (call.stampS + call.nextUpdateS) * SECOND_MS;
      this.#promises.set(key, { beforeMs, untilMs });
    }
    if (call.operation !== 'ReportTaskProgress') return;
    const isCanceled = outcome.kind === 'accepted' && outcome.answer.canceled === true;
    if (!isCanceled && outcome.kind !== 'gone') return;
    host.learnt.push(call.taskId);
    for (const { host: world, run, taskId } of this.#live.values()) {
      if (world !== host.world || taskId !== call.taskId) continue;
      this.#mustStop(world, run.id, Math.min(run.definition.stop.graceMs, WINDOW_MS));
    }
  }

  /** The tree is dead when the grace is over, if somebody was there to see to it. */
  #mustStop(world: AgentWorld, id: string, graceMs: number, since = this.#nowMs): void {
    const host = this.#hosts.get(world);
    if (host === undefined) return;
    const { deaths } = host;
    this.#time.in(graceMs + STOP_MARGIN_MS, () => {
      const live = this.#live.get(this.#key(world, id));
      if (live === undefined || live.isOver) return;
      // What an agent learned that died on a full disk, nobody knows: the service or the operator must say it again.
      const isForgotten = host.deaths > deaths || host.forgetfulUntilMs > since;
      if (isForgotten) return;
      if (this.#isHelpless(world)) this.#mustStop(world, id, MINUTE_MS, since);
      else this.#find(`${this.#key(world, id)} lives ${graceMs / SECOND_MS} s after its cancel`);
    });
  }

  #sent(host: HostRecord, call: Call): void {
    if (call.operation === 'PollForTask') {
      const { name } = host.world;
      if (!host.hasHeartbeat) this.#find(`${name} polls before its first heartbeat is answered`);
      if (host.isTerminated) this.#find(`${name} polls after the service asked it to terminate`);
    }
    if (call.operation !== 'SetTaskStatus' || !this.#closed.has(call.taskId)) return;
    this.#find(`SetTaskStatus of ${call.taskId} after its cancel`);
  }

  #died(host: HostRecord): void {
    host.deaths++;
    const { world } = host;
    if (world.downMs >= MINUTE_MS) this.excuse(world.downMs);
    this.away(world, world.downMs);
    host.learnt = [];
    if (world.isBehind) host.forgetfulUntilMs = this.#nowMs + world.downMs + WINDOW_MS;
  }

  #reported({ region, task, status, percent, stampS }: NotifyCall): void {
    // Another region's Hub shows nothing of what was reported before.
    const record = `${region} ${task}`;
    const isFinal = status === 'COMPLETED' || status === 'FAILED';
    const shown = this.#shown.get(record) ?? '';
    // A task whose end is forgotten is a new one to the host.
    const isOpened = status === 'IN_PROGRESS' || this.#forgottenTasks.delete(task);
    if (ENDS.includes(shown) && !isOpened) this.#find(`${task}: ${status} after ${shown}`);
    this.#shown.set(record, status);
    const finals = this.#service.books.finals.get(task)?.length ?? 0;
    const ends = this.#ends.get(task)?.length ?? 0;
    if (isFinal && finals >= ends) this.#find(`${task}: ${status} before its end`);
    const before = this.#percents.get(record) ?? 0;
    if ((percent ?? 0) < before) this.#find(`${task} fell from ${before} to ${percent} %`);
    if (isFinal) this.#percents.delete(record);
    else if (percent !== undefined) this.#percents.set(record, percent);
    const aheadMs = stampS * SECOND_MS - this.#time.trueMs();
    if (aheadMs > DAY_MS || aheadMs < -2 * DAY_MS) {
      this.#find(`${task} was stamped ${Math.round(aheadMs / SECOND_MS)} s off`);
    }
  }

  /** A window has ended: another host may have the task now, so nobody works for it here. */
  #lapsed(taskId: string): void {
    const isExpected = this.#isExcused(this.#nowMs, this.#nowMs) || this.#fenced.has(taskId);
    const live = [...this.#live.values()].find((one) => one.taskId === taskId);
    const isForgetful = [...this.#hosts.values()].some(
      ({ forgetfulUntilMs }) => forgetfulUntilMs > this.#nowMs,
    );
    if (!isExpected && !isForgetful) this.#find(`${taskId} was lost`);
    if (live === undefined || live.isOver || this.#isHelpless(live.host)) return;
    this.#find(`${this.#key(live.host, live.run.id)} lives after the window of ${taskId}`);
  }

  #stale(task: string, lateMs: number): void {
    if (this.#isExcused(this.#nowMs - lateMs, this.#nowMs)) return;
    this.#find(`${task} was stale for ${(lateMs / SECOND_MS).toFixed(1)} s`);
  }

  /** Nobody there can stop anything now, or could until just before. */
  #isHelpless(world: AgentWorld): boolean {
    const host = this.#hosts.get(world);
    if (host === undefined || world.isAway() || world.host.isBlind) return true;
    return this.#nowMs < Math.max(host.awayAtMs, host.bornAtMs) + REACT_MS;
  }

  /** Every moment from one to the other has its reason. */
  #isExcused(fromMs: number, toMs: number): boolean {
    let atMs = fromMs;
    for (const span of this.#excused.toSorted((a, b) => a.fromMs - b.fromMs)) {
      if (span.fromMs <= atMs) atMs = Math.max(atMs, span.toMs + RECOVERY_MS);
      if (atMs > toMs) return true;
    }
    return false;
  }

  #mayBe({ end, run, wasCanceled }: Ended, final: string | undefined): boolean {
    return end === final || (final === 'FAILED' && (wasCanceled ?? this.#canceled.has(run)));
  }

  #find(what: string): void {
    if (this.findings.length >= FINDINGS_MAX) return;
    this.findings.push(`${new Date(this.#time.trueMs()).toISOString()} ${what}`);
  }
}

function withoutAttempt(attemptId: string): string {
  return attemptId.replace(/_Attempt=\d+$/, '');
}

function endOf({ state }: Run): End {
  return state === 'succeeded' ? 'COMPLETED' : 'FAILED';
}
