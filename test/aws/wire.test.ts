/**
 * What goes over the wire for each call, and what is read of good answers.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Call } from '../../src/core/model/call.ts';
import type { Services } from '../../src/ports.ts';
import { until } from '../support/until.ts';
import { CALLS, ok, servicesAt, setEnvironment, startStub } from './aws-stub.ts';
import type { Stub } from './aws-stub.ts';

let stub: Stub;
let services: Services;

beforeEach(async () => {
  setEnvironment();
  stub = await startStub();
  services = servicesAt(stub.url, { limits: {} });
});

afterEach(async () => {
  services.close();
  await stub.close();
});

const TASK = { ProgressUpdateStream: 'stream', MigrationTaskName: 'task' };

const WIRE: Readonly<Record<Call['operation'], readonly [service: string, body: object]>> = {
  GetHomeRegion: ['AWSMigrationHubMultiAccountService', {}],
  CreateProgressUpdateStream: ['AWSMigrationHub', { ProgressUpdateStreamName: 'stream' }],
  ImportMigrationTask: ['AWSMigrationHub', TASK],
  NotifyMigrationTaskState: [
    'AWSMigrationHub',
    {
      ...TASK,
      Task: { Status: 'IN_PROGRESS', StatusDetail: 'copying', ProgressPercent: 40 },
      UpdateDateTime: 1_790_000_000,
      NextUpdateSeconds: 300,
    },
  ],
  PutResourceAttributes: [
    'AWSMigrationHub',
    { ...TASK, ResourceAttributeList: [{ Type: 'FQDN', Value: 'files01.example.com' }] },
  ],
  AssociateDiscoveredResource: [
    'AWSMigrationHub',
    { ...TASK, DiscoveredResource: { ConfigurationId: 'd-server-0123' } },
  ],
  AssociateSourceResource: [
    'AWSMigrationHub',
    {
      ...TASK,
      SourceResource: {
        Name: 'arn:aws:s3:::source',
        Description: 'where it came from',
        StatusDetail: 'done',
      },
    },
  ],
  AssociateCreatedArtifact: [
    'AWSMigrationHub',
    { ...TASK, CreatedArtifact: { Name: 'arn:aws:s3:::bucket/key' } },
  ],
  NotifyApplicationState: [
    'AWSMigrationHub',
    {
      ApplicationId: 'd-application-0123',
      Status: 'IN_PROGRESS',
      UpdateDateTime: 1_790_000_000,
    },
  ],
  ListMigrationTaskUpdates: ['AWSMigrationHub', { ...TASK, MaxResults: 100, NextToken: 'abc=' }],
  PollForTask: ['DataPipeline', { workerGroup: 'files', hostname: 'host01' }],
  ReportTaskProgress: [
    'DataPipeline',
    {
      taskId: 'task-1',
      fields: [
        { key: 'percentComplete', stringValue: '40' },
        { key: 'myDetail', stringValue: 'copying' },
      ],
    },
  ],
  SetTaskStatus: [
    'DataPipeline',
    {
      taskId: 'task-1',
      taskStatus: 'FAILED',
      errorId: 'JobFailed',
      errorMessage: 'exit code 3',
      errorStackTrace: 'last lines',
    },
  ],
  ReportTaskRunnerHeartbeat: [
    'DataPipeline',
    { taskrunnerId: 'files-host-01', workerGroup: 'files', hostname: 'host01' },
  ],
};

describe('a call', () => {
  test.each(Object.values(CALLS))(
    '$operation goes out once, signed, as the model has it',
    async (call) => {
      const outcome = await services.send(call);
      expect(outcome.kind).toBe('accepted');
      expect(stub.requests).toHaveLength(1);
      const [service, body] = WIRE[call.operation];
      const request = stub.requests[0]!;
      expect(request.target).toBe(`${service}.${call.operation}`);
      expect(request.body).toEqual(body);
      expect(request.headers['content-type']).toBe('application/x-amz-json-1.1');
      const signing = service === 'DataPipeline' ? 'us-west-2/datapipeline' : 'mgh';
      expect(request.headers.authorization).toContain(signing);
    },
  );

  test('to the Hub is signed for the region that it names, one client for each', async () => {
    await services.send(CALLS.ImportMigrationTask);
    await services.send({ ...CALLS.ImportMigrationTask, region: 'us-east-1' });
    await services.send(CALLS.GetHomeRegion);
    const regions = stub.requests.map(
      ({ headers }) => /\d{8}\/([^/]+)\//u.exec(headers.authorization!)?.[1],
    );
    expect(regions).toEqual(['eu-central-1', 'us-east-1', 'us-west-2']);
  });

  test('has the application and its version in its User-Agent', async () => {
    await services.send(CALLS.NotifyMigrationTaskState);
    await services.send(CALLS.ReportTaskProgress);
    for (const { headers } of stub.requests) {
      expect(headers['user-agent']).toMatch(/(^| )app\/migration-agent( |$)/u);
      expect(headers['user-agent']).toMatch(/(^| )migration-agent\/1\.2\.3( |$)/u);
    }
  });

  test('has the application of AWS_SDK_UA_APP_ID in place of ours, in calls of both services', async () => {
    setEnvironment({ AWS_SDK_UA_APP_ID: 'acme-app' });
    const named = servicesAt(stub.url, { environment: { AWS_SDK_UA_APP_ID: 'acme-app' } });
    await named.send(CALLS.NotifyMigrationTaskState);
    await named.send(CALLS.ReportTaskProgress);
    await named.send(CALLS.PollForTask);
    named.close();
    expect(stub.requests).toHaveLength(3);
    for (const { headers } of stub.requests) {
      expect(headers['user-agent']?.match(/app\/\S+/gu)).toEqual(['app/acme-app']);
    }
  });

  test('leaves out what is not known', async () => {
    await services.send({ operation: 'ReportTaskProgress', taskId: 'task-1' });
    await services.send({ operation: 'SetTaskStatus', taskId: 'task-1', status: 'FINISHED' });
    const { operation, region, stream, task, status, stampS, nextUpdateS } =
      CALLS.NotifyMigrationTaskState;
    await services.send({ operation, region, stream, task, status, stampS, nextUpdateS });
    expect(stub.requests.map(({ body }) => body)).toEqual([
      { taskId: 'task-1' },
      { taskId: 'task-1', taskStatus: 'FINISHED' },
      {
        ...TASK,
        Task: { Status: 'IN_PROGRESS' },
        UpdateDateTime: 1_790_000_000,
        NextUpdateSeconds: 300,
      },
    ]);
  });

  test('sends no text that the service refuses', async () => {
    await services.send({
      ...CALLS.NotifyMigrationTaskState,
      detail: 'a\u001b[31mred\u001b[0m\nline',
    });
    await services.send({
      ...CALLS.SetTaskStatus,
      errorId: 'Service_down',
      errorMessage: `bell\u0007 ${'m'.repeat(9000)}`,
      errorStackTrace: `${'x'.repeat(3000)}the last line\n`,
    });
    const task = stub.requests[0]!.body['Task'] as { StatusDetail: string };
    expect(task.StatusDetail).toBe('ared line');
    const { errorId, errorMessage, errorStackTrace } = stub.requests[1]!.body as Record<
      string,
      string
    >;
    expect(errorId).toBe('Job_Service_down');
    expect(errorMessage).toMatch(/^bell m{1994}…$/u);
    expect(errorStackTrace).toHaveLength(1024);
    expect(errorStackTrace).toMatch(/^…x+the last line\n$/u);
  });

  test('goes to the endpoint of the environment where none is configured', async () => {
    const elsewhere = await startStub();
    setEnvironment({
      AWS_ENDPOINT_URL_MIGRATION_HUB: elsewhere.url,
      AWS_ENDPOINT_URL_MIGRATIONHUB_CONFIG: elsewhere.url,
      AWS_ENDPOINT_URL_DATA_PIPELINE: elsewhere.url,
    });
    const others = servicesAt('', { endpoints: {}, limits: {}, environment: process.env });
    for (const call of [CALLS.GetHomeRegion, CALLS.ImportMigrationTask, CALLS.PollForTask]) {
      expect((await others.send(call)).kind).toBe('accepted');
    }
    expect(elsewhere.requests).toHaveLength(3);
    others.close();
    await elsewhere.close();
  });
});

describe('an answer', () => {
  test.each(['taskId', 'pipelineId', 'attemptId'])(
    'of PollForTask without its %s is none: nobody could report that task',
    async (missing) => {
      const task = { taskId: 't', pipelineId: 'p', attemptId: 'a', [missing]: undefined };
      stub.answer = ok({ taskObject: task });
      expect((await services.send(CALLS.PollForTask)).kind).toBe('unavailable');
      stub.answer = ok({ taskObject: { ...task, [missing]: 'x' } });
      expect(await services.send(CALLS.PollForTask)).toMatchObject({
        answer: { task: { [missing]: 'x', objects: [] } },
      });
    },
  );

  test('of GetHomeRegion names the region, or none where none is set', async () => {
    stub.answer = ok({ HomeRegion: 'eu-central-1' });
    expect(await services.send(CALLS.GetHomeRegion)).toMatchObject({
      kind: 'accepted',
      answer: { homeRegion: 'eu-central-1' },
    });
    stub.answer = ok({});
    expect(await services.send(CALLS.GetHomeRegion)).toMatchObject({
      kind: 'accepted',
      answer: {},
    });
  });

  test('of PollForTask keeps the order and the repetition of fields', async () => {
    const fields = [
      { key: 'scriptArgument', stringValue: 'second' },
      { key: 'type', stringValue: 'ShellCommandActivity' },
      { key: 'scriptArgument', stringValue: 'first' },
      { key: 'runsOn', refValue: 'Resource' },
    ];
    stub.answer = ok({
      taskObject: {
        taskId: 'task-1',
        pipelineId: 'df-1',
        attemptId: '@Copy_Attempt=1',
        objects: { '@Copy_Attempt=1': { id: '@Copy_Attempt=1', name: 'Copy', fields } },
      },
    });
    expect(await services.send(CALLS.PollForTask)).toMatchObject({
      kind: 'accepted',
      answer: {
        task: {
          taskId: 'task-1',
          pipelineId: 'df-1',
          attemptId: '@Copy_Attempt=1',
          objects: [{ id: '@Copy_Attempt=1', name: 'Copy', fields }],
        },
      },
    });
  });

  test('of PollForTask without work has no task', async () => {
    const outcome = await services.send(CALLS.PollForTask);
    expect(outcome).toMatchObject({ kind: 'accepted' });
    expect(outcome.kind === 'accepted' && outcome.answer).toEqual({});
  });

  test('of PollForTask with a task that cannot be reported is not an answer', async () => {
    stub.answer = ok({ taskObject: { pipelineId: 'df-1' } });
    expect(await services.send(CALLS.PollForTask)).toMatchObject({ kind: 'unavailable' });
  });

  test('returns whether the task is canceled, and whether the runner must terminate', async () => {
    for (const said of [true, false]) {
      stub.answer = ok({ canceled: said, terminate: said });
      expect(await services.send(CALLS.ReportTaskProgress)).toMatchObject({
        answer: { canceled: said },
      });
      expect(await services.send(CALLS.ReportTaskRunnerHeartbeat)).toMatchObject({
        answer: { terminate: said },
      });
    }
  });

  test('carries the clock of the service, and none where its date cannot be read', async () => {
    const date = 'Mon, 21 Sep 2026 14:13:20 GMT';
    for (const call of [CALLS.NotifyMigrationTaskState, CALLS.ReportTaskProgress]) {
      stub.answer = ok({}, { date });
      expect((await services.send(call)).serverDateMs).toBe(Date.parse(date));
      stub.answer = ok({}, { date: 'next Tuesday, perhaps' });
      expect(await services.send(call)).not.toHaveProperty('serverDateMs');
    }
  });

  test('belongs to its own call, whichever of the calls in flight is answered first', async () => {
    // Calls of one kind go through one chain of the SDK: what differs between them must travel with each.
    const dates = ['Mon, 21 Sep 2026 14:13:20 GMT', 'Tue, 22 Sep 2026 14:13:20 GMT'];
    for (const call of [CALLS.NotifyMigrationTaskState, CALLS.ReportTaskProgress]) {
      const waiting: (() => void)[] = [];
      stub.answer = (response, request) => {
        const date = dates[waiting.length]!;
        waiting.push(() => ok({}, { date })(response, request));
      };
      const before = stub.requests.length;
      const first = services.send(call);
      await until('the first call is there', () => stub.requests.length === before + 1);
      const second = services.send(call);
      await until('the second call is there', () => stub.requests.length === before + 2);
      const [answerFirst, answerSecond] = waiting;
      answerSecond!();
      const late = await second;
      answerFirst!();
      const heads = [(await first).serverDateMs, late.serverDateMs];
      expect(heads).toEqual(dates.map((date) => Date.parse(date)));
    }
  });

  test('leaves nothing in the chain: the fiftieth call has the headers of the first', async () => {
    const headersOf = (index: number): unknown[] =>
      Object.entries(stub.requests[index]!.headers).map(([name, value]) => [name, value?.length]);
    for (const call of [CALLS.ImportMigrationTask, CALLS.ReportTaskProgress]) {
      const first = stub.requests.length;
      for (let calls = 0; calls < 50; calls += 1) await services.send(call);
      expect(headersOf(first + 49)).toEqual(headersOf(first));
    }
  });
});
