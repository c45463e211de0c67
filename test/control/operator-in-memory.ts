/** An Operator port of plain values: tests set what it shows and read what it was asked. */
import type { Reply } from '../../src/core/model/action.ts';
import type { OutboxEntry } from '../../src/core/model/outbox.ts';
import type { JobDetail, JobStatus, Status } from '../../src/core/model/status.ts';
import type { Operator, OperatorRequest, ReportRecord, TimelineEntry } from '../../src/ports.ts';

type Watched = TimelineEntry & { readonly job?: string };

export class OperatorInMemory implements Operator {
  document: Status = statusWith([]);
  pending: readonly OutboxEntry[] = [];
  readonly asked: OperatorRequest[] = [];
  readonly details = new Map<string, Partial<JobDetail>>();
  readonly entries = new Map<string, TimelineEntry[]>();
  readonly reported = new Map<string, ReportRecord[]>();
  readonly listeners = new Set<(entry: Watched) => void>();
  answer: (request: OperatorRequest) => Reply | Promise<Reply> = () => ({
    ok: true,
    message: 'done',
  });
  #indexed: { jobs: readonly JobStatus[]; byName: ReadonlyMap<string, JobStatus> } = {
    jobs: [],
    byName: new Map(),
  };
  reloadReply: Reply = { ok: true, message: 'configuration applied' };

  status(): Status {
    return this.document;
  }

  agent(): Status['agent'] {
    return this.status().agent;
  }

  job(name: string): JobStatus | undefined {
    const { jobs } = this.status();
    // With ten thousand jobs a search for each would take seconds on a busy machine.
    if (this.#indexed.jobs !== jobs) {
      this.#indexed = { jobs, byName: new Map(jobs.map((job) => [job.name, job])) };
    }
    return this.#indexed.byName.get(name);
  }

  jobDetail(name: string): JobDetail | undefined {
    const job = this.job(name);
    if (job === undefined) return undefined;
    const pending = this.pending.filter((entry) => entry.job === name);
    return { ...job, earlierRuns: [], ...this.details.get(name), pending };
  }

  jobNames(): readonly string[] {
    return this.status().jobs.map(({ name }) => name);
  }

  budgets(): Status['budgets'] {
    return this.status().budgets;
  }

  async ask(request: OperatorRequest): Promise<Reply> {
    this.asked.push(request);
    return this.answer(request);
  }

  outbox(): readonly OutboxEntry[] {
    return this.pending;
  }

  timeline(job: string, limit: number): readonly TimelineEntry[] {
    return (this.entries.get(job) ?? []).slice(-limit);
  }

  reports(job: string): readonly ReportRecord[] {
    return this.reported.get(job) ?? [];
  }

  watch(listener: (entry: Watched) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  reload(): Promise<Reply> {
    return Promise.resolve(this.reloadReply);
  }

  show(...jobs: readonly JobStatus[]): void {
    this.document = statusWith(jobs);
    // As of a real agent: no state changes without an event.
    const at = { wallMs: Date.parse(this.document.agent.now), bootMs: 0 };
    for (const { name } of jobs) this.emit({ at, event: 'shown', fields: {}, job: name });
  }

  emit(entry: Watched): void {
    for (const listener of this.listeners) listener(entry);
  }
}

export function statusWith(
  jobs: readonly JobStatus[],
  agent: Partial<Status['agent']> = {},
): Status {
  return {
    schema: 1,
    agent: {
      version: '0.1.0',
      pid: 4711,
      host: 'files-host-01',
      startedAt: '2026-11-22T00:00:00.000Z',
      now: '2026-11-22T03:12:00.000Z',
      state: 'running',
      clockOffsetSeconds: 0.3,
      waitingForBudget: 0,
      outbox: 0,
      problems: [],
      health: (agent.problems ?? []).length === 0 ? 'healthy' : 'degraded',
      ...agent,
    },
    jobs,
    budgets: [],
  };
}

export function jobNamed(name: string, rest: Partial<JobStatus> = {}): JobStatus {
  return { name, state: 'idle', destinations: {}, ...rest };
}

/** Each field at every depth, optional ones too. */
type Whole<T> = T extends readonly (infer Item)[]
  ? readonly Whole<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]-?: Whole<NonNullable<T[Key]>> }
    : T;

const FULL_JOB: Whole<JobStatus> = {
  name: 'nightly-files',
  run: 3,
  state: 'running',
  origin: 'schedule',
  pid: 123,
  unit: 'copy.service',
  statusFile: '/srv/status.json',
  problem: 'is no JSON',
  exitCode: 0,
  exitSignal: 'SIGTERM',
  percent: 72,
  elapsedSeconds: 192,
  etaSeconds: 75,
  detail: '12.30MB/s 0:01:22',
  reason: 'a reason',
  processesLeft: [14],
  cancelIncomplete: true,
  survivors: [12, 13],
  stalled: false,
  startedAt: '2026-11-22T03:08:48.000Z',
  endedAt: '2026-11-22T03:11:48.000Z',
  nextStartAt: '2026-11-23T02:00:00.000Z',
  destinations: {
    migrationHub: {
      task: 'nightly-files-3',
      delivery: 'pending',
      reason: 'throttled',
      lastAcceptedAt: '2026-11-22T03:11:48.000Z',
      nextUpdateSeconds: 300,
      lastStatus: 'IN_PROGRESS',
      deadlineAt: '2026-11-22T03:16:48.000Z',
      slackSeconds: 288,
    },
    dataPipeline: {
      taskId: 'task-1',
      pipelineId: 'df-1',
      attemptId: '@attempt-1',
      workerGroup: 'files',
      delivery: 'withheld',
      reason: 'canceled by the service',
      lastAcceptedAt: '2026-11-22T03:11:55.000Z',
      deadlineAt: '2026-11-22T03:26:55.000Z',
      slackSeconds: 895,
    },
  },
};

const FULL_AGENT: Whole<Status['agent']> = {
  ...statusWith([]).agent,
  homeRegion: 'eu-central-1',
  taskRunnerId: 'files-host-01',
  waitingForBudget: 0,
  outbox: 2,
  outboxAgeSeconds: 1260,
  credentialsExpireAt: '2026-11-22T04:00:00.000Z',
  nearestDeadlineSeconds: 288,
  fleet: { state: 'alone', share: 0.5, hosts: 2, shares: 1, reason: 'redis is away' },
  health: 'degraded',
  problems: ['credentials have expired'],
};

const FULL_BUDGET: Whole<Status['budgets'][number]> = {
  operation: 'NotifyMigrationTaskState',
  perSecond: 1,
  burst: 10,
  available: 9,
  accepted: 123,
  throttled: 2,
  failed: 1,
  pausedUntil: '2026-11-22T03:12:12.000Z',
  pausedBecause: 'throttled',
};

/** Every field that a document can have; the compiler asks for a new one. */
export const FULL_STATUS: Status = {
  schema: 1,
  agent: FULL_AGENT,
  jobs: [FULL_JOB],
  budgets: [
    FULL_BUDGET,
    { operation: 'PollForTask', perSecond: 1, burst: 10, accepted: 0, throttled: 0, failed: 0 },
  ],
};
