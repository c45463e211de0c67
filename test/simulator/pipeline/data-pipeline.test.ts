import { describe, expect, test } from 'vitest';
import { HOUR, MINUTE, rig, SECOND, until } from '../simulator-driver.ts';
import type { Answer, Rig } from '../simulator-driver.ts';

const field = (key: string, stringValue: string) => ({ key, stringValue });
const ref = (key: string, refValue: string) => ({ key, refValue });
const object = (id: string, ...fields: readonly object[]) => ({ id, name: id, fields });
const ON_DEMAND = object('Default', field('scheduleType', 'ondemand'));

const SUBMITTED = { name: 'CopyFiles', workerGroup: 'files', command: 'echo $1' };

interface Task {
  readonly taskId: string;
  readonly attemptId: string;
  readonly pipelineId: string;
  readonly objects: Readonly<
    Record<string, { fields: { key: string; stringValue?: string; refValue?: string }[] }>
  >;
}

const taskOf = (answer: Answer): Task => answer.body['taskObject'] as Task;
const valuesOf = (task: Task, key: string): readonly (string | undefined)[] =>
  (task.objects[task.attemptId]?.fields ?? [])
    .filter((each) => each.key === key)
    .map((each) => each.stringValue ?? each.refValue);

async function poll({ pipeline }: Rig): Promise<Task> {
  return taskOf(await pipeline('PollForTask', { workerGroup: 'files', hostname: 'host-1' }));
}

async function define(made: Rig, ...pipelineObjects: readonly object[]): Promise<string> {
  const created = await made.pipeline('CreatePipeline', { name: 'p', uniqueId: 'u' });
  const pipelineId = created.body['pipelineId'] as string;
  const put = await made.pipeline('PutPipelineDefinition', { pipelineId, pipelineObjects });
  expect(put.body).toEqual({ errored: false });
  expect((await made.pipeline('ActivatePipeline', { pipelineId })).status).toBe(200);
  return pipelineId;
}

const statusOf = (made: Rig, instanceId: string): string | undefined =>
  made.simulator
    .state()
    .pipelines.flatMap((pipeline) => pipeline.instances)
    .find((instance) => instance.id === instanceId)?.status;

describe('PollForTask', () => {
  test('a ready task is returned at once, with the documented fields', async () => {
    const made = await rig();
    const { pipelineId, instanceId } = made.simulator.submitShellActivity({
      ...SUBMITTED,
      scriptArguments: ['a', 'b', 'a'],
      fields: { attemptTimeout: '1 Hour' },
    });
    const task = await poll(made);
    expect(instanceId).toBe('@CopyFiles_2026-01-01T00:00:00');
    expect(task).toMatchObject({ pipelineId, attemptId: `${instanceId}_Attempt=1` });
    expect(task.taskId.length).toBeGreaterThan(100);
    expect(valuesOf(task, 'scriptArgument')).toEqual(['a', 'b', 'a']);
    expect(
      Object.fromEntries(
        task.objects[task.attemptId]!.fields.map((each) => [
          each.key,
          each.stringValue ?? each.refValue,
        ]),
      ),
    ).toMatchObject({
      '@componentParent': 'CopyFiles',
      '@instanceParent': instanceId,
      '@sphere': 'ATTEMPT',
      '@status': 'WAITING_FOR_RUNNER',
      '@scheduledStartTime': '2026-01-01T00:00:00',
      '@pipelineId': pipelineId,
      type: 'ShellCommandActivity',
      command: 'echo $1',
      workerGroup: 'files',
      attemptTimeout: '1 Hour',
    });
    expect(statusOf(made, instanceId)).toBe('RUNNING');
  });

  test('an idle poll is held for 90 seconds and then answered without a task', async () => {
    const made = await rig();
    const answer = made.pipeline('PollForTask', { workerGroup: 'files' });
    await until(() => made.simulator.state().heldPolls === 1);
    made.clock.advance(90 * SECOND - 1);
    expect(made.simulator.state().heldPolls).toBe(1);
    made.clock.advance(1);
    expect(await answer).toMatchObject({ status: 200, body: {} });
    expect(made.simulator.state().heldPolls).toBe(0);
  });

  test('a held poll is answered at once when its worker group gets a task', async () => {
    const made = await rig();
    const other = made.pipeline('PollForTask', { workerGroup: 'Files' });
    await until(() => made.simulator.state().heldPolls === 1);
    const mine = poll(made);
    await until(() => made.simulator.state().heldPolls === 2);
    made.simulator.submitShellActivity(SUBMITTED);
    expect(await mine).toMatchObject({ attemptId: expect.stringContaining('Attempt=1') as string });
    expect(made.simulator.state().heldPolls).toBe(1);
    made.clock.advance(2 * MINUTE);
    expect((await other).body).toEqual({});
  });

  test('a client that hung up gets no task', async () => {
    const made = await rig();
    const abort = new AbortController();
    const gone = made.call('DataPipeline.PollForTask', { workerGroup: 'files' }, '', abort.signal);
    await until(() => made.simulator.state().heldPolls === 1);
    abort.abort();
    await expect(gone).rejects.toThrow();
    await until(() => made.simulator.state().heldPolls === 0);
    made.simulator.submitShellActivity(SUBMITTED);
    expect(await poll(made)).toBeDefined();
  });
});

describe('the windows of a task', () => {
  test('a task that is not acknowledged within two minutes goes to the next poll', async () => {
    const made = await rig();
    made.simulator.submitShellActivity(SUBMITTED);
    const first = await poll(made);
    made.clock.advance(2 * MINUTE);
    expect(made.simulator.state().readyTasks).toBe(0);
    made.clock.advance(1);
    expect(made.simulator.state().readyTasks).toBe(1);
    const second = await poll(made);
    expect(second.attemptId).toBe(first.attemptId);
    expect(second.taskId).not.toBe(first.taskId);
    const late = await made.pipeline('ReportTaskProgress', { taskId: first.taskId });
    expect([late.status, late.error]).toEqual([400, 'TaskNotFoundException']);
    expect(made.simulator.audit().dataPipeline).toMatchObject({
      acknowledgementLapses: 1,
      handedOutAgain: 1,
      callsOfFormerOwners: 1,
    });
  });

  test('an acknowledged task stays with its runner for 15 minutes after each report', async () => {
    const made = await rig();
    made.simulator.submitShellActivity(SUBMITTED);
    const { taskId } = await poll(made);
    for (let i = 0; i < 3; i++) {
      const reported = await made.pipeline('ReportTaskProgress', { taskId });
      expect(reported.body).toEqual({ canceled: false });
      made.clock.advance(15 * MINUTE);
    }
    expect(made.simulator.audit().dataPipeline.progressLapses).toBe(0);
    made.clock.advance(1);
    expect(made.simulator.audit().dataPipeline.progressLapses).toBe(1);
    expect(made.simulator.state().readyTasks).toBe(1);
  });

  test('a waiting poll gets a lapsed task without any other call', async () => {
    const made = await rig({ behaviour: { acknowledgeMs: 30 * SECOND } });
    made.simulator.submitShellActivity(SUBMITTED);
    const first = await poll(made);
    const second = poll(made);
    await until(() => made.simulator.state().heldPolls === 1);
    made.clock.advance(31 * SECOND);
    expect((await second).attemptId).toBe(first.attemptId);
  });

  test('reportProgressTimeout of the task replaces the 15 minutes', async () => {
    const made = await rig();
    const fields = { reportProgressTimeout: '20 Minutes' };
    made.simulator.submitShellActivity({ ...SUBMITTED, fields });
    const { taskId } = await poll(made);
    await made.pipeline('ReportTaskProgress', { taskId });
    made.clock.advance(20 * MINUTE);
    expect(made.simulator.audit().dataPipeline.progressLapses).toBe(0);
    made.clock.advance(1);
    expect(made.simulator.audit().dataPipeline.progressLapses).toBe(1);
  });

  test('switches make a lapse a failed attempt, and answer a late report with canceled', async () => {
    const made = await rig({
      behaviour: { progressLapse: 'new-attempt', reportAfterLapse: 'canceled' },
    });
    made.simulator.submitShellActivity(SUBMITTED);
    const { taskId } = await poll(made);
    await made.pipeline('ReportTaskProgress', { taskId });
    made.clock.advance(15 * MINUTE + 1);
    const late = await made.pipeline('ReportTaskProgress', { taskId });
    expect(late.body).toEqual({ canceled: true });
    made.clock.advance(2 * MINUTE);
    expect((await poll(made)).attemptId).toMatch(/_Attempt=2$/);
  });

  test('attemptTimeout ends an attempt although it reports in time', async () => {
    const made = await rig();
    made.simulator.submitShellActivity({ ...SUBMITTED, fields: { attemptTimeout: '30 minutes' } });
    const { taskId } = await poll(made);
    for (let i = 0; i < 3; i++) {
      await made.pipeline('ReportTaskProgress', { taskId });
      made.clock.advance(10 * MINUTE + 1);
    }
    const reported = await made.pipeline('ReportTaskProgress', { taskId });
    expect(reported.body).toEqual({ canceled: true });
    made.clock.advance(2 * MINUTE);
    expect((await poll(made)).attemptId).toMatch(/_Attempt=2$/);
  });
});

describe('the end of a task', () => {
  test('FINISHED ends the instance and the pipeline', async () => {
    const made = await rig();
    const { instanceId } = made.simulator.submitShellActivity(SUBMITTED);
    const { taskId } = await poll(made);
    await made.pipeline('ReportTaskProgress', { taskId, fields: [field('percentComplete', '50')] });
    const ended = await made.pipeline('SetTaskStatus', { taskId, taskStatus: 'FINISHED' });
    expect([ended.status, ended.body]).toEqual([200, {}]);
    expect(statusOf(made, instanceId)).toBe('FINISHED');
    const [seen] = made.simulator.state().pipelines;
    expect(seen?.state).toBe('FINISHED');
    expect(seen?.instances[0]?.attempts[0]?.reported).toEqual({ percentComplete: '50' });
    const again = await made.pipeline('SetTaskStatus', { taskId, taskStatus: 'FINISHED' });
    expect(again.error).toBe('TaskNotFoundException');
  });

  test('FAILED is retried after retryDelay with a new attempt and a new taskId, until no retry is left', async () => {
    const made = await rig();
    const fields = { maximumRetries: '1', retryDelay: '5 minutes' };
    const { instanceId } = made.simulator.submitShellActivity({ ...SUBMITTED, fields });
    const first = await poll(made);
    const failed = {
      taskStatus: 'FAILED',
      errorId: 'E',
      errorMessage: 'no',
      errorStackTrace: 'at 1',
    };
    await made.pipeline('SetTaskStatus', { taskId: first.taskId, ...failed });
    made.clock.advance(5 * MINUTE - 1);
    expect(made.simulator.state().readyTasks).toBe(0);
    made.clock.advance(1);
    const second = await poll(made);
    expect(second.attemptId).toBe(`${instanceId}_Attempt=2`);
    expect(second.taskId).not.toBe(first.taskId);
    await made.pipeline('SetTaskStatus', { taskId: second.taskId, ...failed });
    expect(statusOf(made, instanceId)).toBe('FAILED');
    expect(made.simulator.state().pipelines[0]?.instances[0]?.attempts[0]?.reported).toEqual({
      errorId: 'E',
      errorMessage: 'no',
      errorStackTrace: 'at 1',
    });
  });

  test('by default there are three retries, two minutes apart', async () => {
    const made = await rig();
    const { instanceId } = made.simulator.submitShellActivity(SUBMITTED);
    for (let attempt = 1; attempt <= 4; attempt++) {
      const { taskId, attemptId } = await poll(made);
      expect(attemptId).toBe(`${instanceId}_Attempt=${attempt}`);
      await made.pipeline('SetTaskStatus', { taskId, taskStatus: 'FAILED' });
      made.clock.advance(2 * MINUTE);
    }
    expect(statusOf(made, instanceId)).toBe('FAILED');
  });

  test('an unknown task, a wrong status, invalid fields and control characters are refused', async () => {
    const made = await rig();
    made.simulator.submitShellActivity(SUBMITTED);
    const { taskId } = await poll(made);
    const errorOf = async (operation: string, body: object) =>
      (await made.pipeline(operation, body)).error;
    expect(await errorOf('ReportTaskProgress', { taskId: 'nobody' })).toBe('TaskNotFoundException');
    expect(await errorOf('SetTaskStatus', { taskId, taskStatus: 'CANCELED' })).toBe(
      'InvalidRequestException',
    );
    const report = (...fields: readonly object[]) =>
      errorOf('ReportTaskProgress', { taskId, fields });
    expect(await report({ key: 'a', stringValue: 'x', refValue: 'y' })).toBe(
      'InvalidRequestException',
    );
    expect(await report(field('@status', 'RUNNING'))).toBe('InvalidRequestException');
    expect(await report(field('a', '\u001b[31m'))).toBe('InvalidRequestException');
    expect(await report(field('a', '\ud800'))).toBe('InvalidRequestException');
    expect(await report(field('a', 'x'.repeat(10_240)))).toBeUndefined();
    // Together with the first fields they exceed the 15,360 bytes of an object.
    expect(await report(field('b', 'x'.repeat(5_000)))).toBe('InvalidRequestException');
    const stack = { taskId, taskStatus: 'FAILED', errorStackTrace: 'x'.repeat(1025) };
    expect(await errorOf('SetTaskStatus', stack)).toBe('InvalidRequestException');
  });
});

describe('cancel', () => {
  test('the next report is answered with TRY_CANCEL, and a status after it is ignored and counted', async () => {
    const made = await rig();
    const { pipelineId, instanceId } = made.simulator.submitShellActivity(SUBMITTED);
    const { taskId } = await poll(made);
    await made.pipeline('ReportTaskProgress', { taskId });
    const cancel = { pipelineId, objectIds: [instanceId], status: 'TRY_CANCEL' };
    expect((await made.pipeline('SetStatus', cancel)).status).toBe(200);
    expect(statusOf(made, instanceId)).toBe('CANCELED');
    made.clock.advance(45 * SECOND);
    const report = await made.pipeline('ReportTaskProgress', { taskId });
    expect(report.body).toEqual({ canceled: true });
    expect(made.simulator.audit().dataPipeline).toMatchObject({
      cancelsReported: 1,
      longestCancelSeconds: 45,
      statusAfterCancel: 0,
    });
    expect((await made.pipeline('SetTaskStatus', { taskId, taskStatus: 'FAILED' })).status).toBe(
      200,
    );
    expect(statusOf(made, instanceId)).toBe('CANCELED');
    expect(made.simulator.audit().dataPipeline.statusAfterCancel).toBe(1);
    expect(made.simulator.state().readyTasks).toBe(0);
  });

  test('a canceled task that no runner has is never handed out', async () => {
    const made = await rig();
    const { pipelineId } = made.simulator.submitShellActivity(SUBMITTED);
    expect(made.simulator.cancel(pipelineId)).toBe(1);
    expect(made.simulator.state().readyTasks).toBe(0);
  });

  test('deactivating cancels running activities, or waits for them', async () => {
    for (const cancelActive of [true, false]) {
      const made = await rig();
      const { pipelineId } = made.simulator.submitShellActivity(SUBMITTED);
      const { taskId } = await poll(made);
      await made.pipeline('DeactivatePipeline', { pipelineId, cancelActive });
      const state = () => made.simulator.state().pipelines[0]?.state;
      expect(state()).toBe(cancelActive ? 'INACTIVE' : 'DEACTIVATING');
      const report = await made.pipeline('ReportTaskProgress', { taskId });
      expect(report.body).toEqual({ canceled: cancelActive });
      await made.pipeline('SetTaskStatus', { taskId, taskStatus: 'FINISHED' });
      expect(state()).toBe('INACTIVE');
    }
  });

  test('a deleted pipeline answers its runner with PipelineDeletedException', async () => {
    const made = await rig();
    const { pipelineId } = made.simulator.submitShellActivity(SUBMITTED);
    const { taskId } = await poll(made);
    await made.pipeline('DeletePipeline', { pipelineId });
    for (const [operation, body, error] of [
      ['ReportTaskProgress', { taskId }, 'PipelineDeletedException'],
      ['SetTaskStatus', { taskId, taskStatus: 'FINISHED' }, 'PipelineDeletedException'],
      ['ActivatePipeline', { pipelineId }, 'PipelineDeletedException'],
      ['DeletePipeline', { pipelineId }, 'PipelineNotFoundException'],
      ['ActivatePipeline', { pipelineId: 'df-0' }, 'PipelineNotFoundException'],
    ] as const) {
      const refused = await made.pipeline(operation, body);
      expect([refused.status, refused.error], operation).toEqual([400, error]);
      expect(refused.body['message']).toEqual(expect.any(String));
      expect(refused.body['__type']).toBe(`com.amazon.setl.webservice#${error}`);
    }
  });

  test('RERUN and MARK_FINISHED change an instance, PAUSE and RESUME a component', async () => {
    const made = await rig();
    // A second activity keeps the pipeline from being FINISHED: SetStatus would be refused.
    const activity = (id: string, group: string) =>
      object(
        id,
        field('type', 'ShellCommandActivity'),
        field('command', 'true'),
        field('workerGroup', group),
      );
    const pipelineId = await define(
      made,
      ON_DEMAND,
      activity('A', 'files'),
      activity('B', 'other'),
    );
    const set = (status: string, ...objectIds: readonly string[]) =>
      made.pipeline('SetStatus', { pipelineId, objectIds, status });
    const [a, b] = ['@A_2026-01-01T00:00:00', '@B_2026-01-01T00:00:00'] as const;

    await set('pause', 'A');
    expect(statusOf(made, a)).toBe('PAUSED');
    expect(made.simulator.state().readyTasks).toBe(1);
    await set('resume', 'A');
    await set('CANCEL', a);
    expect(statusOf(made, a)).toBe('CANCELED');
    await set('RERUN', a);
    expect((await poll(made)).attemptId).toBe(`${a}_Attempt=2`);
    expect((await set('PAUSE', a)).error).toBe('InvalidRequestException');
    expect((await set('TRY_CANCEL', a, 'B')).error).toBe('InvalidRequestException');
    expect((await set('TRY_CANCEL', 'nothing')).error).toBe('InvalidRequestException');
    await set('MARK_FINISHED', a, b);
    expect([statusOf(made, a), statusOf(made, b)]).toEqual(['FINISHED', 'FINISHED']);
    expect((await set('RERUN', a)).error).toBe('InvalidRequestException');
  });
});

test('a heartbeat is answered with terminate if its runner, or every runner, must terminate', async () => {
  const made = await rig();
  const heartbeat = async (taskrunnerId: string) =>
    (await made.pipeline('ReportTaskRunnerHeartbeat', { taskrunnerId })).body['terminate'];
  expect(await heartbeat('one')).toBe(false);
  made.simulator.setTerminate('one');
  expect([await heartbeat('one'), await heartbeat('two')]).toEqual([true, false]);
  made.simulator.setTerminate('all');
  expect(await heartbeat('two')).toBe(true);
  made.simulator.setTerminate('all', false);
  made.simulator.setTerminate('one', false);
  expect(await heartbeat('one')).toBe(false);
  expect((await made.pipeline('ReportTaskRunnerHeartbeat', {})).error).toBe(
    'InvalidRequestException',
  );
});

describe('definitions', () => {
  const shell = (id: string, ...fields: readonly object[]) =>
    object(id, field('type', 'ShellCommandActivity'), field('command', `echo ${id}`), ...fields);

  test('the sample of the API reference is valid, and errors in it are reported by object', async () => {
    const { pipeline } = await rig();
    const created = await pipeline('CreatePipeline', { name: 'p', uniqueId: 'u' });
    const { pipelineId } = created.body;
    const sample = (startDateTime: string, workerGroup: string) => ({
      pipelineId,
      pipelineObjects: [
        object('Default', field('workerGroup', workerGroup)),
        object(
          'Schedule',
          field('startDateTime', startDateTime),
          field('type', 'Schedule'),
          field('period', '1 hour'),
          field('endDateTime', '2012-09-25T18:00:00'),
        ),
        shell('SayHello', ref('parent', 'Default'), ref('schedule', 'Schedule')),
      ],
    });
    const good = await pipeline('ValidatePipelineDefinition', sample('2012-09-25T17:00:00', 'w'));
    expect(good.body).toEqual({ errored: false });
    const bad = await pipeline('ValidatePipelineDefinition', sample('bad-time', 'w'));
    expect(bad.body).toEqual({
      errored: true,
      validationErrors: [
        {
          id: 'Schedule',
          errors: ["INVALID_FIELD_VALUE: 'startDateTime' value must be a literal datetime value."],
        },
      ],
    });
    const empty = await pipeline('PutPipelineDefinition', sample('2012-09-25T17:00:00', ''));
    expect([empty.status, empty.error]).toEqual([400, 'InvalidRequestException']);
    expect(
      (await pipeline('GetPipelineDefinition', { pipelineId })).body['pipelineObjects'],
    ).toEqual([]);
    expect((await pipeline('PutPipelineDefinition', sample('bad-time', 'w'))).body['errored']).toBe(
      true,
    );
    expect((await pipeline('ActivatePipeline', { pipelineId })).error).toBe(
      'InvalidRequestException',
    );
    await pipeline('PutPipelineDefinition', sample('2012-09-25T17:00:00', 'w'));
    // Its schedule started years ago: activating it would backfill.
    expect((await pipeline('ActivatePipeline', { pipelineId })).error).toBe(
      'InvalidRequestException',
    );
  });

  test.each([
    ['no command', [field('type', 'ShellCommandActivity'), field('workerGroup', 'w')]],
    [
      'command and scriptUri',
      [
        field('type', 'ShellCommandActivity'),
        field('command', 'a'),
        field('scriptUri', 's3://b'),
        field('workerGroup', 'w'),
      ],
    ],
    [
      'neither workerGroup nor runsOn',
      [field('type', 'ShellCommandActivity'), field('command', 'a')],
    ],
    [
      'a reference to a missing object',
      [
        field('type', 'ShellCommandActivity'),
        field('command', 'a'),
        field('workerGroup', 'w'),
        ref('dependsOn', 'Nobody'),
      ],
    ],
    [
      'a cycle',
      [
        field('type', 'ShellCommandActivity'),
        field('command', 'a'),
        field('workerGroup', 'w'),
        ref('dependsOn', 'A'),
      ],
    ],
    [
      'an invalid period',
      [
        field('type', 'ShellCommandActivity'),
        field('command', 'a'),
        field('workerGroup', 'w'),
        field('attemptTimeout', 'soon'),
      ],
    ],
    [
      'a retryDelay below two minutes',
      [
        field('type', 'ShellCommandActivity'),
        field('command', 'a'),
        field('workerGroup', 'w'),
        field('retryDelay', '1 minute'),
      ],
    ],
    [
      'six retries',
      [
        field('type', 'ShellCommandActivity'),
        field('command', 'a'),
        field('workerGroup', 'w'),
        field('maximumRetries', '6'),
      ],
    ],
    [
      '51 fields',
      [
        field('type', 'ShellCommandActivity'),
        field('command', 'a'),
        field('workerGroup', 'w'),
        ...Array.from({ length: 48 }, (_, i) => field(`my${i}`, 'x')),
      ],
    ],
    [
      '15,361 bytes',
      [
        field('type', 'ShellCommandActivity'),
        field('command', 'a'.repeat(10_000)),
        field('workerGroup', 'w'.repeat(5_400)),
      ],
    ],
  ])('%s is an error', async (_, fields) => {
    const { pipeline } = await rig();
    const { pipelineId } = (await pipeline('CreatePipeline', { name: 'p', uniqueId: 'u' })).body;
    const put = await pipeline('PutPipelineDefinition', {
      pipelineId,
      pipelineObjects: [ON_DEMAND, object('A', ...fields)],
    });
    expect(put.body).toMatchObject({ errored: true, validationErrors: [{ id: 'A' }] });
  });

  test('a field comes from the nearest object that has it: itself, its parents, Default', async () => {
    const made = await rig();
    await define(
      made,
      object(
        'Default',
        field('scheduleType', 'ondemand'),
        field('workerGroup', 'files'),
        field('attemptTimeout', '1 hour'),
        field('stdout', '/default'),
      ),
      object('Base', field('attemptTimeout', '2 hours'), field('stdout', '/base')),
      shell('A', ref('parent', 'Base'), field('stdout', '/own')),
    );
    const task = await poll(made);
    expect(valuesOf(task, 'workerGroup')).toEqual(['files']);
    expect(valuesOf(task, 'attemptTimeout')).toEqual(['2 hours']);
    expect(valuesOf(task, 'stdout')).toEqual(['/own']);
  });

  test('an activity waits for its dependencies', async () => {
    const made = await rig();
    const group = field('workerGroup', 'files');
    await define(made, ON_DEMAND, shell('B', group, ref('dependsOn', 'A')), shell('A', group));
    expect(statusOf(made, '@B_2026-01-01T00:00:00')).toBe('WAITING_ON_DEPENDENCIES');
    const first = await poll(made);
    expect(first.attemptId).toBe('@A_2026-01-01T00:00:00_Attempt=1');
    expect(made.simulator.state().readyTasks).toBe(0);
    await made.pipeline('SetTaskStatus', { taskId: first.taskId, taskStatus: 'FINISHED' });
    expect((await poll(made)).attemptId).toBe('@B_2026-01-01T00:00:00_Attempt=1');
  });

  test('a failure cascades only if failureAndRerunMode is cascade', async () => {
    const made = await rig();
    const group = field('workerGroup', 'files');
    const cascade = field('failureAndRerunMode', 'CASCADE');
    await define(
      made,
      ON_DEMAND,
      shell('A', group, field('maximumRetries', '0')),
      shell('B', group, ref('dependsOn', 'A'), cascade),
      shell('C', group, ref('dependsOn', 'A')),
    );
    const { taskId } = await poll(made);
    await made.pipeline('SetTaskStatus', { taskId, taskStatus: 'FAILED' });
    const status = (id: string) => statusOf(made, `@${id}_2026-01-01T00:00:00`);
    expect([status('A'), status('B'), status('C')]).toEqual([
      'FAILED',
      'CASCADE_FAILED',
      'WAITING_ON_DEPENDENCIES',
    ]);
  });

  test('a schedule runs at the start of each interval with cron, and at its end with timeseries', async () => {
    for (const [scheduleType, due] of [
      ['cron', 0],
      ['timeseries', 1],
    ] as const) {
      const made = await rig();
      await define(
        made,
        object('Default', field('scheduleType', scheduleType), ref('schedule', 'Hourly')),
        object(
          'Hourly',
          field('type', 'Schedule'),
          field('period', '1 hour'),
          field('startAt', 'FIRST_ACTIVATION_DATE_TIME'),
          field('occurrences', '2'),
        ),
        shell('A', field('workerGroup', 'files')),
      );
      const counts: number[] = [];
      for (let hour = 0; hour < 4; hour++) {
        counts.push(made.simulator.state().readyTasks);
        made.clock.advance(HOUR);
      }
      expect(counts, scheduleType).toEqual([1 - due, 2 - due, 2, 2]);
    }
  });

  test('an on-demand pipeline runs once for each activation', async () => {
    const made = await rig();
    const pipelineId = await define(made, ON_DEMAND, shell('A', field('workerGroup', 'files')));
    await made.pipeline('ActivatePipeline', { pipelineId });
    const ids = [(await poll(made)).attemptId, (await poll(made)).attemptId];
    expect(new Set(ids).size).toBe(2);
  });

  test('the runner gets the values of parameters and field references', async () => {
    const made = await rig();
    const { pipelineId } = (await made.pipeline('CreatePipeline', { name: 'p', uniqueId: 'u' }))
      .body;
    await made.pipeline('PutPipelineDefinition', {
      pipelineId,
      pipelineObjects: [
        ON_DEMAND,
        object('Store', field('type', 'S3DataNode'), field('directoryPath', 's3://b/k')),
        object(
          'A',
          field('type', 'ShellCommandActivity'),
          field('workerGroup', 'files'),
          ref('input', 'Store'),
          field(
            'command',
            'cp #{input.directoryPath} #{myTarget} #{@scheduledStartTime} #{format(x)}',
          ),
        ),
      ],
      parameterObjects: [{ id: 'myTarget', attributes: [field('default', '/srv')] }],
    });
    await made.pipeline('ActivatePipeline', {
      pipelineId,
      parameterValues: [{ id: 'myTarget', stringValue: '/data' }],
    });
    expect(valuesOf(await poll(made), 'command')).toEqual([
      'cp s3://b/k /data 2026-01-01T00:00:00 #{format(x)}',
    ]);
  });
});

describe('the operations that read pipelines', () => {
  test('CreatePipeline is idempotent by name and uniqueId, and pipelines are listed and described', async () => {
    const { pipeline } = await rig();
    const create = { name: 'p', uniqueId: 'u', description: 'd', tags: [{ key: 'k', value: 'v' }] };
    const first = await pipeline('CreatePipeline', create);
    const again = await pipeline('CreatePipeline', create);
    const other = await pipeline('CreatePipeline', { ...create, uniqueId: 'v' });
    expect(again.body).toEqual(first.body);
    expect(other.body).not.toEqual(first.body);
    const { pipelineId } = first.body;
    expect(pipelineId).toMatch(/^df-[A-Z0-9]{20}$/);
    expect((await pipeline('ListPipelines', {})).body['pipelineIdList']).toHaveLength(2);
    await pipeline('AddTags', { pipelineId, tags: [{ key: 'a', value: 'b' }] });
    await pipeline('RemoveTags', { pipelineId, tagKeys: ['k'] });
    const described = await pipeline('DescribePipelines', { pipelineIds: [pipelineId] });
    expect(described.body['pipelineDescriptionList']).toMatchObject([
      {
        pipelineId,
        name: 'p',
        description: 'd',
        tags: [{ key: 'a', value: 'b' }],
        fields: expect.arrayContaining([field('@pipelineState', 'PENDING')]) as unknown[],
      },
    ]);
    const many = await pipeline('DescribePipelines', {
      pipelineIds: Array.from({ length: 26 }, () => pipelineId),
    });
    expect(many.error).toBe('InvalidRequestException');
  });

  test('objects are queried by sphere and selector, described and evaluated', async () => {
    const made = await rig();
    const { pipelineId, instanceId } = made.simulator.submitShellActivity({
      ...SUBMITTED,
      command: 'echo #{@scheduledStartTime}',
    });
    const ids = async (sphere: string, ...selectors: readonly object[]) =>
      (await made.pipeline('QueryObjects', { pipelineId, sphere, query: { selectors } })).body[
        'ids'
      ];
    const selector = (fieldName: string, type: string, ...values: readonly string[]) => ({
      fieldName,
      operator: { type, values },
    });
    expect(await ids('COMPONENT')).toEqual(['Default', 'CopyFiles']);
    expect(await ids('INSTANCE', selector('@status', 'EQ', 'WAITING_FOR_RUNNER'))).toEqual([
      instanceId,
    ]);
    expect(await ids('INSTANCE', selector('@status', 'EQ', 'FINISHED'))).toEqual([]);
    expect(await ids('ATTEMPT', selector('@instanceParent', 'REF_EQ', instanceId))).toEqual([
      `${instanceId}_Attempt=1`,
    ]);
    expect(
      await ids(
        'INSTANCE',
        selector('@scheduledStartTime', 'BETWEEN', '2025-12-31T00:00:00', '2026-01-02T00:00:00'),
      ),
    ).toEqual([instanceId]);
    expect(
      await ids('INSTANCE', selector('@scheduledStartTime', 'GE', '2026-01-02T00:00:00')),
    ).toEqual([]);
    const first = await made.pipeline('QueryObjects', {
      pipelineId,
      sphere: 'COMPONENT',
      limit: 1,
    });
    expect(first.body).toMatchObject({ ids: ['Default'], hasMoreResults: true });
    const rest = await made.pipeline('QueryObjects', {
      pipelineId,
      sphere: 'COMPONENT',
      limit: 1,
      marker: first.body['marker'],
    });
    expect(rest.body).toEqual({ ids: ['CopyFiles'], hasMoreResults: false });
    expect((await made.pipeline('QueryObjects', { pipelineId, sphere: 'ALL' })).error).toBe(
      'InvalidRequestException',
    );

    const described = await made.pipeline('DescribeObjects', {
      pipelineId,
      objectIds: ['CopyFiles', instanceId],
    });
    expect(described.body['pipelineObjects']).toMatchObject([
      { id: 'CopyFiles' },
      { id: instanceId },
    ]);
    const expression = {
      pipelineId,
      objectId: instanceId,
      expression: 'at #{@scheduledStartTime} in #{workerGroup}',
    };
    expect((await made.pipeline('EvaluateExpression', expression)).body).toEqual({
      evaluatedExpression: 'at 2026-01-01T00:00:00 in files',
    });
    const unknown = { ...expression, expression: '#{nothing}' };
    expect((await made.pipeline('EvaluateExpression', unknown)).error).toBe(
      'InvalidRequestException',
    );
  });
});
