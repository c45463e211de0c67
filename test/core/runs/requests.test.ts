/** What an operator, a schedule or the configuration may ask of a job, and what each request is answered. */
import { describe, expect, test } from 'vitest';
import type { Reply } from '../../../src/core/model/action.ts';
import type { JobDefinition, Run } from '../../../src/core/model/job.ts';
import { PersistentState } from '../../../src/core/state/persistent-state.ts';
import { Desk, START, aRun } from '../../support/desk.ts';
import { definition, settings } from '../../support/settings.ts';

function deskOf(jobs: readonly JobDefinition[] = [definition('copy')], ...runs: Run[]): Desk {
  const state = new PersistentState();
  for (const run of runs) state.recoverRun(run);
  return new Desk({ jobs, state, answers: () => undefined });
}

const start = (desk: Desk, job = 'copy', adHocRefusal?: string): Reply | undefined =>
  desk.post({
    ...{ type: 'start-requested', job, origin: 'operator', request: 1 },
    ...(adHocRefusal === undefined ? {} : { adHocRefusal }),
  });
const submit = (desk: Desk, job: JobDefinition): Reply | undefined =>
  desk.post({ type: 'job-submitted', definition: job, request: 1 });
const cancel = (desk: Desk, job = 'copy', graceMs?: number): Reply | undefined =>
  desk.post({
    ...{ type: 'cancel-requested', job, by: 'anna', request: 1 },
    ...(graceMs === undefined ? {} : { graceMs }),
  });

const ofCopiedHost = (state: PersistentState): void => {
  state.copiedHostRuns.set('copy/1', aRun({ copiedHost: true }));
};

describe('start', () => {
  test('makes a run and says which', () => {
    const desk = deskOf();
    expect(start(desk)).toEqual({ ok: true, run: 'copy/1', message: 'copy starts as run 1' });
    expect(desk.runOf('copy').origin).toBe('operator');
    expect(desk.actionsOf('start-run')).toHaveLength(1);
  });

  test('of a job that nobody knows is refused', () => {
    expect(start(deskOf(), 'nobody')).toEqual({
      ...{ ok: false, code: 'no-such-job', message: 'there is no job "nobody"' },
    });
  });

  test('of a job that is live is refused, and says what it is', () => {
    const desk = deskOf();
    start(desk);
    expect(start(desk)).toEqual({
      ...{ ok: false, code: 'conflict', message: 'copy is starting already (run 1)' },
    });
  });

  test('of an ad hoc job runs its last command again, for whoever may', () => {
    const adHoc = definition('once', { command: ['echo', 'a'] });
    const ended = aRun({
      ...{ job: 'once', id: 'once/1', definition: adHoc, origin: 'ad-hoc', state: 'failed' },
    });
    const desk = deskOf([definition('copy')], ended);
    expect(start(desk, 'once', 'not you')).toEqual({
      ...{ ok: false, code: 'forbidden', message: 'not you' },
    });
    expect(start(desk, 'copy', 'not you')).toMatchObject({ ok: true });
    expect(start(desk, 'once')).toMatchObject({ ok: true, run: 'once/2' });
    expect(desk.runOf('once').definition).toBe(adHoc);
  });

  test('of a job of a copied host is refused', () => {
    const state = new PersistentState();
    ofCopiedHost(state);
    const desk = new Desk({ jobs: [definition('copy')], state, answers: () => undefined });
    const message = expect.stringMatching(/^run 1 of copy belongs to the host/) as string;
    for (const reply of [start(desk), cancel(desk)]) {
      expect(reply).toEqual({ ok: false, code: 'conflict', message });
    }
    const none = new Desk({ state, answers: () => undefined });
    expect(submit(none, definition('copy'))).toEqual({ ok: false, code: 'conflict', message });
  });

  test('of the same work that runs under its former name is refused', () => {
    const desk = deskOf([definition('old')]);
    desk.start('old');
    const jobs = new Map([['new', definition('new')]]);
    desk.post({ type: 'settings-changed', settings: settings({ jobs }) });
    expect(start(desk, 'new')).toEqual({
      ...{ ok: false, code: 'conflict' },
      message: 'new is running already, as old (run 1), a name that the configuration has no more',
    });
  });
});

describe('run', () => {
  test('makes an ad hoc run', () => {
    const desk = deskOf();
    expect(submit(desk, definition('once'))).toEqual({
      ...{ ok: true, run: 'once/1', message: 'once starts as run 1' },
    });
    expect(desk.runOf('once').origin).toBe('ad-hoc');
  });

  test('does not take the name of a configured job, nor of a live one', () => {
    const desk = deskOf();
    expect(submit(desk, definition('copy'))).toMatchObject({
      ...{ ok: false, code: 'conflict' },
      message: '"copy" is a job of the configuration: start it by its name',
    });
    submit(desk, definition('once'));
    expect(submit(desk, definition('once'))).toEqual({
      ...{ ok: false, code: 'conflict', message: 'once is starting already' },
    });
  });
});

describe('autostart', () => {
  const auto = definition('copy', { autostart: true, command: ['a'] });
  const ran = (command: string): Run =>
    aRun({ definition: definition('copy', { command: [command] }), state: 'failed' });
  test.each<[string, JobDefinition, Run[], number]>([
    ['a job that never ran', auto, [], 1],
    ['not one that ran as it is now', auto, [ran('a')], 0],
    ['one that ran otherwise', auto, [ran('b')], 1],
    [
      'not one that ran so at any time',
      auto,
      [ran('a'), { ...ran('b'), id: 'copy/2', number: 2 }],
      0,
    ],
    ['not without the setting', definition('copy'), [], 0],
  ])('starts %s', (_what, job, runs, starts) => {
    const desk = deskOf([job], ...runs);
    expect(desk.actionsOf('start-run')).toHaveLength(starts);
    if (starts > 0) expect(desk.runOf('copy').origin).toBe('autostart');
  });
});

describe('cancel', () => {
  test('of a job that nobody knows, or that does not run, is refused', () => {
    const desk = deskOf();
    expect(cancel(desk, 'nobody')).toMatchObject({ ok: false, code: 'no-such-job' });
    expect(cancel(desk)).toEqual({ ok: false, code: 'conflict', message: 'copy is not running' });
    const forgotten = deskOf([], aRun({ state: 'failed' }));
    expect(cancel(forgotten)).toMatchObject({ code: 'conflict', message: 'copy is not running' });
  });

  test('stops the run with the job’s grace, or the given one', () => {
    for (const graceMs of [undefined, 5_000]) {
      const desk = deskOf();
      const run = desk.start('copy');
      expect(cancel(desk, 'copy', graceMs)).toEqual({
        ...{ ok: true, run: 'copy/1', message: 'copy is being canceled (run 1)' },
      });
      expect(run.ending).toEqual({
        ...{ cause: 'operator', detail: 'anna', since: START, graceMs: graceMs ?? 30_000 },
      });
    }
  });

  test('again says when SIGKILL follows, and a shorter grace shortens it', () => {
    const desk = deskOf();
    desk.start('copy');
    cancel(desk);
    desk.pass(1_500);
    const again = 'copy is being canceled already (run 1); SIGKILL follows in';
    expect(cancel(desk)?.message).toBe(`${again} 29 s`);
    expect(cancel(desk, 'copy', 5_000)?.message).toBe(`${again} 5 s`);
    expect(cancel(desk, 'copy', 20_000)?.message).toBe(`${again} 5 s`);
    desk.pass(60_000);
    expect(cancel(desk)?.message).toBe(`${again} 0 s`);
  });

  test('of tracked work ends the tracking, and says that the work goes on', () => {
    const desk = deskOf();
    const work = definition('cutover', { command: [], tracked: { by: 'report' } });
    desk.post({ type: 'track-requested', definitions: [work] });
    expect(cancel(desk, 'cutover')?.message).toBe(
      'cutover is no longer tracked (run 1); the work itself is not stopped',
    );
    expect(desk.runOf('cutover').state).toBe('canceled');
    expect(desk.actionsOf('signal-tree')).toEqual([]);
  });

  test('of a job with a queued run ends that too', () => {
    const desk = deskOf([definition('copy')], aRun(), aRun({ number: 2, state: 'queued' }));
    expect(cancel(desk)).toMatchObject({ run: 'copy/2' });
    expect(
      desk.planner
        .view()
        .runs.of('copy')
        .map(({ state }) => state),
    ).toEqual([...['canceling', 'canceled']]);
  });
});
