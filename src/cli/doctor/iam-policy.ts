/**
 * The permissions that a configuration needs, and no others (Service Authorization Reference: AWS Migration Hub, AWS Data
 * Pipeline). The prefix of the home region's service is `mgh` as well.
 */
import type { Configuration } from '../../config/build/configuration.ts';
import type { HubOperation, Operation } from '../../core/model/call.ts';
import type { HubJobSettings } from '../../core/model/job.ts';

export interface Where {
  /** Twelve digits, or `*`. */
  readonly account: string;
  /** The home region, or `*`. */
  readonly region: string;
}

export interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Action: string | readonly string[];
  readonly Resource: string;
  readonly Condition?: object;
}

export interface Policy {
  readonly Version: '2012-10-17';
  readonly Statement: readonly Statement[];
}

type Write = Exclude<HubOperation, 'GetHomeRegion' | 'ListMigrationTaskUpdates'>;

/** The writes to Migration Hub that the agent makes with this configuration, in the order of the first run. */
export function usedWrites({ settings }: Configuration): readonly Write[] {
  if (settings.migrationHub === undefined) return [];
  const hubs = [...settings.jobs.values()].flatMap((job) => job.migrationHub ?? []);
  const some = (has: (hub: HubJobSettings) => boolean): boolean => hubs.some(has);
  return [
    ...(settings.migrationHub.createStream ? (['CreateProgressUpdateStream'] as const) : []),
    'ImportMigrationTask',
    'NotifyMigrationTaskState',
    ...(some((hub) => hub.resourceAttributes.length > 0)
      ? (['PutResourceAttributes'] as const)
      : []),
    ...(some((hub) => hub.discoveredResource !== undefined)
      ? (['AssociateDiscoveredResource'] as const)
      : []),
    ...(some((hub) => hub.sourceResources.length > 0)
      ? (['AssociateSourceResource'] as const)
      : []),
    ...(some((hub) => hub.artifacts.length > 0) ? (['AssociateCreatedArtifact'] as const) : []),
    ...(some((hub) => hub.application !== undefined) ? (['NotifyApplicationState'] as const) : []),
  ];
}

/** Everything, for `doctor --iam-policy`. */
export function iamPolicy(configuration: Configuration, where: Where): Policy {
  const { dataPipeline, migrationHub } = configuration.settings;
  const statements: Statement[] = [];
  if (migrationHub !== undefined) {
    if (migrationHub.region === undefined) {
      statements.push(allow('HomeRegion', ['mgh:GetHomeRegion'], '*'));
    }
    const { stream } = migrationHub;
    const writes = usedWrites(configuration);
    if (migrationHub.createStream) {
      const action = ['mgh:CreateProgressUpdateStream'];
      statements.push(allow('Stream', action, streamArn(stream, where)));
    }
    const onTasks = writes.filter(
      (one) => one !== 'CreateProgressUpdateStream' && one !== 'NotifyApplicationState',
    );
    const tasks = [...onTasks, 'ListMigrationTaskUpdates'].map((name) => `mgh:${name}`);
    statements.push(allow('Tasks', tasks, `${streamArn(stream, where)}/*`));
    if (writes.includes('NotifyApplicationState')) {
      statements.push(allow('Applications', ['mgh:NotifyApplicationState'], '*'));
    }
  }
  if (dataPipeline !== undefined) statements.push(...pipelineStatements(dataPipeline.workerGroups));
  return { Version: '2012-10-17', Statement: statements };
}

/** What a caller needs that was denied one operation. */
export function missingStatement(
  operation: Operation,
  stream: string,
  workerGroups: readonly string[],
  where: Where,
): Statement {
  switch (operation) {
    case 'GetHomeRegion':
    case 'NotifyApplicationState':
      return allow(operation, [`mgh:${operation}`], '*');
    case 'CreateProgressUpdateStream':
      return allow(operation, [`mgh:${operation}`], streamArn(stream, where));
    case 'ImportMigrationTask':
    case 'NotifyMigrationTaskState':
    case 'PutResourceAttributes':
    case 'AssociateDiscoveredResource':
    case 'AssociateSourceResource':
    case 'AssociateCreatedArtifact':
    case 'ListMigrationTaskUpdates':
      return allow(operation, [`mgh:${operation}`], `${streamArn(stream, where)}/*`);
    case 'PollForTask':
      return poll(workerGroups);
    case 'ReportTaskProgress':
    case 'SetTaskStatus':
    case 'ReportTaskRunnerHeartbeat':
      return allow(operation, [`datapipeline:${operation}`], '*');
  }
}

function pipelineStatements(workerGroups: readonly string[]): Statement[] {
  const runner = ['ReportTaskProgress', 'SetTaskStatus', 'ReportTaskRunnerHeartbeat'];
  // "*" is the only resource that the developer guide knows for these.
  return [
    poll(workerGroups),
    allow(
      'Runner',
      runner.map((name) => `datapipeline:${name}`),
      '*',
    ),
  ];
}

function poll(workerGroups: readonly string[]): Statement {
  return {
    ...allow('Poll', ['datapipeline:PollForTask'], '*'),
    Condition: {
      // ForAllValues passes if the key is absent: the second condition excludes that.
      'ForAllValues:StringEquals': { 'datapipeline:workerGroup': workerGroups },
      Null: { 'datapipeline:workerGroup': 'false' },
    },
  };
}

/** `arn:aws:mgh:…`, as the managed policies spell it (AWSMigrationHubDMSAccess). */
function streamArn(stream: string, { account, region }: Where): string {
  const partition = region.startsWith('us-gov-')
    ? 'aws-us-gov'
    : region.startsWith('cn-')
      ? 'aws-cn'
      : 'aws';
  return `arn:${partition}:mgh:${region}:${account}:progressUpdateStream/${stream}`;
}

function allow(sid: string, actions: readonly string[], resource: string): Statement {
  const [only] = actions;
  return {
    Sid: sid,
    Effect: 'Allow',
    Action: actions.length === 1 && only !== undefined ? only : actions,
    Resource: resource,
  };
}
