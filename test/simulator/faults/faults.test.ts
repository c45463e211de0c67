import { describe, expect, test } from 'vitest';
import { FaultFileError, parseFaultFile } from '../../../src/simulator/faults/file.ts';
import { notification, rig, SECOND, SEEN, TASK, until, withTask } from '../simulator-driver.ts';

describe('fault rules', () => {
  test('an error has the name, status and message of its rule, and the operation is not carried out', async () => {
    const { hub, pipeline, simulator } = await rig();
    simulator.addFault({
      operation: 'CreateProgressUpdateStream',
      fault: 'error',
      name: 'AccessDeniedException',
      message: 'no',
    });
    const refused = await hub('CreateProgressUpdateStream', { ProgressUpdateStreamName: 'S' });
    expect([refused.status, refused.error, refused.body['Message']]).toEqual([
      400,
      'AccessDeniedException',
      'no',
    ]);
    expect(
      (await hub('ListProgressUpdateStreams')).body['ProgressUpdateStreamSummaryList'],
    ).toEqual([]);
    simulator.addFault({ operation: 'DataPipeline.*', fault: 'error' });
    const internal = await pipeline('ListPipelines');
    expect([internal.status, internal.error]).toEqual([500, 'InternalServiceError']);
    expect((await hub('ListMigrationTasks')).status).toBe(200);
  });

  test('throttling is HTTP 429 with RetryAfterSeconds at the Hub, and HTTP 400 at Data Pipeline', async () => {
    const { hub, pipeline, simulator } = await rig();
    simulator.addFault({ operation: '*', fault: 'throttle', retryAfterSeconds: 7 });
    const hubs = await hub('ListMigrationTasks');
    expect([hubs.status, hubs.error, hubs.body['RetryAfterSeconds']]).toEqual([
      429,
      'ThrottlingException',
      7,
    ]);
    const pipelines = await pipeline('ListPipelines');
    expect([pipelines.status, pipelines.error]).toEqual([400, 'ThrottlingException']);
  });

  test('a rule applies from, for, count times, and only to the calls that match', async () => {
    const { hub, simulator, clock } = await rig();
    const isFaulted = async (operation = 'ListMigrationTasks', body: object = {}) =>
      (await hub(operation, body)).status === 500;
    simulator.addFault({
      operation: 'ListMigrationTasks',
      fault: 'error',
      from: '10s',
      for: '20s',
      count: 2,
    });
    expect(await isFaulted()).toBe(false);
    clock.advance(10 * SECOND);
    expect([await isFaulted(), await isFaulted('ListProgressUpdateStreams')]).toEqual([
      true,
      false,
    ]);
    expect([await isFaulted(), await isFaulted()]).toEqual([true, false]);
    simulator.clearFaults();
    simulator.addFault({ operation: '*', fault: 'error', for: '20s', containing: 'needle' });
    expect(await isFaulted('ListMigrationTasks', { ResourceName: 'a needle' })).toBe(true);
    expect(await isFaulted()).toBe(false);
    clock.advance(20 * SECOND);
    expect(await isFaulted('ListMigrationTasks', { ResourceName: 'a needle' })).toBe(false);
  });

  test('probability is seeded: the same seed picks the same calls', async () => {
    const pattern = async (seed: number) => {
      const { hub, simulator } = await rig({ seed });
      simulator.addFault({ operation: '*', fault: 'error', probability: 0.5 });
      let seen = '';
      for (let i = 0; i < 24; i++)
        seen += (await hub('ListMigrationTasks')).status === 500 ? 'x' : '.';
      return seen;
    };
    const first = await pattern(3);
    expect(first).toMatch(/x/);
    expect(first).toMatch(/\./);
    expect(await pattern(3)).toBe(first);
    expect(await pattern(4)).not.toBe(first);
  });

  test('drop closes the connection; lose-answer carries the operation out first', async () => {
    const { hub, simulator } = await rig();
    const create = (ProgressUpdateStreamName: string) =>
      hub('CreateProgressUpdateStream', { ProgressUpdateStreamName });
    simulator.addFault({ operation: '*', fault: 'drop', count: 1 });
    await expect(create('dropped')).rejects.toThrow();
    simulator.addFault({ operation: '*', fault: 'lose-answer', count: 1 });
    await expect(create('lost')).rejects.toThrow();
    expect(
      (await hub('ListProgressUpdateStreams')).body['ProgressUpdateStreamSummaryList'],
    ).toEqual([{ ProgressUpdateStreamName: 'lost' }]);
  });

  test('blackhole never answers', async () => {
    const { call, simulator } = await rig();
    simulator.addFault({ operation: '*', fault: 'blackhole', count: 1 });
    const abort = new AbortController();
    let isSettled = false;
    const gone = call('AWSMigrationHub.ListMigrationTasks', {}, '', abort.signal).finally(
      () => (isSettled = true),
    );
    await until(() => simulator.journal()[0]?.outcome === 'no answer');
    expect(isSettled).toBe(false);
    abort.abort();
    await expect(gone).rejects.toThrow();
  });

  test('truncate, garbage and status replace the answer', async () => {
    const { url, hub, simulator } = await rig();
    const raw = () =>
      fetch(url, {
        method: 'POST',
        headers: { 'x-amz-target': 'AWSMigrationHub.ListMigrationTasks' },
        body: '{}',
      });
    simulator.addFault({ operation: '*', fault: 'truncate', count: 1 });
    await expect(raw().then((response) => response.text())).rejects.toThrow();
    simulator.addFault({ operation: '*', fault: 'garbage', count: 1 });
    const garbage = await raw();
    expect(garbage.status).toBe(200);
    await expect(garbage.json()).rejects.toThrow(SyntaxError);
    simulator.addFault({ operation: '*', fault: 'status', status: 502, count: 1 });
    expect(await hub('ListMigrationTasks')).toMatchObject({ status: 502, body: {} });
  });

  test('delay answers late, and the operation is carried out', async () => {
    const { hub, simulator, clock } = await rig();
    simulator.addFault({ operation: '*', fault: 'delay', delay: '3s', count: 1 });
    let isSettled = false;
    const late = hub('CreateProgressUpdateStream', { ProgressUpdateStreamName: 'S' }).finally(
      () => (isSettled = true),
    );
    await until(() => simulator.journal().length === 1);
    clock.advance(2_999);
    expect(simulator.state().streams).toEqual([]);
    expect(isSettled).toBe(false);
    clock.advance(1);
    expect((await late).status).toBe(200);
  });

  test('a rule may apply to the nth call that matches, or to every nth', async () => {
    const { hub, simulator } = await rig();
    const pattern = async (rule: object) => {
      simulator.clearFaults();
      simulator.addFault({ operation: 'ListMigrationTasks', fault: 'error', ...rule });
      let seen = '';
      for (let i = 0; i < 7; i++) {
        await hub('ListProgressUpdateStreams');
        seen += (await hub('ListMigrationTasks')).status === 500 ? 'x' : '.';
      }
      return seen;
    };
    expect(await pattern({ nth: 3 })).toBe('..x....');
    expect(await pattern({ every: 3 })).toBe('..x..x.');
    expect(await pattern({ every: 2, count: 2 })).toBe('.x.x...');
    expect(simulator.state().faults).toMatchObject([{ applied: 2, left: 0 }]);
  });

  test('deny answers as IAM does, with UnauthorizedOperation for a dry run of the Hub', async () => {
    const { hub, config, pipeline, simulator } = await rig();
    simulator.addFault({ operation: '*', fault: 'deny' });
    const create = { ProgressUpdateStreamName: 'S' };
    const control = { HomeRegion: 'us-west-2', Target: { Type: 'ACCOUNT' }, DryRun: true };
    expect([
      (await hub('CreateProgressUpdateStream', create)).error,
      (await hub('CreateProgressUpdateStream', { ...create, DryRun: true })).error,
      (await config('CreateHomeRegionControl', control)).error,
      (await pipeline('ListPipelines')).error,
    ]).toEqual([
      'AccessDeniedException',
      'UnauthorizedOperation',
      'AccessDeniedException',
      'AccessDeniedException',
    ]);
  });

  test('date answers with a wrong Date header, status with a body and a Retry-After header', async () => {
    const { hub, pipeline, simulator, url } = await rig();
    simulator.addFault({ operation: '*', fault: 'date', skew: '-2h', count: 1 });
    const skewed = await hub('ListMigrationTasks');
    expect(skewed.status).toBe(200);
    expect(Date.parse(skewed.headers.get('date') ?? '')).toBe(SEEN * 1_000 - 7_200_000);
    simulator.addFault({
      operation: '*',
      fault: 'status',
      status: 413,
      body: '<h1>no</h1>',
      count: 1,
    });
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'x-amz-target': 'AWSMigrationHub.ListMigrationTasks' },
    });
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
      413,
      'text/html',
      '<h1>no</h1>',
    ]);
    simulator.addFault({ operation: '*', fault: 'throttle', retryAfterSeconds: 30 });
    expect((await pipeline('ListPipelines')).headers.get('retry-after')).toBe('30');
  });

  test('reset and stall break the connection and the answer', async () => {
    const { url, call, simulator } = await rig();
    simulator.addFault({ operation: '*', fault: 'reset', count: 1 });
    await expect(call('AWSMigrationHub.ListMigrationTasks')).rejects.toMatchObject({
      cause: { code: 'ECONNRESET' },
    });
    simulator.addFault({ operation: '*', fault: 'stall', count: 1 });
    const abort = new AbortController();
    const stalled = await fetch(url, {
      method: 'POST',
      headers: { 'x-amz-target': 'AWSMigrationHub.ListMigrationTasks' },
      signal: abort.signal,
    });
    expect(stalled.status).toBe(200);
    let isWhole = false;
    const body = stalled.text().then(() => (isWhole = true));
    await until(() => simulator.journal().at(-1)?.outcome === 'answer stalled');
    expect(isWhole).toBe(false);
    abort.abort();
    await expect(body).rejects.toThrow();
  });

  test('in an outage, a held poll takes no task', async () => {
    const made = await rig();
    const held = made.pipeline('PollForTask', { workerGroup: 'files' });
    await until(() => made.simulator.state().heldPolls === 1);
    made.simulator.addFault({ operation: '*', fault: 'drop', for: '60s' });
    made.simulator.submitShellActivity({ name: 'A', workerGroup: 'files', command: 'true' });
    made.clock.advance(59 * SECOND);
    expect(made.simulator.state()).toMatchObject({ readyTasks: 1, ownedTasks: [] });
    made.clock.advance(2 * SECOND);
    await made.pipeline('ListPipelines');
    expect((await held).body['taskObject']).toBeDefined();
  });

  test('a poll whose 90 seconds end in an outage loses its connection', async () => {
    const made = await rig();
    const held = made.pipeline('PollForTask', { workerGroup: 'files' });
    const refused = expect(held).rejects.toThrow();
    await until(() => made.simulator.state().heldPolls === 1);
    made.simulator.addFault({ operation: '*', fault: 'blackhole' });
    made.clock.advance(90 * SECOND);
    await refused;
  });
});

describe('the fault script', () => {
  test('a list of rules is read, durations and all', () => {
    const script = parseFaultFile(
      "- { operation: '*', fault: drop, from: 10s, for: 2m }\n- operation: PollForTask\n  fault: delay\n  delay: 1.5s\n",
      'faults.yaml',
    );
    expect(script).toEqual({
      faults: [
        { operation: '*', fault: 'drop', from: 10_000, for: 120_000 },
        { operation: 'PollForTask', fault: 'delay', delay: 1_500 },
      ],
      switches: {},
      limits: {},
    });
    const nothing = { faults: [], switches: {}, limits: {} };
    expect(parseFaultFile('', 'empty.yaml')).toEqual(nothing);
    expect(parseFaultFile('switches: {}', 'empty.yaml')).toEqual(nothing);
  });

  test('a mapping sets switches and limits as well', () => {
    const text = `
faults:
  - { operation: MigrationHub.NotifyMigrationTaskState, fault: date, skew: -1h, every: 3 }
switches: { progressMs: 5m, futureUpdateMsMax: never, reportAfterLapse: canceled, maximumRetriesMax: 2 }
limits:
  PollForTask: { perSecond: 1, burst: 2 }
  SetTaskStatus: null
`;
    expect(parseFaultFile(text, 'faults.yaml')).toEqual({
      faults: [
        {
          operation: 'MigrationHub.NotifyMigrationTaskState',
          fault: 'date',
          skew: -3_600_000,
          every: 3,
        },
      ],
      switches: {
        progressMs: 300_000,
        futureUpdateMsMax: Infinity,
        reportAfterLapse: 'canceled',
        maximumRetriesMax: 2,
      },
      limits: { PollForTask: { perSecond: 1, burst: 2 }, SetTaskStatus: null },
    });
  });

  test.each([
    [
      'a kind',
      '- { operation: PollForTask, fault: dorp }',
      /:1:\d+ 0\.fault: .*did you mean drop\?.*blackhole/,
    ],
    [
      'an operation',
      '- { operation: PolForTask, fault: drop }',
      /:1:\d+ 0\.operation: .*did you mean PollForTask\?/,
    ],
    [
      'a key',
      '- operation: "*"\n  fault: drop\n  cuont: 3',
      /:3:\d+ 0\.cuont: .*did you mean count\?.*probability/,
    ],
    [
      'a key of another kind',
      '- { operation: "*", fault: drop, delay: 3s }',
      /:1:\d+ 0\.delay: drop takes no delay; .*use delay/,
    ],
    [
      'what a kind needs',
      '- { operation: "*", fault: delay }',
      /:1:\d+ 0: delay needs delay, such as delay: 10s/,
    ],
    [
      'a time',
      '- { operation: "*", fault: drop, for: soon }',
      /:1:\d+ 0\.for: expected a duration such as/,
    ],
    [
      'a skew',
      '- { operation: "*", fault: date, skew: back }',
      /:1:\d+ 0\.skew: .*sign such as \+2h/,
    ],
    ['a status', '- { operation: "*", fault: status, status: 200 }', /:1:\d+ 0\.status: .*400/],
    [
      'nth and every',
      '- { operation: "*", fault: drop, nth: 1, every: 2 }',
      /:1:\d+ 0\.every: .*not both/,
    ],
    [
      'a switch',
      'switches: { reportAfterLaps: canceled }',
      /:1:\d+ switches\.reportAfterLaps: no such switch; `simulate switches`/,
    ],
    [
      'a value',
      'switches: { reportAfterLapse: maybe }',
      /:1:\d+ switches\.reportAfterLapse: .*not-found \| canceled/,
    ],
    [
      'a limit',
      'limits: { PollForTask: { perSecond: 1, brust: 2 } }',
      /limits\.PollForTask\.brust: .*did you mean burst\?/,
    ],
    ['a section', 'faulst: []', /:1:\d+ faulst: .*did you mean faults\?/],
    ['the whole', 'just words', /:1:1 \(file\): expected a list of rules/],
  ])('an error in %s is reported with its place and the allowed values', (_, text, message) => {
    expect(() => parseFaultFile(text, 'faults.yaml')).toThrow(message);
  });

  test('all problems are reported with their places', () => {
    const text =
      "- { operation: '*', fault: dorp }\n- operation: PollForTask\n  fault: delay\n  delay: soon\n  colour: red\n";
    let message = '';
    try {
      parseFaultFile(text, 'faults.yaml');
    } catch (error) {
      expect(error).toBeInstanceOf(FaultFileError);
      message = String(error);
    }
    expect(message).toMatch(/faults\.yaml:1:\d+ 0\.fault: /);
    expect(message).toMatch(/faults\.yaml:4:10 1\.delay: expected a duration/);
    expect(message).toContain('colour');
    expect(() => parseFaultFile('- {', 'faults.yaml')).toThrow(/faults\.yaml:\d+:\d+ /);
    expect(() => parseFaultFile('operation: x', 'faults.yaml')).toThrow(FaultFileError);
  });
});

describe('token buckets', () => {
  test('the published limit of PollForTask is a burst of 100, then two a second', async () => {
    const made = await rig();
    const work = { name: 'A', workerGroup: 'files', command: 'true' };
    const poll = () => made.pipeline('PollForTask', { workerGroup: 'files' });
    for (let i = 0; i < 100; i++) {
      made.simulator.submitShellActivity(work);
      await poll();
      // Quick pipelines count against the 100 pipelines of an account.
      await made.pipeline('DeletePipeline', {
        pipelineId: made.simulator.state().pipelines[0]?.id,
      });
    }
    const refused = await poll();
    expect([refused.status, refused.error]).toEqual([400, 'ThrottlingException']);
    made.clock.advance(SECOND);
    made.simulator.submitShellActivity(work);
    expect((await poll()).body['taskObject']).toBeDefined();
    expect(made.simulator.audit().operations['PollForTask']).toMatchObject({
      calls: 102,
      overLimit: 1,
      throttled: 1,
    });
  });

  test('a limit can be changed, and calls over it can be counted without being refused', async () => {
    const made = await rig({
      enforceLimits: false,
      limits: { ListMigrationTasks: { perSecond: 1, burst: 2 } },
    });
    for (let i = 0; i < 5; i++) expect((await made.hub('ListMigrationTasks')).status).toBe(200);
    expect(made.simulator.audit().operations['ListMigrationTasks']).toMatchObject({
      overLimit: 3,
      throttled: 0,
    });
    made.simulator.setLimits({ ListMigrationTasks: null });
    await made.hub('ListMigrationTasks');
    expect(made.simulator.audit().overLimit).toBe(3);
  });

  test('idle time saves up calls, up to the burst', async () => {
    const made = await rig({ limits: { ListMigrationTasks: { perSecond: 1, burst: 2 } } });
    await made.hub('ListMigrationTasks');
    made.clock.advance(60 * SECOND);
    const statuses: number[] = [];
    for (let i = 0; i < 4; i++) statuses.push((await made.hub('ListMigrationTasks')).status);
    expect(statuses).toEqual([200, 200, 429, 429]);
  });

  test('the Hub answers when to retry', async () => {
    const made = await rig({ limits: { ListMigrationTasks: { perSecond: 0.1, burst: 1 } } });
    await made.hub('ListMigrationTasks');
    expect((await made.hub('ListMigrationTasks')).body['RetryAfterSeconds']).toBe(10);
  });
});

test('the control API answers, and accepts faults, limits, a home region, an activity and its cancel', async () => {
  const { url, hub, config, pipeline, simulator } = await withTask(await rig());
  const get = (path: string) => fetch(`${url}/_simulator/${path}`);
  const post = (path: string, body: unknown) =>
    fetch(`${url}/_simulator/${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });

  await hub('NotifyMigrationTaskState', {
    ...notification('IN_PROGRESS', SEEN, 60),
    Task: { Status: 'IN_PROGRESS', StatusDetail: '<b>bold</b>' },
  });
  const page = await (await get('')).text();
  expect(page).toContain('&lt;b&gt;bold&lt;/b&gt;');
  expect(await (await get('audit')).json()).toMatchObject({
    migrationHub: { tasks: [{ task: TASK.MigrationTaskName }] },
  });
  expect(await (await get('journal')).json()).toHaveLength(3);
  expect(await (await get('state')).json()).toMatchObject({ streams: [{ name: 'S' }] });
  expect((await get('nothing')).status).toBe(404);

  await fetch(url, {
    method: 'POST',
    headers: {
      'x-amz-target': 'DataPipeline.SetTaskStatus',
      'user-agent': 'aws-cli/9 x/1',
      authorization:
        'AWS4-HMAC-SHA256 Credential=AKIA7/20260101/eu-west-1/datapipeline/aws4_request',
    },
    body: '{"taskId":"<i>t</i>","taskStatus":"DONE"}',
  });
  const calls = await (await get('calls?errors')).text();
  expect(calls).toContain('aws-cli/9, key AKIA7, eu-west-1');
  expect(calls).toContain('taskId=&lt;i&gt;t&lt;/i&gt; taskStatus=DONE');
  expect(calls).toContain('InvalidRequestException, HTTP 400: 1 validation error detected');
  expect(calls).not.toContain('CreateProgressUpdateStream');
  const chosen = await (await get('journal?operation=ImportMigrationTask&last=1')).json();
  expect(chosen).toMatchObject([{ number: 2, operation: 'ImportMigrationTask', outcome: 'ok' }]);
  expect(await (await get('journal?after=3')).json()).toMatchObject([{ number: 4 }]);

  await post('faults', { add: [{ operation: 'GetHomeRegion', fault: 'error' }] });
  expect((await config('GetHomeRegion')).status).toBe(500);
  await post('faults', { clear: true });
  await post('home-region', { region: 'eu-west-1' });
  expect((await config('GetHomeRegion')).body).toEqual({ HomeRegion: 'eu-west-1' });
  await post('limits', { GetHomeRegion: { perSecond: 1, burst: 1 } });
  await config('GetHomeRegion');
  expect((await config('GetHomeRegion')).error).toBe('ThrottlingException');
  await post('terminate', { taskRunnerId: 'all' });
  expect((await pipeline('ReportTaskRunnerHeartbeat', { taskrunnerId: 'r' })).body).toEqual({
    terminate: true,
  });
  const { pipelineId } = (await (
    await post('submit', { name: 'A', workerGroup: 'w', command: 'true' })
  ).json()) as { pipelineId: string };
  expect(simulator.state().readyTasks).toBe(1);
  expect(await (await post('cancel', { pipelineId })).json()).toEqual({ canceled: 1 });

  const wrong = await post('faults', { add: [{ operation: '*', fault: 'dorp' }] });
  expect(wrong.status).toBe(400);
  expect(await wrong.text()).toContain('fault');
  expect((await post('cancel', { pipelineId: 'df-0' })).status).toBe(400);
});
