/** Every member of every request of Migration Hub and its configuration service, by the models of 2017-05-31 and 2019-06-30. */
import type { Operation } from './constraint-values.ts';

export const HUB_OPERATIONS: readonly Operation[] = [
  {
    target: 'AWSMigrationHub.AssociateCreatedArtifact',
    members: [
      ['ProgressUpdateStream', 'ProgressUpdateStream', 'required'],
      ['MigrationTaskName', 'MigrationTaskName', 'required'],
      ['CreatedArtifact', 'structure', 'required'],
      ['CreatedArtifact.Name', 'CreatedArtifactName', 'required'],
      ['CreatedArtifact.Description', 'Description'],
      ['DryRun', 'boolean'],
    ],
  },
  {
    target: 'AWSMigrationHub.AssociateDiscoveredResource',
    members: [
      ['ProgressUpdateStream', 'ProgressUpdateStream', 'required'],
      ['MigrationTaskName', 'MigrationTaskName', 'required'],
      ['DiscoveredResource', 'structure', 'required'],
      ['DiscoveredResource.ConfigurationId', 'ConfigurationId', 'required'],
      ['DiscoveredResource.Description', 'Description'],
      ['DryRun', 'boolean'],
    ],
  },
  {
    target: 'AWSMigrationHub.AssociateSourceResource',
    members: [
      ['ProgressUpdateStream', 'ProgressUpdateStream', 'required'],
      ['MigrationTaskName', 'MigrationTaskName', 'required'],
      ['SourceResource', 'structure', 'required'],
      ['SourceResource.Name', 'SourceResourceName', 'required'],
      ['SourceResource.Description', 'Description'],
      ['SourceResource.StatusDetail', 'StatusDetail'],
      ['DryRun', 'boolean'],
    ],
  },
  {
    target: 'AWSMigrationHub.CreateProgressUpdateStream',
    members: [
      ['ProgressUpdateStreamName', 'ProgressUpdateStream', 'required'],
      ['DryRun', 'boolean'],
    ],
  },
  {
    target: 'AWSMigrationHub.DeleteProgressUpdateStream',
    members: [
      ['ProgressUpdateStreamName', 'ProgressUpdateStream', 'required'],
      ['DryRun', 'boolean'],
    ],
  },
  {
    target: 'AWSMigrationHub.DescribeApplicationState',
    members: [['ApplicationId', 'ConfigurationId', 'required']],
  },
  {
    target: 'AWSMigrationHub.DescribeMigrationTask',
    members: [
      ['ProgressUpdateStream', 'ProgressUpdateStream', 'required'],
      ['MigrationTaskName', 'MigrationTaskName', 'required'],
    ],
  },
  {
    target: 'AWSMigrationHub.DisassociateCreatedArtifact',
    members: [
      ['ProgressUpdateStream', 'ProgressUpdateStream', 'required'],
      ['MigrationTaskName', 'MigrationTaskName', 'required'],
      ['CreatedArtifactName', 'CreatedArtifactName', 'required'],
      ['DryRun', 'boolean'],
    ],
  },
  {
    target: 'AWSMigrationHub.DisassociateDiscoveredResource',
    members: [
      ['ProgressUpdateStream', 'ProgressUpdateStream', 'required'],
      ['MigrationTaskName', 'MigrationTaskName', 'required'],
      ['ConfigurationId', 'ConfigurationId', 'required'],
      ['DryRun', 'boolean'],
    ],
  },
  {
    target: 'AWSMigrationHub.DisassociateSourceResource',
    members: [
      ['ProgressUpdateStream', 'ProgressUpdateStream', 'required'],
      ['MigrationTaskName', 'MigrationTaskName', 'required'],
      ['SourceResourceName', 'SourceResourceName', 'required'],
      ['DryRun', 'boolean'],
    ],
  },
  {
    target: 'AWSMigrationHub.ImportMigrationTask',
    members: [
      ['ProgressUpdateStream', 'ProgressUpdateStream', 'required'],
      ['MigrationTaskName', 'MigrationTaskName', 'required'],
      ['DryRun', 'boolean'],
    ],
  },
  {
    target: 'AWSMigrationHub.ListApplicationStates',
    members: [
      ['ApplicationIds', 'ApplicationIds'],
      ['ApplicationIds[]', 'ConfigurationId'],
      ['NextToken', 'Token'],
      ['MaxResults', 'MaxResults'],
    ],
  },
  {
    target: 'AWSMigrationHub.ListCreatedArtifacts',
    members: [
      ['ProgressUpdateStream', 'ProgressUpdateStream', 'required'],
      ['MigrationTaskName', 'MigrationTaskName', 'required'],
      ['NextToken', 'Token'],
      ['MaxResults', 'MaxResultsOfTen'],
    ],
  },
  {
    target: 'AWSMigrationHub.ListDiscoveredResources',
    members: [
      ['ProgressUpdateStream', 'ProgressUpdateStream', 'required'],
      ['MigrationTaskName', 'MigrationTaskName', 'required'],
      ['NextToken', 'Token'],
      ['MaxResults', 'MaxResultsOfTen'],
    ],
  },
  {
    target: 'AWSMigrationHub.ListMigrationTaskUpdates',
    members: [
      ['ProgressUpdateStream', 'ProgressUpdateStream', 'required'],
      ['MigrationTaskName', 'MigrationTaskName', 'required'],
      ['NextToken', 'Token'],
      ['MaxResults', 'MaxResults'],
    ],
  },
  {
    target: 'AWSMigrationHub.ListMigrationTasks',
    members: [
      ['NextToken', 'Token'],
      ['MaxResults', 'MaxResults'],
      ['ResourceName', 'ConfigurationId'],
    ],
  },
  {
    target: 'AWSMigrationHub.ListProgressUpdateStreams',
    members: [
      ['NextToken', 'Token'],
      ['MaxResults', 'MaxResults'],
    ],
  },
  {
    target: 'AWSMigrationHub.ListSourceResources',
    members: [
      ['ProgressUpdateStream', 'ProgressUpdateStream', 'required'],
      ['MigrationTaskName', 'MigrationTaskName', 'required'],
      ['NextToken', 'Token'],
      ['MaxResults', 'MaxResultsOfTen'],
    ],
  },
  {
    target: 'AWSMigrationHub.NotifyApplicationState',
    members: [
      ['ApplicationId', 'ConfigurationId', 'required'],
      ['Status', 'ApplicationStatus', 'required'],
      ['UpdateDateTime', 'timestamp'],
      ['DryRun', 'boolean'],
    ],
  },
  {
    target: 'AWSMigrationHub.NotifyMigrationTaskState',
    members: [
      ['ProgressUpdateStream', 'ProgressUpdateStream', 'required'],
      ['MigrationTaskName', 'MigrationTaskName', 'required'],
      ['Task', 'structure', 'required'],
      ['Task.Status', 'Status', 'required'],
      ['Task.StatusDetail', 'StatusDetail'],
      ['Task.ProgressPercent', 'ProgressPercent'],
      ['UpdateDateTime', 'timestamp', 'required'],
      ['NextUpdateSeconds', 'NextUpdateSeconds', 'required'],
      ['DryRun', 'boolean'],
    ],
  },
  {
    target: 'AWSMigrationHub.PutResourceAttributes',
    members: [
      ['ProgressUpdateStream', 'ProgressUpdateStream', 'required'],
      ['MigrationTaskName', 'MigrationTaskName', 'required'],
      ['ResourceAttributeList', 'ResourceAttributeList', 'required'],
      ['ResourceAttributeList[]', 'structure'],
      ['ResourceAttributeList[].Type', 'ResourceAttributeType', 'required'],
      ['ResourceAttributeList[].Value', 'ResourceAttributeValue', 'required'],
      ['DryRun', 'boolean'],
    ],
  },
  {
    target: 'AWSMigrationHubMultiAccountService.CreateHomeRegionControl',
    members: [
      ['HomeRegion', 'HomeRegion', 'required'],
      ['Target', 'structure', 'required'],
      ['Target.Type', 'TargetType', 'required'],
      ['Target.Id', 'TargetId'],
      ['DryRun', 'boolean'],
    ],
  },
  {
    target: 'AWSMigrationHubMultiAccountService.DeleteHomeRegionControl',
    members: [['ControlId', 'ControlId', 'required']],
  },
  {
    target: 'AWSMigrationHubMultiAccountService.DescribeHomeRegionControls',
    members: [
      ['ControlId', 'ControlId'],
      ['HomeRegion', 'HomeRegion'],
      ['Target', 'structure'],
      ['Target.Type', 'TargetType', 'required'],
      ['Target.Id', 'TargetId'],
      ['MaxResults', 'MaxResults'],
      ['NextToken', 'Token'],
    ],
  },
  { target: 'AWSMigrationHubMultiAccountService.GetHomeRegion', members: [] },
];
