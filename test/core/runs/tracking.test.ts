/** Tracked work: what `track` and `report` answer, what is on disk before the answer, how percent moves. */
import { describe, expect, test } from 'vitest';
import type { Reply } from '../../../src/core/model/action.ts';
import type { JobDefinition } from '../../../src/core/model/job.ts';
import type { Report } from '../../../src/core/model/tracked.ts';
import { Desk, aRun } from '../../support/desk.ts';
import { definition } from '../../support/settings.ts';

function tracked(name: string): JobDefinition {
  return definition(name, { command: [], tracked: { by: 'report' } });
}

function track(desk: Desk, ...names: string[]): Reply | undefined {
  return desk.post({ type: 'track-requested', definitions: names.map(tracked), request: 1 });
}

function report(desk: Desk, ...reports: Report[]): Reply | undefined {
  return desk.post({ type: 'reports-made', reports, request: 2 });
}

/** Nothing is answered: no report of AWS puts a run onto the disk by the way. */
function deskOf(): Desk {
  return new Desk({ jobs: [definition('copy')], answers: () => undefined });
}

describe('track', () => {
  test('makes a run that is in progress at once', () => {
    const desk = deskOf();
    expect(track(desk, 'cutover')).toEqual({
      ...{ ok: true, run: 'cutover/1', message: 'cutover is tracked as run 1', refused: [] },
    });
    expect(desk.runOf('cutover')).toMatchObject({ state: 'running', origin: 'tracked' });
    expect(desk.actionsOf('start-run')).toEqual([]);
  });

  test.each<[string, string, string]>([
    [
      'copy',
      'conflict',
      'copy is a configured job that the agent runs; track the work under another name',
    ],
    ['cutover', 'conflict', 'cutover is running already (run 1)'],
  ])('%s is refused', (name, code, message) => {
    const desk = deskOf();
    track(desk, 'cutover');
    expect(track(desk, name)).toMatchObject({
      ok: true,
      refused: [{ index: 0, name, code, message }],
    });
  });

  test('a run of another host is not replaced', () => {
    const desk = deskOf();
    desk.state.liveRuns.clear();
    const run = aRun({ job: 'cutover', copiedHost: true });
    const state = desk.state;
    state.copiedHostRuns.set(run.id, run);
    const next = new Desk({ state, answers: () => undefined });
    expect(track(next, 'cutover')).toMatchObject({
      refused: [
        {
          message: expect.stringMatching(
            /belongs to the host that this state was copied/,
          ) as string,
        },
      ],
    });
    expect(report(next, { name: 'cutover', percent: 1 })).toMatchObject({
      refused: [{ message: expect.stringMatching(/belongs to the host/) as string }],
    });
  });

  test('of many, each that cannot be done is refused alone', () => {
    const desk = deskOf();
    expect(track(desk, 'a', 'copy', 'b')).toMatchObject({
      ...{ ok: true, message: '2 tracked, 1 refused', refused: [{ index: 1, name: 'copy' }] },
    });
    expect(track(desk, 'c', 'd')).toEqual({ ok: true, message: '2 tracked', refused: [] });
  });
});

describe('report', () => {
  test.each<[Omit<Report, 'name'>, string]>([
    [{ detail: 'half way' }, 'cutover: recorded'],
    [{ percent: 40 }, 'cutover is at 40%'],
    [{ percent: 40.9 }, 'cutover is at 40%'],
    [{ percent: 19 }, 'cutover stays at 20%: percent never falls'],
    [{ percent: 100 }, 'cutover stays at 99% until it has succeeded'],
    [{ status: 'completed' }, 'cutover has ended: succeeded'],
    [{ status: 'failed', percent: 50 }, 'cutover has ended: failed'],
  ])('%j: %s', (fields, message) => {
    const desk = deskOf();
    track(desk, 'cutover');
    report(desk, { name: 'cutover', percent: 20 });
    expect(report(desk, { name: 'cutover', ...fields })).toEqual({
      ...{ ok: true, run: 'cutover/1', message, refused: [] },
    });
  });

  test('is on disk before it is answered, also if only its detail is new', () => {
    const desk = deskOf();
    track(desk, 'cutover');
    const reports = [{ name: 'cutover', detail: 'half way' }];
    desk.planner.observe({ type: 'reports-made', reports, request: 2 }, desk.now);
    const saved = [...desk.planner.takeChanges(desk.now).runs];
    expect(saved.map(({ detail }) => detail)).toEqual(['half way']);
    const [answer] = desk.planner.decide(desk.now, false);
    expect(answer).toBeUndefined();
  });

  test.each([
    ['detail', { detail: 'file 7' }, 0],
    ['percent', { percent: 7 }, 1],
  ])(
    'a program’s own %s may be lost with the agent until it is reported: it is read again',
    (_, read, rows) => {
      const desk = deskOf();
      const run = desk.start('copy');
      desk.pass(20_000);
      desk.planner.observe({ type: 'progress-read', run: run.id, ...read }, desk.now);
      expect([...desk.planner.takeChanges(desk.now).runs]).toEqual([]);
      const operation = 'NotifyMigrationTaskState';
      desk.planner.observe({ type: 'gate-opened', operation, slots: 1 }, desk.now);
      expect([...desk.planner.takeChanges(desk.now).runs]).toHaveLength(rows);
    },
  );

  test.each<[string, Partial<Report>, string, string]>([
    ['nobody', {}, 'no-such-job', 'there is no job "nobody"; "track nobody" creates one'],
    ['copy', {}, 'conflict', 'copy is not running'],
    ['ended', {}, 'conflict', 'ended has ended (run 1: failed); that run takes no more reports'],
  ])('of %s is refused', (name, fields, code, message) => {
    const desk = deskOf();
    track(desk, 'ended');
    report(desk, { name: 'ended', status: 'failed' });
    expect(report(desk, { name, ...fields })).toMatchObject({ refused: [{ code, message }] });
  });

  test('a job that the agent runs takes progress once it has started, and no end', () => {
    const desk = deskOf();
    desk.post({ type: 'start-requested', job: 'copy', origin: 'operator' });
    const run = desk.runOf('copy');
    run.state = 'queued';
    desk.state.saveRun(run);
    expect(report(desk, { name: 'copy', percent: 1 })).toMatchObject({
      refused: [{ code: 'conflict', message: 'copy has not started yet' }],
    });
    run.state = 'running';
    desk.state.saveRun(run);
    expect(report(desk, { name: 'copy', percent: 1 })).toMatchObject({ refused: [] });
    expect(report(desk, { name: 'copy', status: 'completed' })).toMatchObject({
      refused: [
        {
          message: 'the agent runs copy and sees how it ends; report it without a status',
        },
      ],
    });
    expect(run.state).toBe('running');
  });
});

describe('progress', () => {
  test.each<[number | undefined, number, number | undefined]>([
    [undefined, 0, 0],
    [undefined, -5, 0],
    [7, 7.9, 7],
    [7, 6, 7],
    [7, 250, 99],
  ])('%s, then %s: %s', (before, percent, after) => {
    const desk = deskOf();
    const run = desk.start('copy');
    if (before !== undefined) desk.post({ type: 'progress-read', run: run.id, percent: before });
    desk.post({ type: 'progress-read', run: run.id, percent });
    expect(run.percent).toBe(after);
  });

  test('ends a stall; what says nothing new does not', () => {
    const desk = deskOf();
    const run = desk.start('copy');
    desk.post({ type: 'progress-read', run: run.id, percent: 7, detail: 'file 7' });
    run.stalled = true;
    desk.state.saveRun(run);
    const { progressAt } = run;
    desk.pass(1_000);
    desk.post({ type: 'progress-read', run: run.id, percent: 7, detail: 'file 7' });
    expect([run.stalled, run.progressAt]).toEqual([true, progressAt]);
    desk.post({ type: 'progress-read', run: run.id, percent: 7, detail: 'file 8' });
    expect([run.stalled, run.progressAt, run.detail]).toEqual([undefined, desk.now, 'file 8']);
  });
});

describe('an end that is reported', () => {
  test('completed: the detail is kept, and 100 %', () => {
    const desk = deskOf();
    track(desk, 'cutover');
    report(desk, { name: 'cutover', status: 'completed', detail: 'all done' });
    expect(desk.runOf('cutover')).toMatchObject({
      state: 'succeeded',
      percent: 100,
      detail: 'all done',
    });
    const event = desk.events.find(({ event: name }) => name === 'job.reported');
    expect(event?.fields).toEqual({ status: 'completed', detail: 'all done' });
  });

  test('completed without a detail keeps the last one', () => {
    const desk = deskOf();
    track(desk, 'cutover');
    report(desk, { name: 'cutover', detail: 'half way' });
    report(desk, { name: 'cutover', status: 'completed' });
    expect(desk.runOf('cutover').detail).toBe('half way');
  });

  test('failed: the detail is the reason', () => {
    const desk = deskOf();
    track(desk, 'cutover', 'other');
    report(
      desk,
      { name: 'cutover', status: 'failed', detail: 'no space' },
      { name: 'other', status: 'failed' },
    );
    expect([desk.runOf('cutover').reason, desk.runOf('other').reason]).toEqual([
      ...['no space', 'reported as failed'],
    ]);
  });
});
