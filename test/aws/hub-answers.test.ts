/** What is read of a page of updates, and that a dry run is one: lost, it would be a report. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Answer, Call } from '../../src/core/model/call.ts';
import type { Services } from '../../src/ports.ts';
import { CALLS, fail, ok, servicesAt, setEnvironment, startStub } from './aws-stub.ts';
import type { Stub } from './aws-stub.ts';

let stub: Stub;
let services: Services;

beforeEach(async () => {
  setEnvironment();
  stub = await startStub();
  services = servicesAt(stub.url, { limits: {} });
});
afterEach(async () => {
  services.close();
  await stub.close();
});

const HUB_WRITES = [
  CALLS.CreateProgressUpdateStream,
  CALLS.ImportMigrationTask,
  CALLS.NotifyMigrationTaskState,
  CALLS.PutResourceAttributes,
  CALLS.AssociateDiscoveredResource,
  CALLS.AssociateSourceResource,
  CALLS.AssociateCreatedArtifact,
  CALLS.NotifyApplicationState,
] as const;

test.each(HUB_WRITES)(
  'a dry run of $operation is one, and a call without it is none',
  async (call) => {
    const calls: Call[] = [{ ...call, dryRun: true }, { ...call, dryRun: false }, call];
    for (const each of calls) await services.send(each);
    expect(stub.requests.map(({ body }) => body['DryRun'])).toEqual([true, false, undefined]);
  },
);

test('the error that says that a dry run has passed is an error of a call that asked for none', async () => {
  stub.answer = fail(400, 'DryRunOperation');
  const call = CALLS.ImportMigrationTask;
  expect((await services.send({ ...call, dryRun: true })).kind).toBe('accepted');
  expect((await services.send({ ...call, dryRun: false })).kind).not.toBe('accepted');
  expect((await services.send(call)).kind).not.toBe('accepted');
});

describe('a page of updates', () => {
  async function page(body: object): Promise<Answer> {
    stub.answer = ok(body);
    const outcome = await services.send(CALLS.ListMigrationTaskUpdates);
    if (outcome.kind !== 'accepted') throw new Error(outcome.kind);
    return outcome.answer;
  }

  test('has what is known of each update, and nothing of what is not', async () => {
    const UpdateDateTime = 1_790_000_000;
    const known = { Status: 'IN_PROGRESS', StatusDetail: 'copying', ProgressPercent: 0 };
    expect(
      await page({
        MigrationTaskUpdateList: [
          { UpdateDateTime, MigrationTaskState: known },
          { UpdateDateTime, MigrationTaskState: { Status: 'COMPLETED' } },
          { UpdateDateTime },
        ],
      }),
    ).toEqual({
      updates: [
        { stampS: 1_790_000_000, status: 'IN_PROGRESS', percent: 0, detail: 'copying' },
        { stampS: 1_790_000_000, status: 'COMPLETED' },
        { stampS: 1_790_000_000, status: 'UNKNOWN' },
      ],
    });
  });

  test.each([
    [{ NextToken: 'more' }, 'more'],
    [{ NextToken: '' }, undefined],
    [{}, undefined],
  ])('%j is followed by the page of %j', async (body, nextToken) => {
    expect(await page(body)).toEqual({
      updates: [],
      ...(nextToken === undefined ? {} : { nextToken }),
    });
  });

  test('is asked for with the token of the one before, the first with none', async () => {
    const call = CALLS.ListMigrationTaskUpdates;
    const { operation, region, stream, task } = call;
    await services.send({ operation, region, stream, task });
    await services.send(call);
    expect(stub.requests.map(({ body }) => body['NextToken'])).toEqual([undefined, 'abc=']);
  });
});
