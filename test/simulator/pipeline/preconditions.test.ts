/** Preconditions, late activities, and the fields of instances and components while they run. */
import { describe, expect, test } from 'vitest';
import { HOUR, MINUTE, rig, SECOND } from '../simulator-driver.ts';
import type { Rig } from '../simulator-driver.ts';

const field = (key: string, stringValue: string) => ({ key, stringValue });
const ref = (key: string, refValue: string) => ({ key, refValue });
const object = (id: string, ...fields: readonly object[]) => ({ id, name: id, fields });
const ON_DEMAND = object(
  'Default',
  field('scheduleType', 'ondemand'),
  field('workerGroup', 'files'),
);
const shell = (id: string, ...fields: readonly object[]) =>
  object(id, field('type', 'ShellCommandActivity'), field('command', 'true'), ...fields);
const check = (...fields: readonly object[]) =>
  object(
    'Ready',
    field('type', 'ShellCommandPrecondition'),
    field('command', 'test -e /srv'),
    ...fields,
  );

const AT = '2026-01-01T00:00:00';
const READY = `@Ready_Copy_${AT}`;
const COPY = `@Copy_${AT}`;

async function start(made: Rig, ...pipelineObjects: readonly object[]): Promise<string> {
  const { pipelineId } = (await made.pipeline('CreatePipeline', { name: 'p', uniqueId: 'u' })).body;
  const put = await made.pipeline('PutPipelineDefinition', { pipelineId, pipelineObjects });
  expect(put.body).toEqual({ errored: false });
  await made.pipeline('ActivatePipeline', { pipelineId });
  return pipelineId as string;
}

interface Task {
  readonly taskId: string;
  readonly attemptId: string;
  readonly objects: Readonly<Record<string, unknown>>;
}

async function poll(made: Rig): Promise<Task> {
  expect(made.simulator.state().readyTasks).toBeGreaterThan(0);
  return (await made.pipeline('PollForTask', { workerGroup: 'files' })).body['taskObject'] as Task;
}

async function end(made: Rig, taskStatus: string): Promise<string> {
  const { taskId, attemptId } = await poll(made);
  await made.pipeline('SetTaskStatus', { taskId, taskStatus });
  return attemptId;
}

const statuses = (made: Rig) =>
  Object.fromEntries(
    (made.simulator.state().pipelines[0]?.instances ?? []).map(({ id, status }) => [id, status]),
  );

async function fieldsOf(made: Rig, pipelineId: string, id: string) {
  const answer = await made.pipeline('DescribeObjects', { pipelineId, objectIds: [id] });
  const [shown] = answer.body['pipelineObjects'] as {
    fields: { key: string; stringValue?: string; refValue?: string }[];
  }[];
  return Object.fromEntries(
    (shown?.fields ?? []).map((each) => [each.key, each.stringValue ?? each.refValue]),
  );
}

describe('preconditions', () => {
  test('a runner of the activity’s worker group checks it, and the activity starts when it is met', async () => {
    const made = await rig();
    const pipelineId = await start(
      made,
      ON_DEMAND,
      check(),
      shell('Copy', ref('precondition', 'Ready')),
    );
    expect(statuses(made)).toEqual({
      [READY]: 'WAITING_FOR_RUNNER',
      [COPY]: 'WAITING_ON_DEPENDENCIES',
    });
    expect(await fieldsOf(made, pipelineId, COPY)).toMatchObject({ '@waitingOn': READY });
    const task = await poll(made);
    expect(task.attemptId).toBe(`${READY}_Attempt=1`);
    expect(task.objects[task.attemptId]).toMatchObject({
      fields: expect.arrayContaining([
        ref('@componentParent', 'Ready'),
        field('type', 'ShellCommandPrecondition'),
        field('workerGroup', 'files'),
        ref('node', COPY),
      ]) as unknown,
    });
    await made.pipeline('SetTaskStatus', { taskId: task.taskId, taskStatus: 'FINISHED' });
    expect(await end(made, 'FINISHED')).toBe(`${COPY}_Attempt=1`);
    expect(made.simulator.state().pipelines[0]?.state).toBe('FINISHED');
  });

  test('after FALSE it is checked again after retryDelay, until preconditionTimeout; then the activity fails', async () => {
    const made = await rig();
    const timeout = field('preconditionTimeout', '5 minutes');
    const pipelineId = await start(
      made,
      ON_DEMAND,
      check(timeout),
      shell('Copy', ref('precondition', 'Ready')),
    );
    for (const attempt of [1, 2, 3]) {
      expect(await end(made, 'FALSE')).toBe(`${READY}_Attempt=${attempt}`);
      made.clock.advance(2 * MINUTE);
    }
    expect(statuses(made)).toEqual({ [READY]: 'FAILED', [COPY]: 'FAILED' });
    expect((await fieldsOf(made, pipelineId, COPY))['errorMessage']).toContain(READY);
  });

  test('canceling an activity cancels its precondition', async () => {
    const made = await rig();
    const pipelineId = await start(
      made,
      ON_DEMAND,
      check(),
      shell('Copy', ref('precondition', 'Ready')),
    );
    const { taskId } = await poll(made);
    await made.pipeline('SetStatus', { pipelineId, objectIds: [COPY], status: 'TRY_CANCEL' });
    expect(statuses(made)).toEqual({ [READY]: 'CANCELED', [COPY]: 'CANCELED' });
    expect((await made.pipeline('ReportTaskProgress', { taskId })).body).toEqual({
      canceled: true,
    });
    expect(await fieldsOf(made, pipelineId, COPY)).toMatchObject({
      cancellationReason: 'Canceled by SetStatus.',
    });
  });

  test('a reference to an object that is no precondition is an error', async () => {
    const { pipeline } = await rig();
    const { pipelineId } = (await pipeline('CreatePipeline', { name: 'p', uniqueId: 'u' })).body;
    const pipelineObjects = [ON_DEMAND, shell('A'), shell('B', ref('precondition', 'A'))];
    const put = await pipeline('PutPipelineDefinition', { pipelineId, pipelineObjects });
    expect(put.body).toMatchObject({ errored: true, validationErrors: [{ id: 'B' }] });
  });
});

test('an activity that starts too late is terminated if it has a Terminate action', async () => {
  const hourly = [
    object(
      'Default',
      field('scheduleType', 'cron'),
      ref('schedule', 'Hourly'),
      field('workerGroup', 'files'),
    ),
    object(
      'Hourly',
      field('type', 'Schedule'),
      field('period', '1 hour'),
      field('startAt', 'FIRST_ACTIVATION_DATE_TIME'),
      field('occurrences', '1'),
    ),
    object('Stop', field('type', 'Terminate')),
    shell('Copy', field('lateAfterTimeout', '10 minutes'), ref('onLateAction', 'Stop')),
    shell('Other', field('lateAfterTimeout', '10 minutes')),
  ];
  const made = await rig();
  const pipelineId = await start(made, ...hourly);
  made.clock.advance(10 * MINUTE - 1);
  expect(statuses(made)[COPY]).toBe('WAITING_FOR_RUNNER');
  made.clock.advance(1);
  expect(statuses(made)).toEqual({ [COPY]: 'CANCELED', [`@Other_${AT}`]: 'WAITING_FOR_RUNNER' });
  expect((await fieldsOf(made, pipelineId, COPY))['cancellationReason']).toContain(
    'lateAfterTimeout',
  );
  expect(await end(made, 'FINISHED')).toBe(`@Other_${AT}_Attempt=1`);
});

test('components, instances and the pipeline have the health of the last run', async () => {
  const made = await rig();
  const once = field('maximumRetries', '0');
  const pipelineId = await start(
    made,
    ON_DEMAND,
    shell('Copy', once),
    shell('After', ref('dependsOn', 'Copy'), field('failureAndRerunMode', 'cascade')),
  );
  expect(await fieldsOf(made, pipelineId, 'Copy')).toMatchObject({
    '@sphere': 'COMPONENT',
    '@activeInstances': COPY,
    '@latestRunTime': AT,
  });
  made.clock.advance(3 * SECOND);
  const { taskId } = await poll(made);
  made.clock.advance(HOUR / 60);
  await made.pipeline('ReportTaskProgress', { taskId, fields: [field('percentComplete', '7')] });
  await made.pipeline('SetTaskStatus', {
    taskId,
    taskStatus: 'FAILED',
    errorId: 'Exit23',
    errorMessage: 'partial',
    errorStackTrace: 'rsync: …',
  });
  expect(await fieldsOf(made, pipelineId, COPY)).toMatchObject({
    '@status': 'FAILED',
    '@actualStartTime': '2026-01-01T00:00:03',
    '@actualEndTime': '2026-01-01T00:01:03',
    '@finishedTime': '2026-01-01T00:01:03',
    '@attemptCount': '1',
    '@headAttempt': `${COPY}_Attempt=1`,
    percentComplete: '7',
    errorId: 'Exit23',
    errorMessage: 'partial',
  });
  expect(await fieldsOf(made, pipelineId, `@After_${AT}`)).toMatchObject({
    '@status': 'CASCADE_FAILED',
    '@cascadeFailedOn': COPY,
  });
  const component = await fieldsOf(made, pipelineId, 'Copy');
  expect(component).toMatchObject({
    '@healthStatus': 'ERROR',
    '@healthStatusFromInstanceId': COPY,
    '@healthStatusUpdatedTime': '2026-01-01T00:01:03',
    '@latestCompletedRunTime': AT,
  });
  expect(component).not.toHaveProperty('@activeInstances');
  const described = await made.pipeline('DescribePipelines', { pipelineIds: [pipelineId] });
  expect(described.body['pipelineDescriptionList']).toMatchObject([
    { fields: expect.arrayContaining([field('@healthStatus', 'ERROR')]) as unknown },
  ]);
});
