/** How runs get their tasks: names, what an earlier agent left, the final report, what is let go of. */
import { describe, expect, test } from 'vitest';
import { DAY_MS, MINUTE_MS, after } from '../../../src/core/lib/time.ts';
import type { HubTask } from '../../../src/core/model/hub-task.ts';
import type { HubJobSettings, Run } from '../../../src/core/model/job.ts';
import { createOwners } from '../../../src/core/owners.ts';
import { EMPTY_CALENDAR } from '../../../src/core/runs/schedules.ts';
import { PersistentState } from '../../../src/core/state/persistent-state.ts';
import { Desk, START, aRun, aTask } from '../../support/desk.ts';
import { HUB, HUB_JOB, definition, rates, settings } from '../../support/settings.ts';

const STAMP_S = START.wallMs / 1000;

function deskOf(
  hub: Partial<HubJobSettings> = {},
  fill: (state: PersistentState) => void = () => undefined,
) {
  const state = new PersistentState();
  fill(state);
  const jobs = ['copy', 'other'].map((name) =>
    definition(name, { migrationHub: { ...HUB_JOB, ...hub } }),
  );
  return new Desk({ jobs, state, answers: () => undefined });
}

describe('the name of a run’s task', () => {
  test('is the job’s; a run after it reports under the same name', () => {
    const desk = deskOf();
    const first = desk.start('copy');
    expect(first.hub).toMatchObject({ task: 'copy', delivery: { state: 'pending' } });
    expect(desk.task('copy').run).toBe('copy/1');
    desk.exit(first);
    expect(desk.start('copy').hub?.task).toBe('copy');
  });

  test('is its own while another live run has that name', () => {
    const desk = deskOf({ task: 'shared' });
    expect(desk.start('copy').hub?.task).toBe('shared');
    expect(desk.start('other').hub?.task).toBe('shared-1');
    const many = deskOf({ task: 'shared' }, (state) => {
      for (const name of ['shared', 'shared-1', 'shared-copy-1', 'shared-copy-1-2']) {
        state.recoverHubTask(aTask({ name, run: 'else/1' }));
      }
    });
    expect(many.start('copy').hub?.task).toBe('shared-copy-1-3');
  });

  test('of a copied host is never used, and tells the two hosts apart', () => {
    const fill = (taskRunnerId?: string) => (state: PersistentState) => {
      state.copiedHostHubTasks.set('copy', aTask({ copiedHost: true }));
      if (taskRunnerId !== undefined) state.metadata.taskRunnerId = taskRunnerId;
    };
    expect(deskOf({}, fill('host-ab-12cd')).start('copy').hub?.task).toBe('copy-12cd');
    expect(deskOf({}, fill()).start('copy').hub?.task).toBe('copy-copy');
    const both = (state: PersistentState): void => {
      fill('host-ab-12cd')(state);
      state.copiedHostHubTasks.set('copy-12cd', aTask({ name: 'copy-12cd', copiedHost: true }));
    };
    expect(deskOf({}, both).start('copy').hub?.task).toBe('copy-12cd-1');
  });

  test('a job that is not reported has none', () => {
    const { migrationHub, ...unreported } = definition('copy');
    expect(migrationHub).toBeDefined();
    const desk = new Desk({ jobs: [unreported], answers: () => undefined });
    expect(desk.start('copy')).not.toHaveProperty('hub');
    expect(desk.state.hubTasks.size).toBe(0);
  });
});

describe('the end of a run', () => {
  test('is a final report at once, with its links, and frees the name', () => {
    const desk = deskOf({ artifacts: ['arn:a'], application: 'app' });
    const run = desk.start('copy');
    desk.pass(5_000);
    desk.exit(run);
    const task = desk.task('copy');
    expect(task.finalReports.map(({ kind, payload }) => [kind, payload.status])).toEqual([
      ['opening', 'IN_PROGRESS'],
      ['end', 'COMPLETED'],
    ]);
    expect(task.links.map(({ operation }) => operation)).toEqual([
      ...['AssociateCreatedArtifact', 'NotifyApplicationState'],
    ]);
    expect(task).not.toHaveProperty('run');
  });

  test('that is no success has no artifacts', () => {
    const desk = deskOf({ artifacts: ['arn:a'], application: 'app' });
    desk.exit(desk.start('copy'), 3);
    expect(desk.task('copy').links).toMatchObject([{ status: 'IN_PROGRESS' }]);
  });
});

describe('what an earlier agent left', () => {
  const recovered = (task: Partial<HubTask>, clockMs = 0): HubTask => {
    const state = new PersistentState();
    state.recoverHubTask(aTask(task));
    if (task.run !== undefined) state.recoverRun(aRun({ requestedAt: START }));
    const now = { wallMs: START.wallMs + clockMs, bootMs: START.bootMs };
    createOwners(state, settings(), now, () => 0, EMPTY_CALENDAR);
    return state.hubTasks.get('copy') ?? aTask();
  };

  test.each<[string, Partial<HubTask>, number, number]>([
    [
      'a stamp may have been sent until now',
      { run: 'copy/1', lastStampS: STAMP_S - 60 },
      0,
      STAMP_S,
    ],
    ['a later one stays', { run: 'copy/1', lastStampS: STAMP_S + 60 }, 0, STAMP_S + 60],
    ['nothing was stamped before', { run: 'copy/1', lastStampS: 0 }, 0, STAMP_S],
    ['nor by a clock decades off', { run: 'copy/1', lastStampS: 0 }, 30 * 365 * DAY_MS, 0],
    ['not by a clock that is a day ahead', { run: 'copy/1', lastStampS: STAMP_S }, DAY_MS, STAMP_S],
    [
      'but by one that is nearly',
      { run: 'copy/1', lastStampS: STAMP_S },
      DAY_MS - 1_000,
      STAMP_S + 86_399,
    ],
    ['not by an impossible clock', { run: 'copy/1', lastStampS: 0 }, -START.wallMs, 0],
    ['a task with nothing to report is left alone', { lastStampS: 5 }, 0, 5],
  ])('%s', (_what, task, clockMs, stampS) => {
    expect(recovered(task, clockMs).lastStampS).toBe(stampS);
  });

  test.each<[string, number | undefined, number | undefined, number | undefined]>([
    ['the higher of both counts', 5, 7, 7],
    ['what the run has may be higher', 9, 7, 9],
    ['what was reported counts', undefined, 7, 7],
    ['0 % that was reported stays', undefined, 0, 0],
    ['unknown stays unknown', undefined, undefined, undefined],
    ['what the run has stays', 9, undefined, 9],
  ])('percent: %s', (_what, ofRun, reported, expected) => {
    const state = new PersistentState();
    const run = aRun({ hub: { task: 'copy', delivery: { state: 'pending' } } });
    if (ofRun !== undefined) run.percent = ofRun;
    state.recoverRun(run);
    const payload = {
      status: 'IN_PROGRESS' as const,
      ...(reported === undefined ? {} : { percent: reported }),
    };
    const promise = {
      run: run.id,
      payload,
      madeAt: START,
      until: after(START, MINUTE_MS),
      nextUpdateS: 60,
    };
    state.recoverHubTask(aTask({ run: run.id, promise }));
    createOwners(state, settings(), START, () => 0, EMPTY_CALENDAR);
    expect(run.percent).toBe(expected);
  });

  test('percent of an ended run is its own', () => {
    const state = new PersistentState();
    const run = aRun({
      state: 'failed',
      percent: 5,
      hub: { task: 'copy', delivery: { state: 'pending' } },
    });
    state.recoverRun(run);
    const payload = { status: 'IN_PROGRESS' as const, percent: 50 };
    const promise = { run: run.id, payload, madeAt: START, until: START, nextUpdateS: 60 };
    state.recoverHubTask(aTask({ promise }));
    createOwners(state, settings(), START, () => 0, EMPTY_CALENDAR);
    expect(run.percent).toBe(5);
  });
});

describe('a run that is forgotten', () => {
  const delivered = { task: 'copy', delivery: { state: 'delivered', at: START } } as const;
  const forgotten = (task: Partial<HubTask>, ...others: Run[]) => {
    const state = new PersistentState();
    const run = aRun({ state: 'failed', endedAt: START, hub: delivered });
    for (const one of [run, ...others]) state.recoverRun(one);
    state.recoverHubTask(aTask(task));
    const owners = createOwners(state, settings(), START, () => 0, EMPTY_CALENDAR);
    owners.runs.forget(run);
    return state;
  };
  const refused = (run: string) => ({ run, reason: 'x', at: START });
  const promiseOf = (run: string) => ({
    ...{ run, payload: { status: 'FAILED' as const }, madeAt: START, until: START, nextUpdateS: 1 },
  });
  const second = aRun({ number: 2, state: 'failed', endedAt: START, hub: delivered });

  test('takes its task along', () => {
    const state = forgotten({ promise: promiseOf('copy/1') });
    expect(state.hubTasks.size).toBe(0);
    expect([...state.takeChanges().droppedHubTasks]).toEqual(['copy']);
  });

  test.each<[string, Partial<HubTask>, Run[]]>([
    ['another run was reported last', { promise: promiseOf('copy/2') }, [second]],
    [
      'something is pending',
      { links: [{ operation: 'AssociateCreatedArtifact', artifact: 'a' }] },
      [],
    ],
    ['another run lives', { run: 'copy/2' }, []],
    ['something of another run was refused', { quarantine: [refused('copy/2')] }, []],
  ])('but not if %s', (_what, task, others) => {
    expect(forgotten(task, ...others).hubTasks.size).toBe(1);
  });

  test('also if the run that was reported last is gone', () => {
    expect(forgotten({ promise: promiseOf('copy/2') }).hubTasks.size).toBe(0);
  });

  test('takes what was refused of it along, and leaves what is of others', () => {
    const state = forgotten({ quarantine: [refused('copy/1'), refused('copy/2')] });
    expect(state.hubTasks.get('copy')?.quarantine).toEqual([refused('copy/2')]);
    expect([...state.takeChanges().hubTasks]).toHaveLength(1);
    expect(forgotten({ quarantine: [refused('copy/1')] }).hubTasks.size).toBe(0);
  });
});

test('a run that waits for a promise waits no longer when it has ended', () => {
  const jobs = Array.from({ length: 40 }, (_, i) => definition(`job${i}`));
  const desk = new Desk({
    jobs,
    settings: {
      migrationHub: { ...HUB, nextUpdateMaxMs: MINUTE_MS },
      rates: rates({ NotifyMigrationTaskState: { perSecond: 0.01, burst: 1 } }),
    },
  });
  const { promises } = desk.planner.view();
  const waiting = jobs.map(({ name }) => desk.start(name)).slice(-2);
  const count = promises.waiting;
  expect(count).toBeGreaterThan(2);
  for (const run of waiting) desk.exit(run);
  expect(promises.waiting).toBe(count - 2);
});
