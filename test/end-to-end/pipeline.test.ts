/** Tasks of Data Pipeline as the real daemon runs them: what reaches the job's program, and what is reported of its end. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSite } from '../support/daemon.ts';
import type { Site } from '../support/daemon.ts';
import { until } from '../support/until.ts';

/** One daemon for all: each task has an activity of its own. */
const SITE = `dataPipeline:
  workerGroups: [wg]
  activities:
    - { match: { type: ShellCommandActivity, myKind: files }, job: copy }
    - { match: { name: Mounted }, job: mounted, precondition: true }
    - { match: { name: Broken }, job: broken, precondition: true }
    - { match: { name: Met }, job: met, precondition: true }
    - { match: { name: Slow }, job: slow }
    - { match: { type: ShellCommandActivity, name: Text }, shell: true }
    - { match: {}, shell: true }
jobs:
  copy:
    command: [sh, -c, 'env > DIRECTORY/env']
    environment: { MIGRATION_PIPELINE_FIELD_MY_OWN: mine, MIGRATION_JOB: not this }
  mounted: { command: [sh, -c, 'echo not there >&2; exit 1'] }
  broken: { command: [DIRECTORY/no-such-program], workingDirectory: DIRECTORY/nowhere }
  met: { command: ['true'] }
  slow: { command: [sleep, '300'], timeout: 2s, stop: { grace: 1s } }
`;

let site: Site;
beforeAll(async () => {
  site = await createSite(SITE);
  await site.start();
});
afterAll(async () => {
  await site.close();
});

type Activity = Omit<Parameters<Site['simulator']['submitShellActivity']>[0], 'workerGroup'>;

/** What SetTaskStatus is sent for a task of this activity, with the id of its pipeline. */
async function finalReport(activity: Activity): Promise<Record<string, unknown>> {
  const { fields = {}, ...rest } = activity;
  const sent = (): Record<string, unknown>[] =>
    site.simulator
      .journal()
      .filter(({ operation }) => operation === 'SetTaskStatus')
      .map(({ request }) => request as Record<string, unknown>);
  const before = sent().length;
  const { pipelineId } = site.simulator.submitShellActivity({
    ...rest,
    workerGroup: 'wg',
    fields: { maximumRetries: '0', ...fields },
  });
  await until('SetTaskStatus', () => sent().length > before);
  const reports = sent().slice(before);
  expect(reports).toHaveLength(1);
  return { ...reports[0], pipelineId };
}

test('a configured job gets the task in its environment, as data that no shell reads', async () => {
  const report = await finalReport({
    name: 'Copy',
    command: 'unused',
    scriptArguments: [`$(touch ${site.directory}/pwned)`, 'two words'],
    fields: { myKind: 'files', myOwn: 'theirs', mySecondWord: 'x' },
  });
  expect(report).toMatchObject({ taskStatus: 'FINISHED' });
  const environment = readFileSync(join(site.directory, 'env'), 'utf8').split('\n');
  expect(environment).toEqual(
    expect.arrayContaining([
      `MIGRATION_PIPELINE_ID=${String(report['pipelineId'])}`,
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
  const report = await finalReport({
    name: 'Text',
    command:
      'for i in $(seq 500); do echo "line $i" >&2; done; printf "\\033[31m%s\\033[0m password=hunter2\\n\\a" "$2" >&2; exit $1',
    scriptArguments: ['7', 'final line'],
  });
  expect(report).toMatchObject({ taskStatus: 'FAILED', errorId: 'JobFailed' });
  expect(report['errorMessage']).toMatch(/^failed: exit code 7: final line password=\*\*\*$/);
  expect(report['errorStackTrace']).toMatch(/line 500\nfinal line password=\*\*\*\s*$/);
  expect(Array.from(String(report['errorStackTrace'])).length).toBeLessThanOrEqual(1024);
  expect(site.simulator.audit().invalidRequests.count).toBe(0);
});

test('a precondition that is not met is FALSE; one that could not be started is FAILED', async () => {
  const outcome = (name: string) => finalReport({ name, command: 'unused' });
  expect(await outcome('Mounted')).toMatchObject({
    taskStatus: 'FALSE',
    errorId: 'PreconditionNotMet',
    errorMessage: 'failed: exit code 1: not there',
  });
  expect(await outcome('Broken')).toMatchObject({ taskStatus: 'FAILED', errorId: 'JobNotStarted' });
  expect(await outcome('Met')).toMatchObject({ taskStatus: 'FINISHED' });
});

test('an unsupported activity is FAILED with its reason, and nothing runs', async () => {
  const report = await finalReport({
    name: 'Staged',
    command: `touch ${site.directory}/staged`,
    fields: { stage: 'true' },
  });
  expect(report['taskStatus']).toBe('FAILED');
  expect(report['errorMessage']).toContain('stage=true needs S3 staging, which is not supported');
  expect(existsSync(join(site.directory, 'staged'))).toBe(false);
});

test('attemptTimeout of the task ends its job', async () => {
  const fields = { attemptTimeout: '10 Minutes' };
  const report = await finalReport({ name: 'Slow', command: 'unused', fields });
  // The shorter of the two: the job's own.
  expect(report).toMatchObject({ taskStatus: 'FAILED', errorId: 'JobTimeout' });
  expect((await site.job('slow')).state).toBe('canceled');
});
