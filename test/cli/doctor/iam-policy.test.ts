/** The names of resources in each partition of AWS, and that a policy asks for nothing that a configuration does not use. */
import { expect, test } from 'vitest';
import { iamPolicy, missingStatement } from '../../../src/cli/doctor/iam-policy.ts';
import { loadConfiguration } from '../../../src/config/load.ts';

function policy(text: string, region = 'eu-central-1') {
  const loaded = loadConfiguration({ file: 'a', text, environment: {}, hostname: 'files01' });
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join());
  return iamPolicy(loaded.configuration, { account: '123456789012', region }).Statement;
}

test.each([
  ['eu-central-1', 'aws'],
  ['us-gov-west-1', 'aws-us-gov'],
  ['cn-north-1', 'aws-cn'],
])('in %s names begin with arn:%s', (region, partition) => {
  const where = { account: '123456789012', region };
  const arn = `arn:${partition}:mgh:${region}:123456789012:progressUpdateStream/acme`;
  expect(missingStatement('CreateProgressUpdateStream', 'acme', [], where).Resource).toBe(arn);
  expect(missingStatement('ImportMigrationTask', 'acme', [], where).Resource).toBe(`${arn}/*`);
  expect(missingStatement('GetHomeRegion', 'acme', [], where).Resource).toBe('*');
});

test('a policy has what the configuration uses', () => {
  const least = policy(
    'migrationHub: { progressUpdateStream: acme, createStream: false, region: eu-central-1 }\n',
  );
  expect(least.map(({ Sid }) => Sid)).toEqual(['Tasks']);
  expect(least[0]?.Action).toEqual([
    'mgh:ImportMigrationTask',
    'mgh:NotifyMigrationTaskState',
    'mgh:ListMigrationTaskUpdates',
  ]);
  const most = policy(`migrationHub: { progressUpdateStream: acme }
dataPipeline: { region: us-east-1, workerGroups: [files, more] }
jobs: { a: { command: [x], migrationHub: { application: d-application-1, artifacts: ["arn:aws:s3:::a/b"] } } }
`);
  expect(most.map(({ Sid }) => Sid)).toEqual([
    ...['HomeRegion', 'Stream', 'Tasks', 'Applications', 'Poll', 'Runner'],
  ]);
  expect(most[2]?.Action).toContain('mgh:AssociateCreatedArtifact');
  expect(most[2]?.Action).not.toContain('mgh:NotifyApplicationState');
  expect(most[4]?.Condition).toMatchObject({
    'ForAllValues:StringEquals': { 'datapipeline:workerGroup': ['files', 'more'] },
    Null: { 'datapipeline:workerGroup': 'false' },
  });
});

test('what one operation needs that was denied', () => {
  const where = { account: '123456789012', region: 'eu-central-1' };
  const missing = (operation: Parameters<typeof missingStatement>[0]) =>
    missingStatement(operation, 'acme', ['files'], where);
  for (const name of [
    'ReportTaskProgress',
    'SetTaskStatus',
    'ReportTaskRunnerHeartbeat',
  ] as const) {
    const Action = `datapipeline:${name}`;
    expect(missing(name)).toEqual({ Sid: name, Effect: 'Allow', Action, Resource: '*' });
  }
  expect(missing('PollForTask')).toMatchObject({
    Action: 'datapipeline:PollForTask',
    Condition: { 'ForAllValues:StringEquals': { 'datapipeline:workerGroup': ['files'] } },
  });
  expect(missing('NotifyApplicationState').Resource).toBe('*');
});

test('a configuration without Migration Hub needs nothing of it', () => {
  const statements = policy('dataPipeline: { region: us-east-1, workerGroups: [files] }\n');
  expect(statements.map(({ Sid }) => Sid)).toEqual(['Poll', 'Runner']);
});
