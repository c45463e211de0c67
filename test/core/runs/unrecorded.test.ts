/** Runs that the store did not have: they are adopted and reported to their end, and have a minute to hear from AWS. */
import { expect, test } from 'vitest';
import { recoverUnrecorded } from '../../../src/core/runs/unrecorded.ts';
import { PersistentState } from '../../../src/core/state/persistent-state.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../src/core/lib/time.ts';
import type { Run } from '../../../src/core/model/job.ts';
import { fenceAtMs } from '../../../src/core/scheduling/deadlines.ts';
import { Desk, PROCESS, START, UNAVAILABLE, aRun, aTask, failing } from '../../support/desk.ts';
import type { DeskOptions } from '../../support/desk.ts';
import { PIPELINE, definition } from '../../support/settings.ts';

const LONG_AGO = { wallMs: START.wallMs - HOUR_MS, bootMs: START.bootMs - HOUR_MS };
const HUB = { task: 'copy', delivery: { state: 'pending' } } as const;

/** As it was when an agent started it. */
function starting(over: Partial<Run> = {}): Run {
  const run = aRun({ number: 7, id: 'copy/7', state: 'starting', requestedAt: LONG_AGO, ...over });
  delete run.startedAt;
  return run;
}

function ofPipeline(windowMs: number, acceptedAt = LONG_AGO): Run {
  const task = {
    ...{ taskId: 'task-1', pipelineId: 'df-1', attemptId: '@copy_1_Attempt=1', windowMs },
    ...{ instance: 'df-1 @copy_1', workerGroup: 'files', receivedAt: LONG_AGO },
  };
  const delivery = { state: 'pending' } as const;
  return starting({ pipeline: { task, acceptedAt, acknowledgedAt: acceptedAt, delivery } });
}

function recovered(
  runs: readonly Run[],
  options: DeskOptions & { isOfThisBoot?: boolean } = {},
): Desk {
  const { isOfThisBoot = true, state = new PersistentState() } = options;
  recoverUnrecorded(
    state,
    runs.map((run) => ({ run, isOfThisBoot })),
    START,
  );
  return new Desk({ jobs: [definition('copy')], ...options, state });
}

test('the run is adopted, reported to its Hub task, and holds its job; the next one has the next number', () => {
  const desk = recovered([starting({ hub: HUB })]);
  expect(desk.eventNames()).toContain('run.recovered');
  expect(desk.actionsOf('adopt-run').map(({ run }) => run.id)).toEqual(['copy/7']);
  expect(desk.actionsOf('start-run')).toEqual([]);
  expect(
    desk.post({ type: 'start-requested', job: 'copy', origin: 'operator', request: 1 }),
  ).toMatchObject({
    ok: false,
    code: 'conflict',
  });
  desk.post({ type: 'run-started', run: 'copy/7', process: PROCESS });
  desk.pass(5 * SECOND_MS);
  expect(desk.callsOf('NotifyMigrationTaskState').at(-1)).toMatchObject({
    task: 'copy',
    status: 'IN_PROGRESS',
  });
  desk.post({ type: 'run-exited', run: 'copy/7', exitCode: 0 });
  desk.pass(5 * SECOND_MS);
  expect(desk.callsOf('NotifyMigrationTaskState').at(-1)).toMatchObject({ status: 'COMPLETED' });
  desk.post({ type: 'start-requested', job: 'copy', origin: 'operator' });
  expect(desk.runOf('copy').number).toBe(8);
});

test('a Hub task that another run has stays with that run; the found one gets a task of its own', () => {
  const state = new PersistentState();
  state.recoverRun(aRun({ job: 'other', id: 'other/1', hub: HUB }));
  state.recoverHubTask(aTask({ run: 'other/1' }));
  const desk = recovered([starting({ hub: HUB })], { state });
  expect(desk.task('copy').run).toBe('other/1');
  expect(desk.runOf('copy').hub).toMatchObject({ task: 'copy-7' });
  expect(desk.task('copy-7').run).toBe('copy/7');
  expect(desk.actionsOf('adopt-run').map(({ run }) => run.id)).toContain('copy/7');
});

const settings = { dataPipeline: PIPELINE };

test('a pipeline task that AWS still knows as ours is reported at once, and goes on', () => {
  const desk = recovered([ofPipeline(15 * MINUTE_MS)], { settings });
  desk.post({ type: 'run-started', run: 'copy/7', process: PROCESS });
  desk.pass(SECOND_MS);
  expect(desk.callsOf('ReportTaskProgress')).toMatchObject([{ taskId: 'task-1' }]);
  desk.pass(10 * MINUTE_MS);
  expect(desk.runOf('copy').state).toBe('running');
  expect(desk.actionsOf('signal-tree')).toEqual([]);
});

test.each([15 * MINUTE_MS, 2 * MINUTE_MS, 30 * SECOND_MS])(
  'a pipeline task with a window of %i ms of which nothing is heard is fenced within a minute',
  (windowMs) => {
    const answers = failing('ReportTaskProgress', UNAVAILABLE);
    const desk = recovered([ofPipeline(windowMs)], { settings, answers });
    desk.post({ type: 'run-started', run: 'copy/7', process: PROCESS });
    desk.pass(5 * SECOND_MS);
    expect(desk.callsOf('ReportTaskProgress').length).toBeGreaterThan(0);
    expect(desk.actionsOf('signal-tree')).toEqual([]);
    desk.pass(56 * SECOND_MS);
    expect(desk.runOf('copy').ending).toMatchObject({ cause: 'fence' });
    expect(desk.actionsOf('signal-tree')).not.toEqual([]);
  },
);

test('a window that ends later than in a minute is kept', () => {
  const acceptedAt = { wallMs: START.wallMs - MINUTE_MS, bootMs: START.bootMs - MINUTE_MS };
  const run = ofPipeline(15 * MINUTE_MS, acceptedAt);
  recovered([run], { settings });
  expect(run.pipeline?.acceptedAt?.bootMs).toBeGreaterThanOrEqual(acceptedAt.bootMs);
});

test('of two runs of a job the ends are reported in their order, to their task, and the next one has the next number', () => {
  const desk = recovered([
    starting({ hub: HUB }),
    starting({ hub: HUB, number: 8, id: 'copy/8' }),
    starting({ hub: HUB, number: 9, id: 'copy/9' }),
  ]);
  expect(desk.actionsOf('adopt-run').map(({ run }) => run.id)).toEqual([
    'copy/7',
    'copy/8',
    'copy/9',
  ]);
  desk.post({ type: 'run-exited', run: 'copy/7', exitCode: 0 });
  desk.post({ type: 'run-exited', run: 'copy/8', exitCode: 4 });
  desk.post({ type: 'run-started', run: 'copy/9', process: PROCESS });
  desk.pass(MINUTE_MS);
  const statuses = desk.callsOf('NotifyMigrationTaskState').map(({ task, status }) => {
    expect(task).toBe('copy');
    return status;
  });
  // A task shows IN_PROGRESS before each end.
  expect(statuses.filter((status, at) => status !== statuses[at - 1])).toEqual([
    'IN_PROGRESS',
    'COMPLETED',
    'IN_PROGRESS',
    'FAILED',
    'IN_PROGRESS',
  ]);
  expect(desk.runOf('copy')).toMatchObject({ number: 9, state: 'running' });
  expect(
    desk
      .actionsOf('settle-run')
      .map(({ run }) => run.id)
      .sort(),
  ).toEqual(['copy/7', 'copy/8']);
});

test('a task whose stamps were ahead of the clock gets later ones', () => {
  const aheadS = Date.UTC(2026, 0, 1) / 1000 + 300;
  const desk = recovered([starting({ hub: { ...HUB, stampS: aheadS } })]);
  desk.post({ type: 'run-exited', run: 'copy/7', exitCode: 0 });
  desk.pass(MINUTE_MS);
  const stamps = desk.callsOf('NotifyMigrationTaskState').map(({ stampS }) => stampS);
  expect(stamps.length).toBeGreaterThan(1);
  // The report that it is in progress had the second after that.
  for (const stampS of stamps) expect(stampS).toBeGreaterThan(aheadS + 1);
});

test('a run of another job does not take the task', () => {
  const desk = recovered([
    starting({ hub: HUB }),
    starting({ hub: HUB, job: 'other', id: 'other/7' }),
  ]);
  expect(desk.runOf('copy').hub).toMatchObject({ task: 'copy' });
  expect(desk.runOf('other').hub).toMatchObject({ task: 'copy-7' });
});

test('a run of an earlier boot counts on the clock of this one: its task has a minute too', () => {
  const aheadMs = 100 * HOUR_MS;
  const instant = { wallMs: LONG_AGO.wallMs, bootMs: START.bootMs + aheadMs };
  const run = { ...ofPipeline(15 * MINUTE_MS, instant), requestedAt: instant };
  const state = new PersistentState();
  recoverUnrecorded(state, [{ run, isOfThisBoot: false }], START);
  const moved = state.runs.get('copy/7')!;
  expect(moved.requestedAt).toEqual(LONG_AGO);
  expect(fenceAtMs(moved)).toBe(START.bootMs + MINUTE_MS);
  const desk = new Desk({ jobs: [definition('copy')], settings, state });
  desk.post({ type: 'run-lost', run: 'copy/7', reason: 'the host was restarted' });
  desk.pass(SECOND_MS);
  expect(desk.runOf('copy').state).toBe('lost');
  expect(desk.callsOf('SetTaskStatus')).toMatchObject([{ taskId: 'task-1' }]);
});
