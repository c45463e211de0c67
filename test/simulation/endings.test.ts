/** Several reasons to end one run, starts that were held meanwhile, and the same work under two names. */
import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../src/core/model/call.ts';
import type { JobDefinition, Run } from '../../src/core/model/job.ts';
import type { PipelineSettings, Settings } from '../../src/core/model/settings.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/core/lib/time.ts';
import { polledTask } from '../support/polled-task.ts';
import { HUB_JOB, PIPELINE, definition, settings } from '../support/settings.ts';
import { World } from '../support/world.ts';
import type { WorldOptions } from '../support/world.ts';

class Endings extends World {
  constructor(
    jobs: readonly JobDefinition[],
    over: Partial<WorldOptions> = {},
    pipeline: Partial<PipelineSettings> = {},
  ) {
    super({
      seed: 3,
      failing: 0,
      jobs: {
        durationMs: () => 24 * HOUR_MS,
        exitCode: () => 0,
        progressEveryMs: HOUR_MS,
        // Only SIGKILL ends them: what counts is when that comes.
        isDeaf: () => true,
      },
      settings: configured(jobs, pipeline),
      ...over,
    });
    this.calls = [];
  }

  pass(ms: number): void {
    this.runUntil(this.time.now().bootMs + ms);
  }

  run(id: string): Run {
    const run = this.state.runs.get(id);
    if (run === undefined) throw new Error(`there is no run ${id}`);
    return run;
  }

  offer(job: string, attempt = 1): void {
    this.service.offer(polledTask(job, attempt));
    this.pass(10 * SECOND_MS);
  }

  cancel(job: string, graceMs?: number): void {
    const grace = graceMs === undefined ? {} : { graceMs };
    this.post({ type: 'cancel-requested', job, by: 'test', request: 1, ...grace });
    this.turn();
  }

  reload(jobs: readonly JobDefinition[], pipeline: Partial<PipelineSettings> = {}): void {
    this.post({ type: 'settings-changed', settings: configured(jobs, pipeline) });
    this.turn();
  }

  sent(operation: string): number {
    return (this.calls ?? []).filter(({ call }) => call.operation === operation).length;
  }

  events(): string[] {
    return this.notes.map(({ event }) => event);
  }
}

function configured(
  jobs: readonly JobDefinition[],
  pipeline: Partial<PipelineSettings> = {},
): Settings {
  return settings({
    jobs: new Map(jobs.map((job) => [job.name, job])),
    dataPipeline: {
      ...PIPELINE,
      activities: jobs.map((job) => ({ match: { name: job.name }, job: job.name })),
      ...pipeline,
    },
  });
}

const LONG = { stop: { signal: 'SIGTERM', graceMs: 10 * HOUR_MS } };

describe('what was held while the store refused changes', () => {
  test('a start whose run was canceled meanwhile never goes out', () => {
    const world = new Endings([definition('copy')]);
    world.isDiskFull = true;
    world.post({ type: 'start-requested', job: 'copy', origin: 'operator' });
    world.pass(MINUTE_MS);
    expect(world.run('copy/1').state).toBe('starting');
    world.cancel('copy');
    world.pass(MINUTE_MS);
    expect(world.run('copy/1').state).toBe('canceled');
    world.isDiskFull = false;
    world.pass(MINUTE_MS);
    expect(world.running()).toBe(0);
  });

  test('a task that the service canceled meanwhile never starts', () => {
    const world = new Endings([definition('copy')]);
    world.offer('other');
    world.service.offer(polledTask('copy'));
    world.onNote = ({ event }) => {
      if (event === 'lease.acknowledged') world.isDiskFull = true;
    };
    world.pass(30 * SECOND_MS);
    expect(world.isDiskFull).toBe(true);
    world.service.cancel('@copy_1_Attempt=1');
    world.pass(5 * MINUTE_MS);
    world.onNote = () => undefined;
    world.isDiskFull = false;
    world.pass(5 * MINUTE_MS);
    expect(world.run('copy/1').state).toBe('canceled');
    expect(world.running()).toBe(0);
  });

  test('a start that is still wanted goes out once', () => {
    const world = new Endings([definition('copy')]);
    world.isDiskFull = true;
    world.post({ type: 'start-requested', job: 'copy', origin: 'operator' });
    world.pass(MINUTE_MS);
    world.isDiskFull = false;
    world.pass(MINUTE_MS);
    expect(world.run('copy/1').state).toBe('running');
    expect(world.running()).toBe(1);
  });
});

describe('endings only tighten', () => {
  const away = (fromMs: number, outcome: Outcome) => ({
    outcome: (_call: unknown, bootMs: number) => (bootMs > fromMs ? outcome : undefined),
  });
  const OUT: Outcome = { kind: 'unavailable', reason: 'test' };

  test('a canceled run with a grace longer than its window is dead before the window ends', () => {
    const world = new Endings([definition('copy', LONG)], away(5 * MINUTE_MS, OUT));
    world.offer('copy');
    world.pass(4 * MINUTE_MS);
    world.cancel('copy');
    world.pass(15 * MINUTE_MS + 50 * SECOND_MS);
    expect(world.running()).toBe(0);
    expect(world.run('copy/1')).toMatchObject({
      state: 'fenced',
      pipeline: { delivery: { state: 'withheld' } },
    });
  });

  test('a timeout with such a grace, too', () => {
    const job = definition('copy', { ...LONG, timeoutMs: 4 * MINUTE_MS });
    const world = new Endings([job], away(5 * MINUTE_MS, OUT));
    world.offer('copy');
    world.pass(20 * MINUTE_MS);
    expect(world.running()).toBe(0);
    expect(world.run('copy/1').state).toBe('fenced');
  });

  test('a task that is gone while its run is canceled: its status is withheld, its tree dead within the window', () => {
    const world = new Endings([definition('copy', LONG)]);
    world.offer('copy');
    world.pass(4 * MINUTE_MS);
    world.cancel('copy');
    world.pass(MINUTE_MS);
    world.service.forget('@copy_1_Attempt=1');
    world.pass(16 * MINUTE_MS);
    expect(world.running()).toBe(0);
    expect(world.run('copy/1').state).toBe('fenced');
    expect(world.sent('SetTaskStatus')).toBe(0);
  });

  test('canceled by the service with a grace longer than the window', () => {
    const world = new Endings([definition('copy', LONG)]);
    world.offer('copy');
    world.service.cancel('@copy_1_Attempt=1');
    world.pass(16 * MINUTE_MS);
    expect(world.running()).toBe(0);
    expect(world.run('copy/1').state).toBe('canceled');
  });

  test('an operator who cancels with a long grace does not lift the timeout', () => {
    const job = definition('copy', { timeoutMs: HOUR_MS });
    const world = new Endings([job]);
    world.post({ type: 'start-requested', job: 'copy', origin: 'operator' });
    world.pass(MINUTE_MS);
    world.cancel('copy', 20 * HOUR_MS);
    world.pass(2 * HOUR_MS);
    expect(world.running()).toBe(0);
    expect(world.run('copy/1').ending?.cause).toBe('timeout');
  });

  test('a second cancel with a shorter grace shortens it, a longer or unnamed one changes nothing', () => {
    const world = new Endings([definition('copy')]);
    world.post({ type: 'start-requested', job: 'copy', origin: 'operator' });
    world.pass(MINUTE_MS);
    world.cancel('copy', HOUR_MS);
    world.pass(MINUTE_MS);
    world.cancel('copy');
    world.cancel('copy', 5 * HOUR_MS);
    expect(world.run('copy/1').ending?.graceMs).toBe(HOUR_MS);
    world.cancel('copy', 10 * SECOND_MS);
    expect(world.replies.at(-1)?.message).toContain('SIGKILL follows in 10 s');
    world.pass(15 * SECOND_MS);
    expect(world.run('copy/1').state).toBe('canceled');
    expect(world.running()).toBe(0);
  });

  test('a host that can signal nothing until long after the grace gives nothing up: SIGKILL was not sent yet', () => {
    const world = new Endings([definition('copy')]);
    world.post({ type: 'start-requested', job: 'copy', origin: 'operator' });
    world.pass(MINUTE_MS);
    world.goBlind(5 * MINUTE_MS);
    // The host looks again every half second: not for SIGTERM and SIGKILL in the same moment.
    world.cancel('copy', 10_300);
    world.pass(4 * MINUTE_MS);
    expect(world.run('copy/1').state).toBe('canceling');
    world.pass(2 * MINUTE_MS);
    expect(world.run('copy/1').state).toBe('canceled');
    expect(world.events()).not.toContain('cancel.incomplete');
    expect(world.running()).toBe(0);
  });

  test('a fenced run whose cancel comes later stays fenced', () => {
    const world = new Endings([definition('copy', LONG)]);
    world.offer('copy');
    world.offer('copy', 2);
    world.cancel('copy', SECOND_MS);
    world.pass(MINUTE_MS);
    expect(world.run('copy/1')).toMatchObject({
      state: 'fenced',
      pipeline: { delivery: { state: 'withheld' } },
    });
  });

  test('the same attempt handed out again during a cancel does not bind to the dying run', () => {
    const world = new Endings([
      definition('copy', { stop: { signal: 'SIGTERM', graceMs: HOUR_MS } }),
    ]);
    world.offer('copy');
    world.cancel('copy');
    world.service.forget('@copy_1_Attempt=1');
    world.offer('copy');
    world.pass(20 * MINUTE_MS);
    expect(world.events()).not.toContain('task.rebound');
    expect(world.run('copy/1').state).toBe('fenced');
    expect(world.run('copy/2').state).toBe('running');
    expect(world.running()).toBe(1);
  });

  test('onFence: continue: a task that is gone before its job starts is never started', () => {
    const world = new Endings([definition('copy')], {}, { onFence: 'continue' });
    world.post({ type: 'start-requested', job: 'copy', origin: 'operator' });
    world.pass(MINUTE_MS);
    world.offer('copy');
    expect(world.run('copy/2').state).toBe('queued');
    world.service.forget('@copy_1_Attempt=1');
    world.pass(5 * MINUTE_MS);
    expect(world.run('copy/2').state).toBe('fenced');
    world.cancel('copy');
    world.pass(5 * MINUTE_MS);
    expect(world.running()).toBe(0);
  });
});

describe('the same work under two names', () => {
  const renamed = (name: string): JobDefinition =>
    definition(name, { command: ['rsync', 'a', 'b'] });

  test('the next attempt of a live instance waits, although a reload has mapped it to another job', () => {
    const [old, next] = [renamed('old'), renamed('next')];
    const activities = (job: string) => ({ activities: [{ match: { name: 'copy' }, job }] });
    const world = new Endings([old, next], {}, activities('old'));
    world.offer('copy');
    expect(world.run('old/1').state).toBe('running');
    world.reload([old, next], activities('next'));
    world.service.offer(polledTask('copy', 2));
    let most = 0;
    for (let second = 0; second < 120; second++) {
      world.pass(SECOND_MS);
      most = Math.max(most, world.running());
    }
    expect(most).toBe(1);
    expect(world.run('old/1').state).toBe('fenced');
    expect(world.run('next/1').state).toBe('running');
  });

  test('a job that a reload renames does not start while it runs under its old name', () => {
    const world = new Endings([renamed('old')]);
    world.post({ type: 'start-requested', job: 'old', origin: 'operator' });
    world.pass(MINUTE_MS);
    world.reload([renamed('next')]);
    world.post({ type: 'start-requested', job: 'next', origin: 'operator', request: 1 });
    world.pass(MINUTE_MS);
    expect(world.replies.at(-1)).toMatchObject({ ok: false, code: 'conflict' });
    expect(world.running()).toBe(1);
    world.cancel('old');
    world.pass(MINUTE_MS);
    world.post({ type: 'start-requested', job: 'next', origin: 'operator', request: 1 });
    world.pass(MINUTE_MS);
    expect(world.replies.at(-1)).toMatchObject({ ok: true });
  });

  test.each([2, 3, 5])('%i live jobs with one task name have a task each', (count) => {
    const names = Array.from({ length: count }, (_, i) => `job-${i}`);
    const jobs = names.map((name) =>
      definition(name, { migrationHub: { ...HUB_JOB, task: 'all' } }),
    );
    const world = new Endings(jobs);
    for (const job of names) world.post({ type: 'start-requested', job, origin: 'operator' });
    world.pass(MINUTE_MS);
    const tasks = names.map((name) => world.run(`${name}/1`).hub?.task);
    expect(new Set(tasks).size).toBe(count);
    for (const job of names) world.cancel(job);
    world.pass(2 * MINUTE_MS);
    expect(world.planner.view().promises).toMatchObject({ live: 0, promised: 0, waiting: 0 });
    expect(world.service.close()).toMatchObject({ afterFinal: 0, stampsNotRising: 0 });
  });
});

describe('start and terminate', () => {
  const heartbeat = (outcome: Outcome, fromMs = 0): Partial<WorldOptions> => ({
    outcome: (call, bootMs) =>
      call.operation === 'ReportTaskRunnerHeartbeat' && bootMs >= fromMs ? outcome : undefined,
  });
  const TERMINATE: Outcome = { kind: 'accepted', answer: { terminate: true } };

  test('no poll is made before the first heartbeat was answered; terminated by it, none is', () => {
    const world = new Endings([definition('copy')], heartbeat(TERMINATE));
    world.service.offer(polledTask('copy'));
    world.pass(5 * MINUTE_MS);
    expect(world.sent('PollForTask')).toBe(0);
    expect(world.exits).toContain(75);
  });

  test('a heartbeat that fails does not keep the host from polling', () => {
    const world = new Endings(
      [definition('copy')],
      heartbeat({ kind: 'unavailable', reason: 'x' }),
    );
    world.offer('copy');
    expect(world.run('copy/1').state).toBe('running');
  });

  test('resume after terminate is refused, and takes no task', () => {
    const world = new Endings([definition('copy')], heartbeat(TERMINATE, 2 * MINUTE_MS));
    world.offer('copy');
    world.pass(20 * MINUTE_MS);
    expect(world.events()).toContain('agent.terminated');
    world.post({ type: 'resume-requested', request: 1 });
    world.pass(SECOND_MS);
    expect(world.replies.at(-1)).toMatchObject({ ok: false, code: 'conflict' });
    const polls = world.sent('PollForTask');
    world.pass(10 * MINUTE_MS);
    expect(world.sent('PollForTask')).toBe(polls);
  });

  test('a task that a poll in flight brings after terminate is left, and logged', () => {
    const world = new Endings(
      [definition('copy'), definition('more')],
      heartbeat(TERMINATE, 2 * MINUTE_MS),
    );
    world.onNote = ({ event }) => {
      if (event === 'agent.terminated') world.service.offer(polledTask('more'));
    };
    world.offer('copy');
    world.pass(20 * MINUTE_MS);
    expect(world.events()).toContain('task.left');
    expect(world.state.runs.has('more/1')).toBe(false);
    expect(world.exits).toEqual([]);
  });

  test('an agent that stops logs a poll in flight, which may bring a task', () => {
    const world = new Endings([definition('copy')]);
    world.pass(10 * SECOND_MS);
    world.post({ type: 'stop-requested' });
    world.turn();
    expect(world.events()).toContain('poll.abandoned');
  });

  test('a task that a poll in flight brings to a draining host is taken', () => {
    const world = new Endings([definition('copy')]);
    world.pass(10 * SECOND_MS);
    world.post({ type: 'drain-requested' });
    world.turn();
    world.offer('copy');
    expect(world.run('copy/1').state).toBe('running');
  });
});
