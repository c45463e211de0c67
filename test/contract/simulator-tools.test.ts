/** The real clients of other people against the simulator: the aws command and boto3. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createSimulator, type Simulator } from '../../src/simulator/simulator.ts';
import { awsEnvironment, awsMissing, boto3Missing } from '../support/aws-tools.ts';

const run = promisify(execFile);

let simulator: Simulator;
let url: string;
let directory: string;
beforeEach(async () => {
  simulator = createSimulator();
  ({ url } = await simulator.listen(0));
  directory = await mkdtemp(join(tmpdir(), 'simulator-tools-'));
});
afterEach(async () => {
  await simulator.close();
  await rm(directory, { recursive: true });
});

async function aws(...args: readonly string[]): Promise<unknown> {
  const { stdout } = await run('aws', [...args, '--output', 'json'], { env: awsEnvironment(url) });
  return stdout.trim() === '' ? {} : JSON.parse(stdout);
}

test.skipIf(awsMissing !== undefined)(
  `a tour with the aws command${awsMissing === undefined ? '' : ` (skipped: ${awsMissing})`}`,
  { timeout: 60_000 },
  async () => {
    expect(await aws('migrationhub-config', 'get-home-region')).toEqual({
      HomeRegion: 'us-west-2',
    });
    await aws('mgh', 'create-progress-update-stream', '--progress-update-stream-name', 'acme');
    const task = ['--progress-update-stream', 'acme', '--migration-task-name', 'files'];
    await aws('mgh', 'import-migration-task', ...task);
    const notify = (...more: readonly string[]) =>
      aws(
        'mgh',
        'notify-migration-task-state',
        ...task,
        '--update-date-time',
        String(Math.floor(Date.now() / 1000)),
        '--next-update-seconds',
        '300',
        ...more,
      );
    await notify('--task', 'Status=IN_PROGRESS,ProgressPercent=42,StatusDetail=copying');
    await expect(notify('--task', 'Status=IN_PROGRESS', '--dry-run')).rejects.toThrow(
      'DryRunOperation',
    );
    await expect(notify('--task', 'Status=IN_PROGRESS,ProgressPercent=101')).rejects.toThrow(
      'InvalidInputException',
    );
    expect(await aws('mgh', 'list-migration-task-updates', ...task)).toMatchObject({
      MigrationTaskUpdateList: [
        {
          MigrationTaskState: {
            Status: 'IN_PROGRESS',
            ProgressPercent: 42,
            StatusDetail: 'copying',
          },
        },
      ],
    });

    const definition = join(directory, 'definition.json');
    await writeFile(
      definition,
      JSON.stringify({
        objects: [
          { id: 'Default', name: 'Default', scheduleType: 'ondemand' },
          {
            id: 'CopyFiles',
            name: 'CopyFiles',
            type: 'ShellCommandActivity',
            workerGroup: 'files',
            command: 'echo $1',
            scriptArgument: ['a', 'b'],
          },
        ],
      }),
    );
    const created = (await aws(
      'datapipeline',
      'create-pipeline',
      '--name',
      'p',
      '--unique-id',
      'u',
    )) as { pipelineId: string };
    const pipeline = ['--pipeline-id', created.pipelineId];
    expect(
      await aws(
        'datapipeline',
        'put-pipeline-definition',
        ...pipeline,
        '--pipeline-definition',
        `file://${definition}`,
      ),
    ).toMatchObject({ errored: false });
    await aws('datapipeline', 'activate-pipeline', ...pipeline);
    const polled = (await aws('datapipeline', 'poll-for-task', '--worker-group', 'files')) as {
      taskObject: { taskId: string; attemptId: string };
    };
    const instanceId = polled.taskObject.attemptId.replace('_Attempt=1', '');
    await aws(
      'datapipeline',
      'set-status',
      ...pipeline,
      '--object-ids',
      instanceId,
      '--status',
      'TRY_CANCEL',
    );
    const report = [
      '--task-id',
      polled.taskObject.taskId,
      '--fields',
      'key=percentComplete,stringValue=50',
    ];
    expect(await aws('datapipeline', 'report-task-progress', ...report)).toEqual({
      canceled: true,
    });
    const { stdout } = await run('aws', ['datapipeline', 'list-runs', ...pipeline], {
      env: awsEnvironment(url),
    });
    expect(stdout).toMatch(/CopyFiles\s+\S+\s+CANCELED/);
    expect(simulator.audit().violations).toEqual(['1 invalid requests']);
  },
);

const BOTO3_TOUR = `
import boto3, datetime, json
hub, config, dp = (boto3.client(name) for name in ('mgh', 'migrationhub-config', 'datapipeline'))
out = {'home': config.get_home_region()['HomeRegion']}
hub.create_progress_update_stream(ProgressUpdateStreamName='acme')
task = dict(ProgressUpdateStream='acme', MigrationTaskName='files')
try:
    hub.notify_migration_task_state(**task, Task={'Status': 'IN_PROGRESS'}, UpdateDateTime=datetime.datetime.now(), NextUpdateSeconds=60)
except hub.exceptions.ResourceNotFoundException as error:
    out['not imported'] = error.response['Error']['Message']
hub.import_migration_task(**task)
start = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
for percent in range(5):
    hub.notify_migration_task_state(**task, Task={'Status': 'IN_PROGRESS', 'ProgressPercent': percent}, UpdateDateTime=start + datetime.timedelta(seconds=percent), NextUpdateSeconds=60)
pages = hub.get_paginator('list_migration_task_updates').paginate(**task, PaginationConfig={'PageSize': 2})
updates = [update for page in pages for update in page['MigrationTaskUpdateList']]
out['percents'] = [update['MigrationTaskState']['ProgressPercent'] for update in updates]
out['first'] = updates[0]['UpdateDateTime'].timestamp()
hub.associate_created_artifact(**task, CreatedArtifact={'Name': 'arn:aws:s3:::bucket/key'})
out['artifacts'] = hub.list_created_artifacts(**task)['CreatedArtifactList']
pipeline = dp.create_pipeline(name='p', uniqueId='u')['pipelineId']
text = lambda key, value: {'key': key, 'stringValue': value}
dp.put_pipeline_definition(pipelineId=pipeline, pipelineObjects=[
    {'id': 'Default', 'name': 'Default', 'fields': [text('scheduleType', 'ondemand')]},
    {'id': 'A', 'name': 'A', 'fields': [text('type', 'ShellCommandActivity'), text('workerGroup', 'files'), text('command', 'true')]}])
dp.activate_pipeline(pipelineId=pipeline)
polled = dp.poll_for_task(workerGroup='files')['taskObject']
out['canceled'] = dp.report_task_progress(taskId=polled['taskId'])['canceled']
dp.set_task_status(taskId=polled['taskId'], taskStatus='FINISHED')
try:
    dp.report_task_progress(taskId=polled['taskId'])
except dp.exceptions.TaskNotFoundException:
    out['ended'] = True
out['instances'] = dp.query_objects(pipelineId=pipeline, sphere='INSTANCE', query={'selectors': [{'fieldName': '@status', 'operator': {'type': 'EQ', 'values': ['FINISHED']}}]})['ids']
out['terminate'] = dp.report_task_runner_heartbeat(taskrunnerId='r')['terminate']
print(json.dumps(out))
`;

test.skipIf(boto3Missing !== undefined)(
  `a tour with boto3${boto3Missing === undefined ? '' : ` (skipped: ${boto3Missing})`}`,
  { timeout: 60_000 },
  async () => {
    const { stdout } = await run('python3', ['-c', BOTO3_TOUR], { env: awsEnvironment(url) });
    expect(JSON.parse(stdout)).toEqual({
      home: 'us-west-2',
      'not imported': 'The migration task files of the progress update stream acme does not exist.',
      percents: [0, 1, 2, 3, 4],
      first: Date.UTC(2026, 0, 1) / 1_000,
      artifacts: [{ Name: 'arn:aws:s3:::bucket/key' }],
      canceled: false,
      ended: true,
      instances: [expect.stringMatching(/^@A_\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$/)],
      terminate: false,
    });
  },
);
