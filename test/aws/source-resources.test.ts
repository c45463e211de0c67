/**
 * The operations that the published client lacks, on the wire: boto3, which knows them by AWS's own model, sends
 * the same target and body for the same call, and reads the same out of the same answer.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { MigrationHubClient } from '@aws-sdk/client-migration-hub';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  AssociateSourceResourceCommand,
  DisassociateSourceResourceCommand,
  ListMigrationTaskUpdatesCommand,
  ListSourceResourcesCommand,
  paginateListMigrationTaskUpdates,
  paginateListSourceResources,
} from '../../src/aws/source-resources.ts';
import { awsEnvironment } from '../support/aws-environment.ts';
import { boto3Missing } from '../support/boto3.ts';
import { fail, ok, setEnvironment, startStub } from './aws-stub.ts';
import type { Stub } from './aws-stub.ts';

const run = promisify(execFile);

let stub: Stub;
let client: MigrationHubClient;
beforeEach(async () => {
  setEnvironment();
  stub = await startStub();
  client = new MigrationHubClient({ endpoint: stub.url, region: 'eu-central-1', maxAttempts: 1 });
});
afterEach(async () => {
  client.destroy();
  await stub.close();
});

const TASK = { ProgressUpdateStream: 'acme — ü', MigrationTaskName: 'files, “a” 😀' };
const UPDATES = {
  MigrationTaskUpdateList: [
    {
      UpdateDateTime: 1_790_000_000,
      UpdateType: 'MIGRATION_TASK_STATE_UPDATED',
      MigrationTaskState: { Status: 'IN_PROGRESS', StatusDetail: 'ü 😀', ProgressPercent: 0 },
    },
    { UpdateDateTime: 1_790_000_300, MigrationTaskState: { Status: 'COMPLETED' } },
  ],
  NextToken: 'abc+/=',
};
const RESOURCES = {
  SourceResourceList: [
    { Name: 'arn:aws:s3:::a', Description: 'd', StatusDetail: 's' },
    { Name: 'b' },
  ],
};

const CASES = [
  {
    operation: 'AssociateSourceResource',
    method: 'associate_source_resource',
    input: {
      ...TASK,
      SourceResource: { Name: 'arn:aws:s3:::a', Description: 'ü', StatusDetail: '40 % 😀' },
      DryRun: true,
    },
    answer: {},
    send: (input: never) => client.send(new AssociateSourceResourceCommand(input)),
  },
  {
    operation: 'DisassociateSourceResource',
    method: 'disassociate_source_resource',
    input: { ...TASK, SourceResourceName: 'a b', DryRun: false },
    answer: {},
    send: (input: never) => client.send(new DisassociateSourceResourceCommand(input)),
  },
  {
    operation: 'ListSourceResources',
    method: 'list_source_resources',
    input: { ...TASK, MaxResults: 10, NextToken: 'abc=' },
    answer: RESOURCES,
    send: (input: never) => client.send(new ListSourceResourcesCommand(input)),
  },
  {
    operation: 'ListMigrationTaskUpdates',
    method: 'list_migration_task_updates',
    input: { ...TASK, MaxResults: 100, NextToken: 'abc=' },
    answer: UPDATES,
    send: (input: never) => client.send(new ListMigrationTaskUpdatesCommand(input)),
  },
] as const;

/** boto3 validates the input by the model, sends it, and prints what it read of the answer; times in seconds. */
const BOTO3 = `
import boto3, datetime, json, sys
client = boto3.client('mgh')
for method, parameters in json.loads(sys.argv[1]):
    answer = getattr(client, method)(**parameters)
    answer.pop('ResponseMetadata')
    print(json.dumps(answer, default=lambda at: at.timestamp()))
`;

/** One interpreter for all: its start costs more than the calls. */
test.skipIf(boto3Missing !== undefined)(
  `each is what boto3 sends and reads${boto3Missing === undefined ? '' : ` (skipped: ${boto3Missing})`}`,
  async () => {
    stub.answer = (response, request) => {
      const of = CASES.find(({ operation }) => request.target.endsWith(`.${operation}`));
      ok(of?.answer ?? {})(response, request);
    };
    const read: object[] = [];
    for (const { input, send } of CASES) read.push(withoutMetadata(await send(input as never)));
    const calls = JSON.stringify(CASES.map(({ input, method }) => [method, input]));
    const { stdout } = await run('python3', ['-c', BOTO3, calls], {
      env: awsEnvironment(stub.url, 'eu-central-1'),
    });
    expect(stub.requests).toHaveLength(2 * CASES.length);
    for (const [index, { operation }] of CASES.entries()) {
      const [ours, theirs] = [stub.requests[index], stub.requests[index + CASES.length]];
      expect(ours!.target).toBe(`AWSMigrationHub.${operation}`);
      expect(ours!.target).toBe(theirs!.target);
      expect(ours!.body).toEqual(theirs!.body);
      expect(ours!.headers['content-type']).toBe(theirs!.headers['content-type']);
    }
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual(read);
    expect(read).toEqual(CASES.map(({ answer }) => answer));
  },
);

test.each(CASES)(
  '$operation returns the service’s errors by their names',
  async ({ input, send }) => {
    stub.answer = fail(400, 'ResourceNotFoundException');
    await expect(send(input as never)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  },
);

function withoutMetadata(output: object): object {
  return Object.fromEntries(Object.entries(output).filter(([key]) => key !== '$metadata'));
}

describe('a paginator', () => {
  test('requests page after page, each with the token of the previous one, until there is none', async () => {
    const pages = [
      { ...UPDATES, NextToken: 'one' },
      { MigrationTaskUpdateList: [], NextToken: 'two' },
      { MigrationTaskUpdateList: UPDATES.MigrationTaskUpdateList.slice(1) },
    ];
    stub.answer = (response, request) => {
      ok(pages[stub.requests.length - 1] ?? {})(response, request);
    };
    const read: unknown[] = [];
    for await (const page of paginateListMigrationTaskUpdates(client, { ...TASK, MaxResults: 2 })) {
      read.push(...(page.MigrationTaskUpdateList ?? []));
    }
    expect(read).toEqual([...UPDATES.MigrationTaskUpdateList, UPDATES.MigrationTaskUpdateList[1]]);
    expect(stub.requests.map(({ body }) => [body['NextToken'], body['MaxResults']])).toEqual([
      [undefined, 2],
      ['one', 2],
      ['two', 2],
    ]);
  });

  test('of source resources starts at the given token', async () => {
    stub.answer = ok(RESOURCES);
    const pages: unknown[] = [];
    for await (const page of paginateListSourceResources(client, { ...TASK, NextToken: 'x' })) {
      pages.push(page.SourceResourceList);
    }
    expect(pages).toEqual([RESOURCES.SourceResourceList]);
    expect(stub.requests[0]!.body['NextToken']).toBe('x');
  });
});
