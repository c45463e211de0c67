/**
 * The four operations of December 2024 that client-migration-hub 3.523.0 lacks, as commands of our own on that client:
 * associating source resources and reading the updates of a task.
 *
 * Each is an existing command of the same shape under another name: the serializer writes its input as JSON unchanged, the
 * deserializer returns the members of the answer unchanged, and the errors are the same. Only the target header differs;
 * it is set before the request is signed.
 */
import {
  AssociateDiscoveredResourceCommand,
  DisassociateDiscoveredResourceCommand,
  ListDiscoveredResourcesCommand,
  type MigrationHubClient,
} from '@aws-sdk/client-migration-hub';

interface OnTask {
  readonly ProgressUpdateStream: string;
  readonly MigrationTaskName: string;
}

interface Page extends OnTask {
  /** At most 10 source resources, at most 100 updates (MODEL MaxResultsSourceResources, MaxResults). */
  readonly MaxResults?: number;
  /** Valid for 24 hours. */
  readonly NextToken?: string;
}

export interface AssociateSourceResourceInput extends OnTask {
  readonly SourceResource: {
    /** 1–1,600 characters; an ARN is advised. */
    readonly Name: string;
    readonly Description?: string;
    readonly StatusDetail?: string;
  };
  readonly DryRun?: boolean;
}

export interface DisassociateSourceResourceInput extends OnTask {
  readonly SourceResourceName: string;
  readonly DryRun?: boolean;
}

export class AssociateSourceResourceCommand extends AssociateDiscoveredResourceCommand {
  constructor(input: AssociateSourceResourceInput) {
    super(input as unknown as Input<typeof AssociateDiscoveredResourceCommand>);
    aimAt(this, 'AssociateSourceResource');
  }
}

export class DisassociateSourceResourceCommand extends DisassociateDiscoveredResourceCommand {
  constructor(input: DisassociateSourceResourceInput) {
    super(input as unknown as Input<typeof DisassociateDiscoveredResourceCommand>);
    aimAt(this, 'DisassociateSourceResource');
  }
}

/** MODEL ListSourceResourcesResult. */
export interface SourceResources {
  readonly SourceResourceList?: readonly AssociateSourceResourceInput['SourceResource'][];
  readonly NextToken?: string;
}

/** MODEL ListMigrationTaskUpdatesResult. */
export interface MigrationTaskUpdates {
  readonly MigrationTaskUpdateList?: readonly {
    /** Seconds since 1970, as on the wire. */
    readonly UpdateDateTime?: number;
    readonly UpdateType?: string;
    readonly MigrationTaskState?: {
      readonly Status: string;
      readonly StatusDetail?: string;
      readonly ProgressPercent?: number;
    };
  }[];
  readonly NextToken?: string;
}

/** Answers `SourceResources`. */
export class ListSourceResourcesCommand extends ListDiscoveredResourcesCommand {
  constructor(input: Page) {
    super({ ...input });
    aimAt(this, 'ListSourceResources');
  }
}

/** Answers `MigrationTaskUpdates`. */
export class ListMigrationTaskUpdatesCommand extends ListDiscoveredResourcesCommand {
  constructor(input: Page) {
    super({ ...input });
    aimAt(this, 'ListMigrationTaskUpdates');
  }
}

/** All source resources of a task, a page at a time, as the SDK's own paginators do it. */
export function paginateListSourceResources(
  client: MigrationHubClient,
  input: Page,
): AsyncGenerator<SourceResources> {
  return pages(input, (page) => client.send(new ListSourceResourcesCommand(page)));
}

/** All updates of a task. If the token expires (InvalidToken), the caller has to start again. */
export function paginateListMigrationTaskUpdates(
  client: MigrationHubClient,
  input: Page,
): AsyncGenerator<MigrationTaskUpdates> {
  return pages(input, (page) => client.send(new ListMigrationTaskUpdatesCommand(page)));
}

async function* pages<Output extends { readonly NextToken?: string }>(
  input: Page,
  send: (page: Page) => Promise<Output>,
): AsyncGenerator<Output> {
  let page = input;
  for (;;) {
    const output = await send(page);
    yield output;
    const { NextToken: next = '' } = output;
    if (next === '') return;
    page = { ...input, NextToken: next };
  }
}

type Input<Command extends new (input: never) => object> = ConstructorParameters<Command>[0];

interface Stack {
  add(
    middleware: (next: (args: object) => Promise<object>) => (args: object) => Promise<object>,
    options: { readonly step: 'build'; readonly name: string },
  ): void;
}

function aimAt(command: { readonly middlewareStack: object }, operation: string): void {
  const stack = command.middlewareStack as Stack;
  stack.add(
    (next) => async (args) => {
      const { request } = args as { readonly request: { headers: Record<string, string> } };
      request.headers['x-amz-target'] = `AWSMigrationHub.${operation}`;
      return await next(args);
    },
    { step: 'build', name: 'aimAtOperation' },
  );
}
