/**
 * The four operations of December 2024 that the newest published client (3.523.0) lacks, as commands of our
 * own on that client: associating source resources and reading the updates of a task.
 *
 * Each is a stock command of the same shape under another name: the serializer writes its input as JSON as
 * it stands, the deserializer gives the answer's members as they stand, and the errors are the same ones.
 * Only the target header differs. It is set before the request is signed.
 */
import {
  AssociateDiscoveredResourceCommand,
  DisassociateDiscoveredResourceCommand,
  ListDiscoveredResourcesCommand,
} from '@aws-sdk/client-migration-hub';

interface OnTask {
  readonly ProgressUpdateStream: string;
  readonly MigrationTaskName: string;
}

interface Page extends OnTask {
  /** At most 10 source resources, at most 100 updates (MODEL MaxResultsSourceResources, MaxResults). */
  readonly MaxResults?: number;
  /** Lives for 24 hours. */
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

/** Answers `SourceResourceList` and `NextToken`. */
export class ListSourceResourcesCommand extends ListDiscoveredResourcesCommand {
  constructor(input: Page) {
    super({ ...input });
    aimAt(this, 'ListSourceResources');
  }
}

/** Answers `MigrationTaskUpdateList` and `NextToken`; times are seconds since 1970, as on the wire. */
export class ListMigrationTaskUpdatesCommand extends ListDiscoveredResourcesCommand {
  constructor(input: Page) {
    super({ ...input });
    aimAt(this, 'ListMigrationTaskUpdates');
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
