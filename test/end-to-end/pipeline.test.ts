/** Tasks of Data Pipeline as the real daemon runs them: what reaches the job's program, and what is reported of its end. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { createSite, isDelivered } from '../support/daemon.ts';
import type { Site } from '../support/daemon.ts';
import { until } from '../support/until.ts';

let site: Site;
afterEach(async () => {
  await site.close();
});

/** What SetTaskStatus was sent, newest last. */
function finalReports(): Record<string, unknown>[] {
  return site.simulator
    .journal()
    .filter(({ operation }) => operation === 'SetTaskStatus')
    .map(({ request }) => request as Record<string, unknown>);
}

async function finalReport(): Promise<Record<string, unknown>> {
  await until('SetTaskStatus', () => finalReports().length > 0);
  return finalReports().at(-1)!;
}

test('a configured job gets the task in its environment, as data that no shell reads', async () => {
  site = await createSite(`dataPipeline:
  workerGroups: [wg]
  activities: [{ match: { type: ShellCommandActivity, myKind: files }, job: copy }]
jobs:
  copy:
    command: [sh, -c, 'env > DIRECTORY/env']
    environment: { MIGRATION_PIPELINE_FIELD_MY_OWN: mine, MIGRATION_JOB: not this }
`);
  await site.start();
  const { pipelineId } = site.simulator.submitShellActivity({
    name: 'Copy',
    workerGroup: 'wg',
    command: 'unused',
    scriptArguments: [`$(touch ${site.directory}/pwned)`, 'two words'],
    fields: { myKind: 'files', myOwn: 'theirs', mySecondWord: 'x' },
  });
  await site.untilJob('copy', isDelivered);
  expect(finalReports()).toMatchObject([{ taskStatus: 'FINISHED' }]);
  const environment = readFileSync(join(site.directory, 'env'), 'utf8').split('\n');
  expect(environment).toEqual(
    expect.arrayContaining([
      `MIGRATION_PIPELINE_ID=${pipelineId}`,
      'MIGRATION_PIPELINE_WORKER_GROUP=wg',
      'MIGRATION_PIPELINE_ACTIVITY=Copy',
      'MIGRATION_PIPELINE_TYPE=ShellCommandActivity',
      'MIGRATION_PIPELINE_ARGUMENTS=2',
      `MIGRATION_PIPELINE_ARGUMENT_1=$(touch ${site.directory}/pwned)`,
      'MIGRATION_PIPELINE_ARGUMENT_2=two words',
      'MIGRATION_PIPELINE_FIELD_MY_SECOND_WORD=x',
      // The operator's values override the pipeline's, and the agent's own mark overrides both.
      'MIGRATION_PIPELINE_FIELD_MY_OWN=mine',
      'MIGRATION_JOB=copy',
    ]),
  );
  expect(existsSync(join(site.directory, 'pwned'))).toBe(false);
});

test('shell text gets its arguments; the tail of its standard error is reported without colours and secrets', async () => {
  site = await createSite(`dataPipeline:
  workerGroups: [wg]
  activities: [{ match: { type: ShellCommandActivity }, shell: true }]
`);
  await site.start();
  site.simulator.submitShellActivity({
    name: 'Copy',
    workerGroup: 'wg',
    command:
      'for i in $(seq 500); do echo "line $i" >&2; done; printf "\\033[31m%s\\033[0m password=hunter2\\n\\a" "$2" >&2; exit $1',
    scriptArguments: ['7', 'final line'],
    fields: { maximumRetries: '0' },
  });
  const report = await finalReport();
  expect(report).toMatchObject({ taskStatus: 'FAILED', errorId: 'JobFailed' });
  expect(report['errorMessage']).toMatch(/^failed: exit code 7: final line password=\*\*\*$/);
  expect(report['errorStackTrace']).toMatch(/line 500\nfinal line password=\*\*\*\s*$/);
  expect(Array.from(String(report['errorStackTrace'])).length).toBeLessThanOrEqual(1024);
  expect(site.simulator.audit().invalidRequests.count).toBe(0);
});

test('a precondition that is not met is FALSE; one that could not be started is FAILED', async () => {
  site = await createSite(`dataPipeline:
  workerGroups: [wg]
  activities:
    - { match: { name: Mounted }, job: mounted, precondition: true }
    - { match: { name: Broken }, job: broken, precondition: true }
    - { match: { name: Met }, job: met, precondition: true }
jobs:
  mounted: { command: [sh, -c, 'echo not there >&2; exit 1'] }
  broken: { command: [DIRECTORY/no-such-program], workingDirectory: DIRECTORY/nowhere }
  met: { command: ['true'] }
`);
  await site.start();
  const outcome = async (name: string): Promise<unknown> => {
    const before = finalReports().length;
    site.simulator.submitShellActivity({
      name,
      workerGroup: 'wg',
      command: 'unused',
      fields: { maximumRetries: '0' },
    });
    await until('SetTaskStatus', () => finalReports().length > before);
    return finalReports().at(-1);
  };
  expect(await outcome('Mounted')).toMatchObject({
    taskStatus: 'FALSE',
    errorId: 'PreconditionNotMet',
    errorMessage: 'failed: exit code 1: not there',
  });
  expect(await outcome('Broken')).toMatchObject({ taskStatus: 'FAILED', errorId: 'JobNotStarted' });
  expect(await outcome('Met')).toMatchObject({ taskStatus: 'FINISHED' });
});

test('an unsupported activity is FAILED with its reason, and nothing runs', async () => {
  site = await createSite(`dataPipeline:
  workerGroups: [wg]
  activities: [{ match: {}, shell: true }]
`);
  await site.start();
  site.simulator.submitShellActivity({
    name: 'Copy',
    workerGroup: 'wg',
    command: `touch ${site.directory}/pwned`,
    fields: { stage: 'true', maximumRetries: '0' },
  });
  const report = await finalReport();
  expect(report['taskStatus']).toBe('FAILED');
  expect(report['errorMessage']).toContain('stage=true needs S3 staging, which is not supported');
  expect(existsSync(join(site.directory, 'pwned'))).toBe(false);
});

test('attemptTimeout of the task ends its job', async () => {
  site = await createSite(
    `dataPipeline:
  workerGroups: [wg]
  activities: [{ match: {}, job: slow }]
jobs:
  slow: { command: [sleep, '300'], timeout: 2s, stop: { grace: 1s } }
`,
  );
  await site.start();
  site.simulator.submitShellActivity({
    name: 'Copy',
    workerGroup: 'wg',
    command: 'unused',
    fields: { attemptTimeout: '10 Minutes', maximumRetries: '0' },
  });
  // The shorter of the two: the job's own.
  expect(await finalReport()).toMatchObject({ taskStatus: 'FAILED', errorId: 'JobTimeout' });
  expect((await site.job('slow')).state).toBe('canceled');
});
