import { describe, expect, test } from 'vitest';
import { HOUR, notification, rig, SECOND, SEEN, TASK, withTask } from '../simulator-driver.ts';

describe('tasks of Migration Hub', () => {
  test('a task is imported, notified, described and listed with its history', async () => {
    const { hub } = await withTask(await rig());
    const first = await hub('NotifyMigrationTaskState', notification('IN_PROGRESS', SEEN, 60, 10));
    expect(first.status).toBe(200);
    expect(first.body).toEqual({});
    await hub('NotifyMigrationTaskState', notification('COMPLETED', SEEN + 5, 60, 100));

    const described = await hub('DescribeMigrationTask', TASK);
    expect(described.body['MigrationTask']).toEqual({
      ...TASK,
      Task: { Status: 'COMPLETED', ProgressPercent: 100 },
      UpdateDateTime: SEEN + 5,
      ResourceAttributeList: [],
    });
    const listed = await hub('ListMigrationTasks', {});
    expect(listed.body['MigrationTaskSummaryList']).toEqual([
      { ...TASK, Status: 'COMPLETED', ProgressPercent: 100, UpdateDateTime: SEEN + 5 },
    ]);
    const updates = await hub('ListMigrationTaskUpdates', TASK);
    expect(updates.body['MigrationTaskUpdateList']).toEqual([
      {
        UpdateDateTime: SEEN,
        UpdateType: 'MIGRATION_TASK_STATE_UPDATED',
        MigrationTaskState: { Status: 'IN_PROGRESS', ProgressPercent: 10 },
      },
      {
        UpdateDateTime: SEEN + 5,
        UpdateType: 'MIGRATION_TASK_STATE_UPDATED',
        MigrationTaskState: { Status: 'COMPLETED', ProgressPercent: 100 },
      },
    ]);
  });

  test('a task must be imported, and its stream created, before it is notified', async () => {
    const { hub } = await rig();
    const noStream = await hub('ImportMigrationTask', TASK);
    expect(noStream.error).toBe('ResourceNotFoundException');
    expect(noStream.status).toBe(400);
    expect(noStream.body['Message']).toContain('S');
    await hub('CreateProgressUpdateStream', { ProgressUpdateStreamName: 'S' });
    const noTask = await hub('NotifyMigrationTaskState', notification('IN_PROGRESS', SEEN, 60));
    expect(noTask.error).toBe('ResourceNotFoundException');
    expect((await hub('DescribeMigrationTask', TASK)).error).toBe('ResourceNotFoundException');
  });

  test('a stream that is being deleted refuses writes, and then disappears with its tasks', async () => {
    const made = await withTask(await rig({ behaviour: { streamDeletionMs: 5 * SECOND } }));
    const { hub, clock } = made;
    const name = { ProgressUpdateStreamName: 'S' };
    await hub('DeleteProgressUpdateStream', name);
    const listed = await hub('ListProgressUpdateStreams', {});
    expect(listed.body['ProgressUpdateStreamSummaryList']).toEqual([name]);
    for (const [operation, body] of [
      ['CreateProgressUpdateStream', name],
      ['ImportMigrationTask', TASK],
      ['NotifyMigrationTaskState', notification('IN_PROGRESS', SEEN, 60)],
      ['AssociateSourceResource', { ...TASK, SourceResource: { Name: 'r' } }],
    ] as const) {
      expect((await hub(operation, body)).error, operation).toBe('InvalidInputException');
    }
    clock.advance(5 * SECOND);
    expect((await hub('DescribeMigrationTask', TASK)).error).toBe('ResourceNotFoundException');
    expect((await hub('CreateProgressUpdateStream', name)).status).toBe(200);
    expect((await hub('DeleteProgressUpdateStream', { ProgressUpdateStreamName: 'X' })).error).toBe(
      'ResourceNotFoundException',
    );
  });

  test('attributes overwrite each other, and VM fields without VM_MANAGER_ID are discarded', async () => {
    const { hub } = await withTask(await rig());
    const put = (...attributes: readonly (readonly [string, string])[]) =>
      hub('PutResourceAttributes', {
        ...TASK,
        ResourceAttributeList: attributes.map(([Type, Value]) => ({ Type, Value })),
      });
    await put(['FQDN', 'a.example'], ['IPV4_ADDRESS', '10.0.0.1']);
    await put(['FQDN', 'b.example'], ['VM_NAME', 'vm']);
    const described = await hub('DescribeMigrationTask', TASK);
    expect(described.body['MigrationTask']).toMatchObject({
      ResourceAttributeList: [{ Type: 'FQDN', Value: 'b.example' }],
    });
    const found = await hub('ListMigrationTasks', { ResourceName: 'b.example' });
    expect(found.body['MigrationTaskSummaryList']).toHaveLength(1);
    const none = await hub('ListMigrationTasks', { ResourceName: 'a.example' });
    expect(none.body['MigrationTaskSummaryList']).toEqual([]);
  });

  test.each([
    {
      kind: 'CreatedArtifact',
      list: 'CreatedArtifact',
      item: { Name: 'arn:aws:s3:::bucket/key', Description: 'dump' },
      key: { CreatedArtifactName: 'arn:aws:s3:::bucket/key' },
    },
    {
      kind: 'DiscoveredResource',
      list: 'DiscoveredResource',
      item: { ConfigurationId: 'd-server-1' },
      key: { ConfigurationId: 'd-server-1' },
    },
    {
      kind: 'SourceResource',
      list: 'SourceResource',
      item: { Name: 'wave 1', StatusDetail: 'ready' },
      key: { SourceResourceName: 'wave 1' },
    },
  ])('a $kind is associated, listed and disassociated', async ({ kind, list, item, key }) => {
    const { hub } = await withTask(await rig());
    expect((await hub(`Associate${kind}`, { ...TASK, [kind]: item })).status).toBe(200);
    const listed = await hub(`List${list}s`, TASK);
    expect(listed.body[`${list}List`]).toEqual([item]);
    expect((await hub(`Disassociate${kind}`, { ...TASK, ...key })).status).toBe(200);
    expect((await hub(`List${list}s`, TASK)).body[`${list}List`]).toEqual([]);
    const again = await hub(`Disassociate${kind}`, { ...TASK, ...key });
    expect(again.error).toBe('ResourceNotFoundException');
    expect((await hub(`List${list}s`, { ...TASK, MaxResults: 11 })).error).toBe(
      'InvalidInputException',
    );
  });

  test('application states are set, described and listed', async () => {
    const { hub } = await rig();
    expect((await hub('DescribeApplicationState', { ApplicationId: 'a' })).error).toBe(
      'ResourceNotFoundException',
    );
    await hub('NotifyApplicationState', { ApplicationId: 'a', Status: 'IN_PROGRESS' });
    await hub('NotifyApplicationState', {
      ApplicationId: 'b',
      Status: 'COMPLETED',
      UpdateDateTime: SEEN + 7,
    });
    const described = await hub('DescribeApplicationState', { ApplicationId: 'a' });
    expect(described.body).toEqual({ ApplicationStatus: 'IN_PROGRESS', LastUpdatedTime: SEEN });
    const listed = await hub('ListApplicationStates', { ApplicationIds: ['b'] });
    expect(listed.body['ApplicationStateList']).toEqual([
      { ApplicationId: 'b', ApplicationStatus: 'COMPLETED', LastUpdatedTime: SEEN + 7 },
    ]);
    const failed = await hub('NotifyApplicationState', { ApplicationId: 'a', Status: 'FAILED' });
    expect(failed.error).toBe('InvalidInputException');
  });

  test('a dry run is answered with an error and changes nothing', async () => {
    const { hub } = await rig();
    const create = { ProgressUpdateStreamName: 'S', DryRun: true };
    expect((await hub('CreateProgressUpdateStream', create)).error).toBe('DryRunOperation');
    expect(
      (await hub('ListProgressUpdateStreams', {})).body['ProgressUpdateStreamSummaryList'],
    ).toEqual([]);
    expect((await hub('ImportMigrationTask', { ...TASK, DryRun: true })).error).toBe(
      'ResourceNotFoundException',
    );
  });
});

describe('pages', () => {
  test('tokens lead from page to page to the end', async () => {
    const { hub } = await rig();
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      await hub('CreateProgressUpdateStream', { ProgressUpdateStreamName: name });
    }
    const names: unknown[] = [];
    let token: unknown;
    do {
      const page = await hub('ListProgressUpdateStreams', { MaxResults: 2, NextToken: token });
      const list = page.body['ProgressUpdateStreamSummaryList'] as {
        ProgressUpdateStreamName: string;
      }[];
      expect(list.length).toBeLessThanOrEqual(2);
      names.push(...list.map((each) => each.ProgressUpdateStreamName));
      token = page.body['NextToken'];
    } while (token !== undefined);
    expect(names).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  test('a token that is unknown, is of another list, or is older than a day is an InvalidToken', async () => {
    const { hub, clock } = await withTask(await rig());
    for (const second of [0, 1, 2]) {
      await hub('NotifyMigrationTaskState', notification('IN_PROGRESS', SEEN + second, 60));
    }
    const first = await hub('ListMigrationTaskUpdates', { ...TASK, MaxResults: 1 });
    const NextToken = first.body['NextToken'];
    expect(NextToken).toMatch(/^[a-zA-Z0-9/+=]{1,2048}$/);
    const unknown = await hub('ListMigrationTaskUpdates', { ...TASK, NextToken: 'Zm9v' });
    expect([unknown.status, unknown.error]).toEqual([400, 'InvalidToken']);
    expect((await hub('ListMigrationTasks', { NextToken })).error).toBe('InvalidToken');
    clock.advance(24 * HOUR);
    expect((await hub('ListMigrationTaskUpdates', { ...TASK, NextToken })).status).toBe(200);
    clock.advance(1);
    expect((await hub('ListMigrationTaskUpdates', { ...TASK, NextToken })).error).toBe(
      'InvalidToken',
    );
  });
});

describe('the members of a request', () => {
  const task = (more: object, state: object = {}) => ({
    ...TASK,
    UpdateDateTime: SEEN,
    NextUpdateSeconds: 60,
    ...more,
    Task: { Status: 'IN_PROGRESS', ...state },
  });

  test.each([
    [
      'no stream',
      task({ ProgressUpdateStream: undefined }),
      "'progressUpdateStream'",
      'must not be null',
    ],
    [
      'an empty task name',
      task({ MigrationTaskName: '' }),
      "'migrationTaskName'",
      'greater than or equal to 1',
    ],
    [
      'a task name of 257',
      task({ MigrationTaskName: 'x'.repeat(257) }),
      "'migrationTaskName'",
      '256',
    ],
    [
      'a colon in the task name',
      task({ MigrationTaskName: 'a:b' }),
      "'migrationTaskName'",
      '[^:|]+',
    ],
    [
      'a slash in the stream',
      task({ ProgressUpdateStream: 'a/b' }),
      "'progressUpdateStream'",
      'pattern',
    ],
    [
      'a tab in the stream',
      task({ ProgressUpdateStream: 'a\tb' }),
      "'progressUpdateStream'",
      'pattern',
    ],
    [
      'no UpdateDateTime',
      task({ UpdateDateTime: undefined }),
      "'updateDateTime'",
      'must not be null',
    ],
    [
      'UpdateDateTime as text',
      task({ UpdateDateTime: '2026-01-01' }),
      "'updateDateTime'",
      'Timestamp',
    ],
    ['no NextUpdateSeconds', task({ NextUpdateSeconds: undefined }), "'nextUpdateSeconds'", 'null'],
    [
      'NextUpdateSeconds below 0',
      task({ NextUpdateSeconds: -1 }),
      "'nextUpdateSeconds'",
      'equal to 0',
    ],
    [
      'NextUpdateSeconds of 2^31',
      task({ NextUpdateSeconds: 2 ** 31 }),
      "'nextUpdateSeconds'",
      '2147483647',
    ],
    ['a status of its own', task({}, { Status: 'CANCELED' }), "'task.status'", 'IN_PROGRESS'],
    ['101 percent', task({}, { ProgressPercent: 101 }), "'task.progressPercent'", 'equal to 100'],
    ['half a percent', task({}, { ProgressPercent: 0.5 }), "'task.progressPercent'", 'Integer'],
    [
      'a detail of 2,501',
      task({}, { StatusDetail: 'x'.repeat(2501) }),
      "'task.statusDetail'",
      '2500',
    ],
    [
      'a detail of two lines',
      task({}, { StatusDetail: 'a\nb' }),
      "'task.statusDetail'",
      '.{0,2500}',
    ],
  ])("%s is refused in AWS's format", async (_, body, at, what) => {
    const { hub } = await withTask(await rig());
    const refused = await hub('NotifyMigrationTaskState', body);
    expect([refused.status, refused.error]).toEqual([400, 'InvalidInputException']);
    expect(refused.body['Message']).toContain('1 validation error detected: Value ');
    expect(refused.body['Message']).toContain(at);
    expect(refused.body['Message']).toContain(what);
  });

  test('all problems are reported at once, and lengths count code points', async () => {
    const { hub } = await withTask(await rig());
    const refused = await hub('NotifyMigrationTaskState', {});
    expect(refused.body['Message']).toContain('5 validation errors detected');
    const astral = task({}, { StatusDetail: '\u{1f600}'.repeat(2500) });
    expect((await hub('NotifyMigrationTaskState', astral)).status).toBe(200);
  });

  test('a list is checked member by member', async () => {
    const { hub } = await withTask(await rig());
    const put = (list: unknown) =>
      hub('PutResourceAttributes', { ...TASK, ResourceAttributeList: list });
    expect((await put([])).error).toBe('InvalidInputException');
    const bad = await put([
      { Type: 'FQDN', Value: 'a' },
      { Type: 'COLOUR', Value: 'red' },
    ]);
    expect(bad.body['Message']).toContain("'resourceAttributeList.2.member.type'");
    const artifact = (Name: string) =>
      hub('AssociateCreatedArtifact', { ...TASK, CreatedArtifact: { Name } });
    expect((await artifact('i-0123')).error).toBe('InvalidInputException');
    expect((await artifact('arn:aws:ec2:us-east-1:488216288981:image/ami-6d0ba87b')).status).toBe(
      200,
    );
  });

  test('an unknown operation and a malformed body are refused; unknown members are ignored', async () => {
    const { hub, call } = await rig();
    expect((await call('AWSMigrationHub.Nothing')).error).toBe('UnknownOperationException');
    expect((await call('AWSMigrationHub.ListMigrationTasks', '{')).error).toBe(
      'SerializationException',
    );
    expect((await hub('ListMigrationTasks', { Colour: 'red' })).status).toBe(200);
    expect((await hub('ListMigrationTasks', '[]')).error).toBe('InvalidInputException');
  });
});

describe('the home region', () => {
  test('GetHomeRegion returns it, and no member if it is not set', async () => {
    const { config, simulator } = await rig({ homeRegion: 'eu-central-1' });
    expect((await config('GetHomeRegion')).body).toEqual({ HomeRegion: 'eu-central-1' });
    simulator.setHomeRegion(undefined);
    expect((await config('GetHomeRegion')).body).toEqual({});
  });

  test('without a home region, writes and most reads are refused', async () => {
    const { hub, config } = await rig({ homeRegion: null });
    const create = { ProgressUpdateStreamName: 'S' };
    const refused = await hub('CreateProgressUpdateStream', create);
    expect([refused.status, refused.error]).toEqual([400, 'HomeRegionNotSetException']);
    expect((await hub('ListMigrationTasks', {})).error).toBe('HomeRegionNotSetException');
    // The models of these two do not have the error.
    const source = { ...TASK, SourceResource: { Name: 'r' } };
    expect((await hub('AssociateSourceResource', source)).error).toBe('InvalidInputException');
    expect((await hub('ListMigrationTaskUpdates', TASK)).error).toBe('ResourceNotFoundException');

    const control = { HomeRegion: 'us-east-1', Target: { Type: 'ACCOUNT' } };
    expect((await config('CreateHomeRegionControl', { ...control, DryRun: true })).error).toBe(
      'DryRunOperation',
    );
    const made = await config('CreateHomeRegionControl', control);
    expect(made.body['HomeRegionControl']).toMatchObject({
      ControlId: expect.stringMatching(/^hrc-[a-z0-9]{12}$/) as string,
      HomeRegion: 'us-east-1',
    });
    expect((await hub('CreateProgressUpdateStream', create)).status).toBe(200);
  });

  test('a control is described and deleted, and another region is refused', async () => {
    const { config } = await rig({ homeRegion: 'us-west-2' });
    const described = await config('DescribeHomeRegionControls', {});
    const [control] = described.body['HomeRegionControls'] as { ControlId: string }[];
    const elsewhere = { HomeRegion: 'eu-west-1', Target: { Type: 'ACCOUNT' } };
    expect((await config('CreateHomeRegionControl', elsewhere)).error).toBe(
      'InvalidInputException',
    );
    const bad = { HomeRegion: 'us-gov-west-1', Target: { Type: 'ACCOUNT' } };
    expect((await config('CreateHomeRegionControl', bad)).error).toBe('InvalidInputException');
    const unknown = { ControlId: 'hrc-000000000000' };
    expect((await config('DeleteHomeRegionControl', unknown)).error).toBe('InvalidInputException');
    expect(
      (await config('DeleteHomeRegionControl', { ControlId: control?.ControlId })).status,
    ).toBe(200);
    expect((await config('GetHomeRegion')).body).toEqual({});
  });

  test('a write signed for another region is invalid input, a read or a delete is not', async () => {
    const { hub } = await withTask(await rig({ homeRegion: 'us-west-2' }));
    const body = notification('IN_PROGRESS', SEEN, 60);
    expect((await hub('NotifyMigrationTaskState', body, 'eu-west-1')).error).toBe(
      'InvalidInputException',
    );
    expect((await hub('NotifyMigrationTaskState', body, 'us-west-2')).status).toBe(200);
    expect((await hub('DescribeMigrationTask', TASK, 'eu-west-1')).status).toBe(200);
    const stream = { ProgressUpdateStreamName: 'S' };
    expect((await hub('DeleteProgressUpdateStream', stream, 'eu-west-1')).status).toBe(200);
  });
});

describe('undocumented behaviour is a switch', () => {
  test.each([
    ['createExistingStream', 'CreateProgressUpdateStream', { ProgressUpdateStreamName: 'S' }],
    ['importExistingTask', 'ImportMigrationTask', TASK],
    ['outOfOrderUpdate', 'NotifyMigrationTaskState', notification('IN_PROGRESS', SEEN - 1, 60)],
    ['updateAfterFinal', 'NotifyMigrationTaskState', notification('IN_PROGRESS', SEEN + 1, 60)],
  ])('%s', async (name, operation, body) => {
    const results: (string | undefined)[] = [];
    for (const behaviour of [{}, { [name]: 'refuse' }]) {
      const { hub } = await withTask(await rig({ behaviour }));
      await hub('NotifyMigrationTaskState', notification('COMPLETED', SEEN, 60));
      results.push((await hub(operation, body)).error);
    }
    expect(results).toEqual([undefined, 'InvalidInputException']);
  });

  test('with keep-newest, an older update does not replace the newest', async () => {
    const { hub } = await withTask(await rig({ behaviour: { outOfOrderUpdate: 'keep-newest' } }));
    await hub('NotifyMigrationTaskState', notification('IN_PROGRESS', SEEN, 60, 50));
    await hub('NotifyMigrationTaskState', notification('IN_PROGRESS', SEEN - 9, 60, 40));
    const described = await hub('DescribeMigrationTask', TASK);
    expect(described.body['MigrationTask']).toMatchObject({ Task: { ProgressPercent: 50 } });
  });
});

test('every answer has a request id, the content type and the simulated time', async () => {
  const { config } = await rig({ dateSkewMs: 10 * SECOND });
  const { headers } = await config('GetHomeRegion');
  expect(headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  expect(headers.get('content-type')).toBe('application/x-amz-json-1.1');
  expect(Date.parse(headers.get('date') ?? '')).toBe((SEEN + 10) * 1_000);
});
