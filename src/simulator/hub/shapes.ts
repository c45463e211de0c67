/**
 * The members of every Migration Hub and home-region request with their constraints, as the service
 * models of 2017-05-31 and 2019-06-30 have them (StatusDetail: 2,500 since December 2024).
 */
import {
  boolean,
  integer,
  list,
  oneOf,
  optional,
  required,
  string,
  structure,
  timestamp,
} from '../lib/constraints.ts';
import type { Read } from '../lib/constraints.ts';

const streamName = string({
  min: 1,
  max: 50,
  pattern: { text: '[^/:|\\000-\\037]+', test: (value) => /^[^/:|\u0000-\u001f]*$/.test(value) },
});
const taskName = string({
  min: 1,
  max: 256,
  pattern: { text: '[^:|]+', test: (value) => /^[^:|]*$/.test(value) },
});
const artifactName = string({
  min: 1,
  max: 1600,
  pattern: {
    text: 'arn:[a-z-]+:[a-z0-9-]+:(?:[a-z0-9-]+|):(?:[0-9]{12}|):.*',
    test: (value) => /^arn:[a-z-]+:[a-z0-9-]+:(?:[a-z0-9-]+|):(?:[0-9]{12}|):/.test(value),
  },
});
const description = line(0, 500);
const statusDetail = line(0, 2500);
const configurationId = line(1, 1600);
const sourceResourceName = string({ min: 1, max: 1600 });
const nextToken = string({
  max: 2048,
  pattern: {
    text: '[a-zA-Z0-9\\/\\+\\=]{0,2048}',
    test: (value) => /^[a-zA-Z0-9/+=]*$/.test(value),
  },
});

const taskStatus = oneOf('NOT_STARTED', 'IN_PROGRESS', 'FAILED', 'COMPLETED');
const applicationStatus = oneOf('NOT_STARTED', 'IN_PROGRESS', 'COMPLETED');
export type ApplicationStatus = Read<typeof applicationStatus>;

const taskState = structure({
  Status: required(taskStatus),
  StatusDetail: optional(statusDetail),
  ProgressPercent: optional(integer(0, 100)),
});
export type TaskState = Read<typeof taskState>;

const artifact = structure({ Name: required(artifactName), Description: optional(description) });
const discoveredResource = structure({
  ConfigurationId: required(configurationId),
  Description: optional(description),
});
const sourceResource = structure({
  Name: required(sourceResourceName),
  Description: optional(description),
  StatusDetail: optional(statusDetail),
});
const resourceAttribute = structure({
  Type: required(
    oneOf(
      'IPV4_ADDRESS',
      'IPV6_ADDRESS',
      'MAC_ADDRESS',
      'FQDN',
      'VM_MANAGER_ID',
      'VM_MANAGED_OBJECT_REFERENCE',
      'VM_NAME',
      'VM_PATH',
      'BIOS_ID',
      'MOTHERBOARD_SERIAL_NUMBER',
    ),
  ),
  Value: required(line(1, 256)),
});
export type Artifact = Read<typeof artifact>;
export type DiscoveredResource = Read<typeof discoveredResource>;
export type SourceResource = Read<typeof sourceResource>;
export type ResourceAttribute = Read<typeof resourceAttribute>;

const task = { ProgressUpdateStream: required(streamName), MigrationTaskName: required(taskName) };
const dryRun = { DryRun: optional(boolean) };
const page = { NextToken: optional(nextToken), MaxResults: optional(integer(1, 100)) };
/** The resource and artifact lists have pages of at most 10. */
const smallPage = { NextToken: optional(nextToken), MaxResults: optional(integer(1, 10)) };

export const hubShapes = {
  CreateProgressUpdateStream: structure({
    ProgressUpdateStreamName: required(streamName),
    ...dryRun,
  }),
  DeleteProgressUpdateStream: structure({
    ProgressUpdateStreamName: required(streamName),
    ...dryRun,
  }),
  ListProgressUpdateStreams: structure(page),
  ImportMigrationTask: structure({ ...task, ...dryRun }),
  NotifyMigrationTaskState: structure({
    ...task,
    Task: required(taskState),
    UpdateDateTime: required(timestamp),
    NextUpdateSeconds: required(integer(0)),
    ...dryRun,
  }),
  DescribeMigrationTask: structure(task),
  ListMigrationTasks: structure({ ...page, ResourceName: optional(line(1, 1600)) }),
  ListMigrationTaskUpdates: structure({ ...task, ...page }),
  PutResourceAttributes: structure({
    ...task,
    ResourceAttributeList: required(list(resourceAttribute, 1, 100)),
    ...dryRun,
  }),
  AssociateCreatedArtifact: structure({ ...task, CreatedArtifact: required(artifact), ...dryRun }),
  DisassociateCreatedArtifact: structure({
    ...task,
    CreatedArtifactName: required(artifactName),
    ...dryRun,
  }),
  ListCreatedArtifacts: structure({ ...task, ...smallPage }),
  AssociateDiscoveredResource: structure({
    ...task,
    DiscoveredResource: required(discoveredResource),
    ...dryRun,
  }),
  DisassociateDiscoveredResource: structure({
    ...task,
    ConfigurationId: required(configurationId),
    ...dryRun,
  }),
  ListDiscoveredResources: structure({ ...task, ...smallPage }),
  AssociateSourceResource: structure({
    ...task,
    SourceResource: required(sourceResource),
    ...dryRun,
  }),
  DisassociateSourceResource: structure({
    ...task,
    SourceResourceName: required(sourceResourceName),
    ...dryRun,
  }),
  ListSourceResources: structure({ ...task, ...smallPage }),
  NotifyApplicationState: structure({
    ApplicationId: required(configurationId),
    Status: required(applicationStatus),
    UpdateDateTime: optional(timestamp),
    ...dryRun,
  }),
  DescribeApplicationState: structure({ ApplicationId: required(configurationId) }),
  ListApplicationStates: structure({
    ApplicationIds: optional(list(configurationId, 1, 100)),
    ...page,
  }),
} as const;

const homeRegion = string({
  min: 1,
  max: 50,
  pattern: {
    text: '([a-z]+)-([a-z]+)-([0-9]+)',
    test: (value) => /^[a-z]+-[a-z]+-[0-9]+$/.test(value),
  },
});
const controlId = string({
  min: 1,
  max: 50,
  pattern: { text: 'hrc-[a-z0-9]{12}', test: (value) => /^hrc-[a-z0-9]{12}$/.test(value) },
});
const target = structure({
  Type: required(oneOf('ACCOUNT')),
  Id: optional(
    string({
      min: 12,
      max: 12,
      pattern: { text: '^\\d{12}$', test: (value) => /^\d{12}$/.test(value) },
    }),
  ),
});
export type Target = Read<typeof target>;

export const homeRegionShapes = {
  GetHomeRegion: structure({}),
  CreateHomeRegionControl: structure({
    HomeRegion: required(homeRegion),
    Target: required(target),
    ...dryRun,
  }),
  DescribeHomeRegionControls: structure({
    ControlId: optional(controlId),
    HomeRegion: optional(homeRegion),
    Target: optional(target),
    ...page,
  }),
  DeleteHomeRegionControl: structure({ ControlId: required(controlId) }),
} as const;

/** `.{min,max}`: the dot matches no line break, so the text is one line. The service runs Java, whose dot this follows. */
function line(min: number, max: number): ReturnType<typeof string> {
  return string({
    min,
    max,
    pattern: { text: `.{${min},${max}}`, test: (value) => !/[\n\r\u0085\u2028\u2029]/.test(value) },
  });
}
