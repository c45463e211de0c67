/** P3: one runner of a piece of work, of a pipeline instance and of a Hub task at a time, and none after a window. P2: no window ends. */
import type { Run } from '../../../src/core/model/job.ts';
import type { AgentWorld } from '../agent-world.ts';
import type { FleetRecord, Live } from './fleet-record.ts';

export class OneRunner {
  readonly #record: FleetRecord;
  readonly #acknowledged = new Set<string>();
  /** Tasks of runs that the agent fenced, or whose tasks were gone. */
  readonly #fenced = new Set<string>();

  constructor(record: FleetRecord) {
    this.#record = record;
  }

  taskReported(taskId: string): void {
    this.#acknowledged.add(taskId);
  }

  started(world: AgentWorld, run: Run): void {
    const key = this.#record.key(world, run.id);
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
    for (const other of this.#record.live.values()) {
      if (!other.isOver) this.#compare(started, other);
    }
    if (task !== undefined && !this.#acknowledged.has(task.taskId)) {
      this.#record.find(`${key} started before its task was acknowledged`);
    }
    this.#record.live.set(key, started);
  }

  /** A run as it is on disk now. */
  stored(world: AgentWorld, row: Run): void {
    const live = this.#record.live.get(this.#record.key(world, row.id));
    if (live !== undefined) live.taskId = row.pipeline?.task.taskId;
    if (row.ending?.cause === 'fence' || row.ending?.cause === 'gone') {
      this.#fenced.add(row.pipeline?.task.taskId ?? '');
    }
  }

  /** The run that worked for this task is forgotten. */
  forgotten(taskId: string): void {
    this.#fenced.delete(taskId);
  }

  /** A window has ended: another host may have the task now, so nobody works for it here. */
  lapsed(taskId: string): void {
    const { live: lives, nowMs, worlds } = this.#record;
    const isExpected = this.#record.isExcused(nowMs, nowMs) || this.#fenced.has(taskId);
    const live = [...lives.values()].find((one) => one.taskId === taskId);
    const isForgetful = [...worlds].some((world) => this.#record.forgetfulUntilMs(world) > nowMs);
    if (!isExpected && !isForgetful) this.#record.find(`${taskId} was lost`);
    if (live === undefined || live.isOver || this.#record.isHelpless(live.host)) return;
    const key = this.#record.key(live.host, live.run.id);
    this.#record.find(`${key} lives after the window of ${taskId}`);
  }

  #compare(started: Live, other: Live): void {
    const [one, two] = [started, other].map(({ host, run }) => this.#record.key(host, run.id));
    const names = `${one} started while ${two}`;
    const isSameHost = started.host === other.host;
    if (isSameHost && started.work === other.work) {
      this.#record.find(`${names} does the same work`);
    }
    if (started.instance !== undefined && started.instance === other.instance) {
      if (isSameHost || !this.#record.isHelpless(other.host)) {
        this.#record.find(`${names} runs for the same instance`);
      }
    }
    if (isSameHost && started.hubTask !== undefined && started.hubTask === other.hubTask) {
      this.#record.find(`${names} has the same Hub task ${started.hubTask}`);
    }
  }
}

function withoutAttempt(attemptId: string): string {
  return attemptId.replace(/_Attempt=\d+$/, '');
}
