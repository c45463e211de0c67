/**
 * Calls of the `aws` command: each operation with valid and with invalid input, in an order in which each call finds what
 * earlier ones have created. `{pipeline}`, `{instance}` and `{task}` are replaced by ids of earlier answers.
 */

export interface Step {
  readonly operation: string;
  /** The arguments after `aws`, between blanks; `'…'` for one with blanks. */
  readonly args: string;
  /** `ok`, or the error that the command must print. */
  readonly expected: string;
  /** What the answer must contain, as JSON. */
  readonly answer?: unknown;
}

const TASK = '--progress-update-stream acme --migration-task-name files';
const NOBODY = '--progress-update-stream acme --migration-task-name nobody';
const ARN = 'arn:aws:s3:::bucket/key';
const TARGET = '--target Type=ACCOUNT';
const INVALID = 'InvalidInputException';
const MISSING = 'ResourceNotFoundException';
const REQUEST = 'InvalidRequestException';
const NO_PIPELINE = 'PipelineNotFoundException';
const P = '--pipeline-id {pipeline}';
const NO_P = '--pipeline-id df-0';

function step(operation: string, args: string, expected = 'ok', answer?: unknown): Step {
  return { operation, args, expected, ...(answer === undefined ? {} : { answer }) };
}

function notify(state: string, seconds = '300'): string {
  return `mgh notify-migration-task-state ${TASK} --task ${state} --update-date-time 2026-01-01T00:00:00Z --next-update-seconds ${seconds}`;
}

/** Associate, list, disassociate: the same calls for each kind of association. */
function ties(
  kind: string,
  command: string,
  given: string,
  key: string,
  item: object,
): readonly Step[] {
  const args = `mgh associate-${command} ${TASK} --${command} ${given}`;
  const list = `mgh list-${command}s ${TASK}`;
  return [
    step(`Associate${kind}`, `${args} --dry-run`, 'DryRunOperation'),
    step(`Associate${kind}`, args),
    step(`Associate${kind}`, args.replace('files', 'nobody'), MISSING),
    step(`List${kind}s`, list, 'ok', { [`${kind}List`]: [item] }),
    step(`List${kind}s`, `${list} --max-results 11`, INVALID),
    step(`Disassociate${kind}`, `mgh disassociate-${command} ${TASK} ${key}`),
    step(`Disassociate${kind}`, `mgh disassociate-${command} ${TASK} ${key}`, MISSING),
  ];
}

export const HUB_STEPS: readonly Step[] = [
  step('GetHomeRegion', 'migrationhub-config get-home-region', 'ok', { HomeRegion: 'us-west-2' }),
  step('DescribeHomeRegionControls', 'migrationhub-config describe-home-region-controls', 'ok', {
    HomeRegionControls: [{ HomeRegion: 'us-west-2' }],
  }),
  step(
    'DescribeHomeRegionControls',
    'migrationhub-config describe-home-region-controls --control-id hrc-x',
    INVALID,
  ),
  step(
    'CreateHomeRegionControl',
    `migrationhub-config create-home-region-control --home-region us-west-2 ${TARGET}`,
    'ok',
    { HomeRegionControl: { Target: { Type: 'ACCOUNT' } } },
  ),
  step(
    'CreateHomeRegionControl',
    `migrationhub-config create-home-region-control --home-region eu-west-1 ${TARGET}`,
    INVALID,
  ),
  step(
    'CreateHomeRegionControl',
    `migrationhub-config create-home-region-control --home-region us-west-2 ${TARGET} --dry-run`,
    'DryRunOperation',
  ),

  step(
    'CreateProgressUpdateStream',
    'mgh create-progress-update-stream --progress-update-stream-name acme',
  ),
  step(
    'CreateProgressUpdateStream',
    'mgh create-progress-update-stream --progress-update-stream-name a/b',
    INVALID,
  ),
  step('ListProgressUpdateStreams', 'mgh list-progress-update-streams', 'ok', {
    ProgressUpdateStreamSummaryList: [{ ProgressUpdateStreamName: 'acme' }],
  }),
  step('ListProgressUpdateStreams', 'mgh list-progress-update-streams --max-results 101', INVALID),
  step('NotifyMigrationTaskState', notify('Status=IN_PROGRESS'), MISSING),
  step('ImportMigrationTask', `mgh import-migration-task ${TASK}`),
  step(
    'ImportMigrationTask',
    'mgh import-migration-task --progress-update-stream nobodys --migration-task-name files',
    MISSING,
  ),
  step(
    'NotifyMigrationTaskState',
    notify('Status=IN_PROGRESS,ProgressPercent=42,StatusDetail=copying'),
  ),
  step('NotifyMigrationTaskState', notify('Status=IN_PROGRESS,ProgressPercent=101'), INVALID),
  step('NotifyMigrationTaskState', `${notify('Status=COMPLETED')} --dry-run`, 'DryRunOperation'),
  step('ListMigrationTaskUpdates', `mgh list-migration-task-updates ${TASK}`, 'ok', {
    MigrationTaskUpdateList: [
      {
        UpdateType: 'MIGRATION_TASK_STATE_UPDATED',
        MigrationTaskState: { Status: 'IN_PROGRESS', ProgressPercent: 42, StatusDetail: 'copying' },
      },
    ],
  }),
  step('ListMigrationTaskUpdates', `mgh list-migration-task-updates ${NOBODY}`, MISSING),
  step(
    'ListMigrationTaskUpdates',
    `mgh list-migration-task-updates ${TASK} --no-paginate --next-token Zm9v`,
    'InvalidToken',
  ),
  step('DescribeMigrationTask', `mgh describe-migration-task ${TASK}`, 'ok', {
    MigrationTask: { Task: { Status: 'IN_PROGRESS' } },
  }),
  step('DescribeMigrationTask', `mgh describe-migration-task ${NOBODY}`, MISSING),
  step('ListMigrationTasks', 'mgh list-migration-tasks', 'ok', {
    MigrationTaskSummaryList: [{ MigrationTaskName: 'files', ProgressPercent: 42 }],
  }),
  step('ListMigrationTasks', 'mgh list-migration-tasks --max-results 101 --no-paginate', INVALID),
  step(
    'PutResourceAttributes',
    `mgh put-resource-attributes ${TASK} --resource-attribute-list Type=FQDN,Value=files01.example.com`,
  ),
  step(
    'PutResourceAttributes',
    `mgh put-resource-attributes ${TASK} --resource-attribute-list Type=COLOUR,Value=red`,
    INVALID,
  ),
  ...ties(
    'CreatedArtifact',
    'created-artifact',
    `Name=${ARN},Description=dump`,
    `--created-artifact-name ${ARN}`,
    {
      Name: ARN,
      Description: 'dump',
    },
  ),
  ...ties(
    'DiscoveredResource',
    'discovered-resource',
    'ConfigurationId=d-server-1',
    '--configuration-id d-server-1',
    {
      ConfigurationId: 'd-server-1',
    },
  ),
  ...ties(
    'SourceResource',
    'source-resource',
    'Name=wave1,StatusDetail=ready',
    '--source-resource-name wave1',
    {
      Name: 'wave1',
      StatusDetail: 'ready',
    },
  ),
  step(
    'NotifyApplicationState',
    'mgh notify-application-state --application-id d-application-1 --status COMPLETED',
  ),
  step(
    'NotifyApplicationState',
    'mgh notify-application-state --application-id d-application-1 --status FAILED',
    INVALID,
  ),
  step(
    'DescribeApplicationState',
    'mgh describe-application-state --application-id d-application-1',
    'ok',
    {
      ApplicationStatus: 'COMPLETED',
    },
  ),
  step(
    'DescribeApplicationState',
    'mgh describe-application-state --application-id d-application-2',
    MISSING,
  ),
  step(
    'ListApplicationStates',
    'mgh list-application-states --application-ids d-application-1',
    'ok',
    {
      ApplicationStateList: [{ ApplicationId: 'd-application-1' }],
    },
  ),
  step(
    'ListApplicationStates',
    'mgh list-application-states --no-paginate --max-results 101',
    INVALID,
  ),
  step(
    'DeleteProgressUpdateStream',
    'mgh delete-progress-update-stream --progress-update-stream-name nobodys',
    MISSING,
  ),
  step(
    'DeleteProgressUpdateStream',
    'mgh delete-progress-update-stream --progress-update-stream-name acme',
  ),
  step(
    'DeleteHomeRegionControl',
    'migrationhub-config delete-home-region-control --control-id hrc-000000000000',
    INVALID,
  ),
  step(
    'DeleteHomeRegionControl',
    'migrationhub-config delete-home-region-control --control-id {control}',
  ),
  step(
    'CreateProgressUpdateStream',
    'mgh create-progress-update-stream --progress-update-stream-name acme',
    'HomeRegionNotSetException',
  ),
];

export const PIPELINE_STEPS: readonly Step[] = [
  step(
    'CreatePipeline',
    'datapipeline create-pipeline --name p --unique-id u --tags key=team,value=move',
  ),
  step('CreatePipeline', 'datapipeline create-pipeline --name {long} --unique-id u', REQUEST),
  step('AddTags', `datapipeline add-tags ${P} --tags key=k,value=v`),
  step('AddTags', `datapipeline add-tags ${NO_P} --tags key=k,value=v`, NO_PIPELINE),
  step('RemoveTags', `datapipeline remove-tags ${P} --tag-keys k`),
  step('RemoveTags', `datapipeline remove-tags ${NO_P} --tag-keys k`, NO_PIPELINE),
  step('DescribePipelines', 'datapipeline describe-pipelines --pipeline-ids {pipeline}', 'ok', {
    pipelineDescriptionList: [{ name: 'p', tags: [{ key: 'team', value: 'move' }] }],
  }),
  step('DescribePipelines', 'datapipeline describe-pipelines --pipeline-ids df-0', NO_PIPELINE),
  step('ListPipelines', 'datapipeline list-pipelines', 'ok', { pipelineIdList: [{ name: 'p' }] }),
  step('ListPipelines', 'datapipeline list-pipelines --marker Zm9v --no-paginate', REQUEST),
  step('ActivatePipeline', `datapipeline activate-pipeline ${P}`, REQUEST),
  step(
    'ValidatePipelineDefinition',
    `datapipeline validate-pipeline-definition ${P} --pipeline-objects file://{wrong}`,
    'ok',
    {
      errored: true,
      validationErrors: [{ id: 'Copy' }],
    },
  ),
  step(
    'ValidatePipelineDefinition',
    `datapipeline validate-pipeline-definition ${NO_P} --pipeline-objects file://{wrong}`,
    NO_PIPELINE,
  ),
  step(
    'PutPipelineDefinition',
    `datapipeline put-pipeline-definition ${P} --pipeline-definition file://{definition}`,
    'ok',
    {
      errored: false,
    },
  ),
  step(
    'PutPipelineDefinition',
    `datapipeline put-pipeline-definition ${NO_P} --pipeline-definition file://{definition}`,
    NO_PIPELINE,
  ),
  step('GetPipelineDefinition', `datapipeline get-pipeline-definition ${P}`, 'ok', {
    objects: [{ id: 'Default' }, { id: 'Copy', scriptArgument: ['a', 'b'] }],
  }),
  step(
    'GetPipelineDefinition',
    `datapipeline get-pipeline-definition ${P} --pipeline-version best`,
    REQUEST,
  ),
  step('ActivatePipeline', `datapipeline activate-pipeline ${P}`),
  step('PollForTask', 'datapipeline poll-for-task --worker-group files --hostname host-1', 'ok', {
    taskObject: { objects: {} },
  }),
  step('PollForTask', 'datapipeline poll-for-task --worker-group files --hostname {long}', REQUEST),
  step(
    'ReportTaskProgress',
    'datapipeline report-task-progress --task-id {task} --fields key=percentComplete,stringValue=50',
    'ok',
    {
      canceled: false,
    },
  ),
  step(
    'ReportTaskProgress',
    'datapipeline report-task-progress --task-id nobodys',
    'TaskNotFoundException',
  ),
  step(
    'ReportTaskRunnerHeartbeat',
    'datapipeline report-task-runner-heartbeat --taskrunner-id r',
    'ok',
    { terminate: false },
  ),
  step(
    'ReportTaskRunnerHeartbeat',
    'datapipeline report-task-runner-heartbeat --taskrunner-id {long}',
    REQUEST,
  ),
  step('QueryObjects', `datapipeline query-objects ${P} --sphere INSTANCE`, 'ok', {
    ids: ['{instance}'],
  }),
  step('QueryObjects', `datapipeline query-objects ${P} --sphere ALL`, REQUEST),
  step('DescribeObjects', `datapipeline describe-objects ${P} --object-ids {instance}`, 'ok', {
    pipelineObjects: [{ id: '{instance}' }],
  }),
  step('DescribeObjects', `datapipeline describe-objects ${P} --object-ids nobody`, REQUEST),
  step(
    'EvaluateExpression',
    `datapipeline evaluate-expression ${P} --object-id {instance} --expression #{workerGroup}`,
    'ok',
    {
      evaluatedExpression: 'files',
    },
  ),
  step(
    'EvaluateExpression',
    `datapipeline evaluate-expression ${P} --object-id {instance} --expression #{nobody}`,
    REQUEST,
  ),
  step('SetStatus', `datapipeline set-status ${P} --object-ids {instance} --status RERUN`, REQUEST),
  step(
    'SetTaskStatus',
    'datapipeline set-task-status --task-id {task} --task-status CANCELED',
    REQUEST,
  ),
  step(
    'SetTaskStatus',
    'datapipeline set-task-status --task-id {task} --task-status FAILED --error-id E --error-message no',
  ),
  step('SetStatus', `datapipeline set-status ${P} --object-ids {instance} --status TRY_CANCEL`),
  step('ActivatePipeline', `datapipeline activate-pipeline ${P}`),
  step('DeactivatePipeline', `datapipeline deactivate-pipeline ${P}`),
  step('DeactivatePipeline', `datapipeline deactivate-pipeline ${NO_P}`, NO_PIPELINE),
  step('DeletePipeline', `datapipeline delete-pipeline ${P}`),
  step('DeletePipeline', `datapipeline delete-pipeline ${P}`, NO_PIPELINE),
  step('ActivatePipeline', `datapipeline activate-pipeline ${P}`, 'PipelineDeletedException'),
];
