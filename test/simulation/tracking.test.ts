/** Work that the agent does not run: the same states, persistence and final report as any other run. */
import { describe, expect, test } from 'vitest';
import type { Reply } from '../../src/core/model/action.ts';
import type { JobDefinition, Run, TrackedSource } from '../../src/core/model/job.ts';
import type { Report } from '../../src/core/model/tracked.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/core/lib/time.ts';
import { definition, settings } from '../support/settings.ts';
import { World } from '../support/world.ts';

const PROCESS = { pid: 4711, bootId: 'virtual', startTicks: '77' };
const BY_PID: TrackedSource = { by: 'pid', process: PROCESS };

function tracked(name: string, source: TrackedSource, over: Partial<JobDefinition> = {}) {
  return definition(name, { command: [], tracked: source, ...over });
}

class Tracking extends World {
  constructor(over: Parameters<typeof settings>[0] = {}) {
    super({
      seed: 1,
      failing: 0,
      jobs: { durationMs: () => HOUR_MS, exitCode: () => 0, progressEveryMs: HOUR_MS },
      settings: settings(over),
    });
    this.calls = [];
  }

  track(...definitions: JobDefinition[]): Reply {
    return this.#ask({ type: 'track-requested', definitions, request: 1 });
  }

  report(...reports: Report[]): Reply {
    return this.#ask({ type: 'reports-made', reports, request: 1 });
  }

  run(name: string): Run {
    return [...this.state.runs.values()].findLast((run) => run.job === name)!;
  }

  /** The reports that the Hub accepted, in order: status, percent and detail. */
  hubReports(): string[] {
    return (this.calls ?? []).flatMap(({ call }) =>
      call.operation === 'NotifyMigrationTaskState'
        ? [`${call.status} ${call.percent ?? '-'} ${call.detail ?? ''}`.trim()]
        : [],
    );
  }

  pass(ms: number): void {
    this.runUntil(this.time.now().bootMs + ms);
  }

  #ask(event: Parameters<World['post']>[0]): Reply {
    this.post(event);
    this.turn();
    return this.replies.at(-1)!;
  }
}

describe('by report alone', () => {
  test('is running at once, and its reports reach the Hub like those of any run', () => {
    const world = new Tracking();
    expect(world.track(tracked('copy', { by: 'report' }))).toEqual({
      ok: true,
      run: 'copy/1',
      message: 'copy is tracked as run 1',
      refused: [],
    });
    expect(world.run('copy')).toMatchObject({ state: 'running', origin: 'tracked' });
    expect(world.watched).toEqual([]);
    world.pass(MINUTE_MS);
    world.report({ name: 'copy', percent: 40.9, detail: 'table 3 of 7' });
    world.pass(MINUTE_MS);
    world.report({ name: 'copy', status: 'completed', detail: '7 tables' });
    world.pass(MINUTE_MS);
    expect(world.hubReports()).toEqual([
      'IN_PROGRESS -',
      'IN_PROGRESS 40 table 3 of 7',
      'COMPLETED 100 completed: 7 tables',
    ]);
    expect(world.run('copy')).toMatchObject({
      state: 'succeeded',
      hub: { delivery: { state: 'delivered' } },
    });
  });

  test('percent never falls, and is never 100 before the work has succeeded', () => {
    const world = new Tracking();
    world.track(tracked('copy', { by: 'report' }));
    const message = (percent: number) => world.report({ name: 'copy', percent }).message;
    expect(message(60.7)).toBe('copy is at 60%');
    expect(message(20)).toBe('copy stays at 60%: percent never falls');
    expect(message(100)).toBe('copy stays at 99% until it has succeeded');
    expect(world.run('copy').percent).toBe(99);
    world.report({ name: 'copy', status: 'failed' });
    expect(world.run('copy')).toMatchObject({
      state: 'failed',
      percent: 99,
      reason: 'reported as failed',
    });
  });

  test('a report that was answered is on disk: the next agent has it, and adopts nothing', () => {
    const world = new Tracking({ migrationHub: undefined as never });
    world.track(tracked('copy', { by: 'report' }));
    world.report({ name: 'copy', percent: 40, detail: 'half' });
    world.crash();
    world.pass(SECOND_MS);
    expect(world.run('copy')).toMatchObject({ state: 'running', percent: 40, detail: 'half' });
    expect(world.watched).toEqual([]);
    world.report({ name: 'copy', status: 'completed' });
    expect(world.run('copy').state).toBe('succeeded');
  });

  test('keeps its promise while it gets no reports', () => {
    const world = new Tracking();
    world.track(tracked('copy', { by: 'report' }));
    world.pass(HOUR_MS);
    expect(world.hubReports().length).toBeGreaterThanOrEqual(12);
    expect(world.notes.filter(({ event }) => event === 'promise.broken')).toEqual([]);
  });
});

describe('by what is looked at', () => {
  test('is looked at when it was committed, by each agent anew, and no longer after its end', () => {
    const world = new Tracking();
    world.track(tracked('copy', BY_PID));
    expect(world.run('copy').state).toBe('starting');
    world.post({ type: 'run-seen', run: 'copy/1', process: PROCESS });
    world.turn();
    expect(world.run('copy')).toMatchObject({ state: 'running', process: PROCESS });
    world.crash();
    world.turn();
    world.post({ type: 'run-seen', run: 'copy/1', process: PROCESS });
    world.post({ type: 'run-lost', run: 'copy/1', reason: 'process 4711 is gone' });
    world.turn();
    expect(world.watched).toEqual(['watch-run copy/1', 'watch-run copy/1', 'release-run copy/1']);
    expect(world.notes.map(({ event }) => event)).toEqual(
      expect.arrayContaining(['run.tracked', 'job.started', 'job.adopted', 'job.lost']),
    );
    world.pass(MINUTE_MS);
    expect(world.run('copy').state).toBe('lost');
    expect(world.hubReports().at(-1)).toBe('FAILED - lost: process 4711 is gone');
  });

  test('a final report before it vanished counts', () => {
    const world = new Tracking();
    world.track(tracked('copy', BY_PID));
    world.report({ name: 'copy', status: 'completed' });
    world.post({ type: 'run-lost', run: 'copy/1', reason: 'process 4711 is gone' });
    world.pass(MINUTE_MS);
    expect(world.run('copy').state).toBe('succeeded');
    expect(world.hubReports().at(-1)).toBe('COMPLETED 100 completed');
  });

  test('a unit ends with the result and exit code of systemd', () => {
    const world = new Tracking();
    const unit: TrackedSource = { by: 'unit', unit: 'copy.service', invocation: 'a' };
    world.track(tracked('good', unit), tracked('bad', unit), tracked('worse', unit));
    world.post({ type: 'run-seen', run: 'good/1', invocation: 'a' });
    world.post({ type: 'run-exited', run: 'good/1', exitCode: 0 });
    world.post({ type: 'run-exited', run: 'bad/1', exitCode: 23 });
    world.post({
      type: 'run-concluded',
      run: 'worse/1',
      status: 'failed',
      detail: 'systemd: timeout',
    });
    world.turn();
    expect(world.run('good')).toMatchObject({ state: 'succeeded', exitCode: 0, invocation: 'a' });
    expect(world.run('bad')).toMatchObject({ state: 'failed', exitCode: 23 });
    expect(world.run('worse')).toMatchObject({ state: 'failed', reason: 'systemd: timeout' });
  });

  test('work that cannot be observed is logged once, and no end is inferred from it', () => {
    const world = new Tracking();
    world.track(tracked('copy', { by: 'status-file', path: '/srv/status.json' }));
    for (const reason of ['is no JSON', 'is no JSON', 'is empty']) {
      world.post({ type: 'watch-problem', run: 'copy/1', reason });
    }
    world.turn();
    expect(world.run('copy').problem).toBe('is empty');
    world.post({ type: 'watch-problem', run: 'copy/1' });
    world.turn();
    expect(world.run('copy').problem).toBeUndefined();
    const changes = world.notes.filter(({ event }) => event.includes('readable'));
    expect(changes.map(({ event }) => event)).toEqual([
      'job.unreadable',
      'job.unreadable',
      'job.readable',
    ]);
    expect(world.run('copy').endedAt).toBeUndefined();
  });

  test('stallAfter reports that nothing changes, and ends nothing', () => {
    const world = new Tracking();
    world.track(tracked('copy', { by: 'report' }, { stallAfterMs: 10 * MINUTE_MS }));
    world.report({ name: 'copy', percent: 5, detail: 'begun' });
    world.pass(9 * MINUTE_MS);
    expect(world.run('copy').stalled).toBeUndefined();
    world.pass(2 * MINUTE_MS);
    expect(world.run('copy')).toMatchObject({ state: 'running', stalled: true });
    world.pass(10 * MINUTE_MS);
    expect(world.hubReports().at(-1)).toBe('IN_PROGRESS 5 no progress lately; begun');
    world.report({ name: 'copy', percent: 6 });
    expect(world.run('copy').stalled).toBeUndefined();
  });
});

describe('cancel', () => {
  test('ends the tracking without a signal; the report to the Hub says that the work was not stopped', () => {
    const world = new Tracking();
    world.track(tracked('copy', BY_PID));
    world.post({ type: 'run-seen', run: 'copy/1', process: PROCESS });
    world.turn();
    world.post({ type: 'cancel-requested', job: 'copy', by: 'anna', request: 1 });
    world.pass(MINUTE_MS);
    expect(world.replies.at(-1)?.message).toMatch(/no longer tracked .* not stopped/);
    expect(world.run('copy').state).toBe('canceled');
    expect(world.notes.map(({ event }) => event)).not.toContain('tree.signalled');
    expect(world.watched.at(-1)).toBe('release-run copy/1');
    expect(world.hubReports().at(-1)).toBe('FAILED - canceled by the operator: no longer tracked');
  });
});

describe('names', () => {
  test('a live one is a conflict, an ended one opens a new run under the same task', () => {
    const world = new Tracking({ jobs: new Map([['nightly', definition('nightly')]]) });
    world.track(tracked('copy', { by: 'report' }));
    expect(world.track(tracked('copy', { by: 'report' }))).toMatchObject({
      refused: [
        { index: 0, name: 'copy', code: 'conflict', message: 'copy is running already (run 1)' },
      ],
    });
    expect(world.track(tracked('nightly', { by: 'report' }))).toMatchObject({
      refused: [
        {
          code: 'conflict',
          message: expect.stringMatching(/a configured job that the agent runs/) as string,
        },
      ],
    });
    world.report({ name: 'copy', status: 'failed', detail: 'disk full' });
    expect(world.report({ name: 'copy', percent: 3 })).toMatchObject({
      refused: [
        {
          code: 'conflict',
          message: expect.stringMatching(/has ended \(run 1: failed\)/) as string,
        },
      ],
    });
    expect(world.track(tracked('copy', { by: 'report' }))).toMatchObject({ run: 'copy/2' });
    world.pass(MINUTE_MS);
    expect(world.hubReports()).toEqual([
      'IN_PROGRESS -',
      'FAILED - failed: disk full',
      'IN_PROGRESS -',
    ]);
  });

  test('an unknown name is reported as such; of many reports, the others are accepted', () => {
    const world = new Tracking();
    world.track(tracked('a', { by: 'report' }), tracked('b', { by: 'report' }));
    const reply = world.report(
      { name: 'a', percent: 1 },
      { name: 'nobody', percent: 2 },
      { name: 'b', percent: 3 },
    );
    expect(reply).toEqual({
      ok: true,
      message: '2 recorded, 1 refused',
      refused: [
        {
          index: 1,
          name: 'nobody',
          code: 'no-such-job',
          message: 'there is no job "nobody"; "track nobody" creates one',
        },
      ],
    });
    expect([world.run('a').percent, world.run('b').percent]).toEqual([1, 3]);
  });

  test('a script in a job of the agent may report percent and detail, but not the end', () => {
    const world = new Tracking({ jobs: new Map([['nightly', definition('nightly')]]) });
    expect(world.report({ name: 'nightly', percent: 1 })).toMatchObject({
      refused: [{ code: 'conflict', message: 'nightly is not running' }],
    });
    world.post({ type: 'start-requested', job: 'nightly', origin: 'operator' });
    world.pass(SECOND_MS);
    expect(world.report({ name: 'nightly', percent: 30 }).message).toBe('nightly is at 30%');
    expect(world.report({ name: 'nightly', status: 'completed' })).toMatchObject({
      refused: [{ code: 'conflict', message: expect.stringMatching(/sees how it ends/) as string }],
    });
    expect(world.run('nightly')).toMatchObject({ state: 'running', percent: 30 });
  });
});

test('10,000 at once are one turn: one commit, one answer', () => {
  const world = new Tracking();
  const many = Array.from({ length: 10_000 }, (_, index) =>
    tracked(`job-${index}`, { by: 'report' }),
  );
  const before = world.turns;
  expect(world.track(...many).message).toBe('10000 tracked');
  expect(world.turns - before).toBe(1);
  expect(world.report(...many.map(({ name }) => ({ name, percent: 50 }))).message).toBe(
    '10000 recorded',
  );
  expect([...world.state.liveRuns.values()].every(({ percent }) => percent === 50)).toBe(true);
});
