/**
 * Calls to Migration Hub and to Migration Hub Config (home region), as SDK commands. One client a region, because each
 * call carries its region. Loaded at the first call: importing the SDK takes a fifth of a second.
 */
import { defined } from '../core/lib/defined.ts';
import {
  AssociateCreatedArtifactCommand,
  AssociateDiscoveredResourceCommand,
  CreateProgressUpdateStreamCommand,
  ImportMigrationTaskCommand,
  MigrationHubClient,
  NotifyApplicationStateCommand,
  NotifyMigrationTaskStateCommand,
  PutResourceAttributesCommand,
  type ResourceAttribute,
} from '@aws-sdk/client-migration-hub';
import {
  GetHomeRegionCommand,
  MigrationHubConfigClient,
} from '@aws-sdk/client-migrationhub-config';
import type { Answer, HubCall, NotifyCall, TaskUpdate } from '../core/model/call.ts';
import { statusDetail } from '../core/model/report.ts';
import { maskSecrets } from '../core/lib/secrets.ts';
import { atEndpoint } from './client/endpoint.ts';
import { olderClientOptions } from './client/settings.ts';
import type { ClientSettings } from './client/settings.ts';
import type { Exchange } from './exchange.ts';
import { sendCommand } from './exchange.ts';
import { hubText } from './legal-text.ts';
import {
  AssociateSourceResourceCommand,
  ListMigrationTaskUpdatesCommand,
} from './source-resources.ts';
import type { MigrationTaskUpdates } from './source-resources.ts';

export interface HubOptions extends ClientSettings {
  readonly endpoint: string | undefined;
  readonly configEndpoint: string | undefined;
  readonly configRegion: string;
}

export type SendToHub = (call: HubCall, exchange: Exchange) => Promise<Answer>;

export function createHub(options: HubOptions): SendToHub {
  const clients = new Map<string, MigrationHubClient>();
  const clientOf = (region: string): MigrationHubClient => {
    const known = clients.get(region);
    if (known !== undefined) return known;
    const client = createHubClient(options, options.endpoint, region);
    clients.set(region, client);
    return client;
  };
  let config: MigrationHubConfigClient | undefined;
  const askHomeRegion = async (exchange: Exchange): Promise<Answer> => {
    config ??= createConfigClient(options, options.configEndpoint, options.configRegion);
    const command = new GetHomeRegionCommand({});
    const { HomeRegion } = await sendCommand(config, command, exchange);
    return HomeRegion === undefined || HomeRegion === '' ? {} : { homeRegion: HomeRegion };
  };
  return async (call, exchange) => {
    if (call.operation === 'GetHomeRegion') return await askHomeRegion(exchange);
    if (call.operation === 'ListMigrationTaskUpdates') {
      return await readUpdates(clientOf(call.region), call, exchange);
    }
    await write(clientOf(call.region), call, exchange);
    return {};
  };
}

export function createHubClient(
  settings: ClientSettings,
  endpoint: string | undefined,
  region: string,
): MigrationHubClient {
  const options = olderClientOptions(settings, endpoint, region);
  const { config } = new MigrationHubClient(options);
  return new MigrationHubClient({ ...options, ...atEndpoint(config, options) });
}

export function createConfigClient(
  settings: ClientSettings,
  endpoint: string | undefined,
  region: string,
): MigrationHubConfigClient {
  const options = olderClientOptions(settings, endpoint, region);
  const { config } = new MigrationHubConfigClient(options);
  return new MigrationHubConfigClient({ ...options, ...atEndpoint(config, options) });
}

type ReadCall = Extract<HubCall, { readonly operation: 'ListMigrationTaskUpdates' }>;
type WriteCall = Exclude<HubCall, ReadCall | { readonly operation: 'GetHomeRegion' }>;

/** MODEL MaxResults: 1–100. The largest page needs the fewest calls. */
const UPDATES_OF_PAGE = 100;

async function readUpdates(
  client: MigrationHubClient,
  call: ReadCall,
  exchange: Exchange,
): Promise<Answer> {
  const command = new ListMigrationTaskUpdatesCommand(
    defined({ ...onTask(call), MaxResults: UPDATES_OF_PAGE, NextToken: call.token }),
  );
  const output: MigrationTaskUpdates = await sendCommand(client, command, exchange);
  const { MigrationTaskUpdateList: list = [], NextToken: next } = output;
  return defined({
    updates: list.map(readUpdate),
    nextToken: next === undefined || next === '' ? undefined : next,
  });
}

function readUpdate(
  update: NonNullable<MigrationTaskUpdates['MigrationTaskUpdateList']>[number],
): TaskUpdate {
  const { UpdateDateTime: stampS, MigrationTaskState: state } = update;
  return defined({
    status: state?.Status ?? 'UNKNOWN',
    stampS,
    percent: state?.ProgressPercent,
    detail: state?.StatusDetail,
  });
}

/** None of these returns anything. */
async function write(
  client: MigrationHubClient,
  call: WriteCall,
  exchange: Exchange,
): Promise<unknown> {
  switch (call.operation) {
    case 'CreateProgressUpdateStream': {
      const input = { ProgressUpdateStreamName: call.stream, ...dryRun(call) };
      return sendCommand(client, new CreateProgressUpdateStreamCommand(input), exchange);
    }
    case 'ImportMigrationTask':
      return sendCommand(
        client,
        new ImportMigrationTaskCommand({ ...onTask(call), ...dryRun(call) }),
        exchange,
      );
    case 'NotifyMigrationTaskState':
      return sendCommand(client, notifyCommand(call), exchange);
    case 'PutResourceAttributes': {
      const input = {
        ...onTask(call),
        ResourceAttributeList: attributesOf(call.attributes),
        ...dryRun(call),
      };
      return sendCommand(client, new PutResourceAttributesCommand(input), exchange);
    }
    case 'AssociateDiscoveredResource': {
      const input = {
        ...onTask(call),
        DiscoveredResource: { ConfigurationId: call.configurationId },
        ...dryRun(call),
      };
      return sendCommand(client, new AssociateDiscoveredResourceCommand(input), exchange);
    }
    case 'AssociateSourceResource': {
      const command = new AssociateSourceResourceCommand({
        ...onTask(call),
        SourceResource: {
          Name: call.name,
          ...text('Description', call.description, 500),
          ...text('StatusDetail', call.statusDetail, 2500),
        },
        ...dryRun(call),
      });
      return sendCommand(client, command, exchange);
    }
    case 'AssociateCreatedArtifact': {
      const input = {
        ...onTask(call),
        CreatedArtifact: { Name: call.artifact },
        ...dryRun(call),
      };
      return sendCommand(client, new AssociateCreatedArtifactCommand(input), exchange);
    }
    case 'NotifyApplicationState': {
      const input = {
        ApplicationId: call.application,
        Status: call.status,
        UpdateDateTime: dateOf(call.stampS),
        ...dryRun(call),
      };
      return sendCommand(client, new NotifyApplicationStateCommand(input), exchange);
    }
  }
}

function onTask(call: { readonly stream: string; readonly task: string }): {
  ProgressUpdateStream: string;
  MigrationTaskName: string;
} {
  return { ProgressUpdateStream: call.stream, MigrationTaskName: call.task };
}

function dryRun(call: { readonly dryRun?: boolean }): { DryRun?: boolean } {
  return call.dryRun === undefined ? {} : { DryRun: call.dryRun };
}

function notifyCommand(call: NotifyCall): NotifyMigrationTaskStateCommand {
  const detail = statusDetail(call);
  return new NotifyMigrationTaskStateCommand({
    ...onTask(call),
    Task: defined({
      Status: call.status,
      StatusDetail: detail === undefined ? undefined : hubText(maskSecrets(detail)),
      ProgressPercent: call.percent,
    }),
    UpdateDateTime: dateOf(call.stampS),
    NextUpdateSeconds: Math.min(call.nextUpdateS, NEXT_UPDATE_S_MAX),
    ...dryRun(call),
  });
}

/** MODEL NextUpdateSeconds is a 32-bit integer. */
const NEXT_UPDATE_S_MAX = 2_147_483_647;

/** The older client rounds to whole seconds, sometimes up. Whole seconds leave nothing to round. */
function dateOf(stampS: number): Date {
  return new Date(Math.floor(stampS) * 1000);
}

/** A member that is left out if its text is empty. */
function text<Key extends string>(
  key: Key,
  value: string | undefined,
  maxPoints: number,
): Partial<Record<Key, string>> {
  const legal = hubText(maskSecrets(value ?? ''), maxPoints);
  return legal === '' ? {} : ({ [key]: legal } as Record<Key, string>);
}

/** MODEL ResourceAttributeValue: 1–256 on one line. */
function attributesOf(
  attributes: readonly { readonly type: string; readonly value: string }[],
): ResourceAttribute[] {
  return attributes
    .map(({ type, value }) => ({
      Type: type as NonNullable<ResourceAttribute['Type']>,
      Value: hubText(value, 256),
    }))
    .filter(({ Value }) => Value !== '');
}
