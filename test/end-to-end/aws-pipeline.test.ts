/**
 * Pipelines made, defined, activated, watched and canceled by the real `aws` command alone, and run by the real daemon. It takes
 * a minute, so only `npm run test:tour` has it; `npm test` has pipelines of the SDK (pipeline.test.ts).
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { awsEnvironment } from '../support/aws-environment.ts';
import { AwsCommand, awsMissing } from '../support/aws-command.ts';
import { createSite, isDelivered } from '../support/daemon.ts';
import type { Site } from '../support/daemon.ts';
import { until } from '../support/until.ts';

const command = new AwsCommand();
afterAll(() => command.close());
const isWholeTour = process.env['TOUR'] !== undefined;
const skipped = awsMissing === undefined ? '' : ` (skipped: ${awsMissing})`;
const WAIT_MS = 90_000;

/** Simulated time runs ten times as fast: a retry after 30 s is one after 3. */
const SPEED = 10;
const SITE = `
migrationHub: { progressUpdateStream: test, createStream: true }
dataPipeline:
  workerGroups: [files]
  concurrency: 10
  reportEvery: 1s
  activities:
    - { match: { type: ShellCommandPrecondition }, job: ready }
    - { match: { name: Good }, job: good }
    - { match: { name: Long }, job: long }
    - { match: { name: Bad }, job: bad }
    - { match: { name: Flaky }, job: flaky }
    - { match: { name: Slow }, job: slow }
    - { match: { name: Later }, job: later }
    - { match: { name: Hourly }, job: hourly }
    - { match: { name: Script }, shell: true }
jobs:
  ready: { command: [sh, -c, 'echo ready >> DIRECTORY/order'] }
  good: { command: [sh, -c, 'echo good >> DIRECTORY/order; echo 100%'], progress: { parser: percent } }
  long: { command: [sh, -c, 'setsid sleep 300 & sleep 300'], stop: { grace: 1s } }
  bad: { command: [sh, -c, 'echo no space left on /srv/b >&2; exit 7'] }
  flaky: { command: [sh, -c, 'mkdir DIRECTORY/first 2>/dev/null && exit 3; exit 0'] }
  slow: { command: [sleep, '300'], stop: { grace: 1s } }
  later: { command: [sh, -c, 'echo later >> DIRECTORY/order'] }
  hourly: { command: [sh, -c, 'echo hourly >> DIRECTORY/order'] }
`;

interface Field {
  readonly key: string;
  readonly stringValue?: string;
  readonly refValue?: string;
}

let site: Site;
beforeEach(async () => {
  site = await createSite(SITE, {
    homeRegion: 'us-west-2',
    speed: SPEED,
    behaviour: { retryDelayMsMin: 30_000 },
  });
});
afterEach(async () => {
  await site.close();
});

async function aws<T = unknown>(...message: readonly string[]): Promise<T> {
  const stdout = await text(...message, '--output', 'json');
  return (stdout.trim() === '' ? {} : JSON.parse(stdout)) as T;
}

async function text(...message: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await command.run(
    ['datapipeline', ...message],
    awsEnvironment(site.url),
  );
  expect([code, stderr], message.join(' ')).toEqual([0, '']);
  return stdout;
}

/** Made, defined and activated; the words that name it in further commands. */
async function activate(name: string, objects: readonly object[]): Promise<readonly string[]> {
  const file = join(site.directory, `${name}.json`);
  writeFileSync(file, JSON.stringify({ objects }));
  const { pipelineId } = await aws<{ pipelineId: string }>(
    'create-pipeline',
    '--name',
    name,
    '--unique-id',
    name,
  );
  const pipeline = ['--pipeline-id', pipelineId];
  const put = await aws(
    'put-pipeline-definition',
    ...pipeline,
    '--pipeline-definition',
    `file://${file}`,
  );
  expect(put).toMatchObject({ errored: false });
  await aws('activate-pipeline', ...pipeline);
  return pipeline;
}

/** `list-runs` shows the last four days by the host's clock, which simulated time has left behind. */
const EVER = ['--start-interval', '2020-01-01T00:00:00,2100-01-01T00:00:00'];

const ON_DEMAND = {
  id: 'Default',
  name: 'Default',
  scheduleType: 'ondemand',
  workerGroup: 'files',
};
function activity(id: string, more: object = {}): object {
  return { id, name: id, type: 'ShellCommandActivity', command: 'unused', ...more };
}

/** The ids of the pipeline's instances. */
async function instanceIds(pipeline: readonly string[]): Promise<readonly string[]> {
  const message = ['query-objects', ...pipeline, '--sphere', 'INSTANCE'];
  return (await aws<{ ids: string[] }>(...message)).ids;
}

/** By component: the fields of its instance as DescribeObjects shows them. */
async function instances(
  pipeline: readonly string[],
  ids: readonly string[],
): Promise<Record<string, Record<string, string>>> {
  const { pipelineObjects } = await aws<{ pipelineObjects: { id: string; fields: Field[] }[] }>(
    'describe-objects',
    ...pipeline,
    '--object-ids',
    ...ids,
  );
  return Object.fromEntries(
    pipelineObjects.map(({ id, fields }) => [
      componentOf(id),
      Object.fromEntries(fields.map((each) => [each.key, each.stringValue ?? each.refValue ?? ''])),
    ]),
  );
}

function componentOf(instanceId: string): string {
  return instanceId.replace(/^@(.*)_\d{4}-.*$/, '$1');
}

/** Asks again and again until the instances stand as wanted; says how they stood if they never do. */
async function untilStatus(
  pipeline: readonly string[],
  wanted: Readonly<Record<string, string>>,
): ReturnType<typeof instances> {
  const endsAt = performance.now() + WAIT_MS;
  const ids = await instanceIds(pipeline);
  for (;;) {
    const seen = await instances(pipeline, ids);
    const stand = Object.fromEntries(
      Object.keys(wanted).map((name) => [name, seen[name]?.['@status']]),
    );
    if (Object.entries(wanted).every(([name, status]) => stand[name] === status)) return seen;
    if (performance.now() > endsAt) expect(stand).toEqual(wanted);
  }
}

/** Processes of this site's runs, found by the mark in their environment. */
function processesOf(job: string): readonly string[] {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const environment = readFileSync(`/proc/${name}/environ`, 'utf8');
      return environment.includes(`MIGRATION_JOB=${job}\0`) && environment.includes(site.directory);
    } catch {
      return false;
    }
  });
}

test.skipIf(awsMissing !== undefined || !isWholeTour)(
  `one activity finishes, one is canceled by SetStatus and its tree is gone (needs TOUR=1)${skipped}`,
  { timeout: 2 * WAIT_MS },
  async () => {
    await site.start();
    const pipeline = await activate('two', [ON_DEMAND, activity('Good'), activity('Long')]);
    await site.untilJob('good', isDelivered);
    await site.untilJob('long', (job) => job.state === 'running');
    expect(processesOf('long').length).toBeGreaterThan(1);
    const ids = await instanceIds(pipeline);
    const long = ids.find((id) => componentOf(id) === 'Long') ?? '';
    await aws('set-status', ...pipeline, '--object-ids', long, '--status', 'TRY_CANCEL');
    expect(await site.untilJob('long', isDelivered)).toMatchObject({ state: 'canceled' });
    expect(processesOf('long')).toEqual([]);
    expect(await instances(pipeline, ids)).toMatchObject({
      Good: { '@status': 'FINISHED', '@attemptCount': '1' },
      Long: { '@status': 'CANCELED', cancellationReason: 'Canceled by SetStatus.' },
    });
    const counts = site.simulator.audit().dataPipeline;
    expect(counts).toMatchObject({
      cancelsReported: 1,
      statusAfterCancel: 0,
      ended: { FINISHED: 1 },
    });
  },
);

const tour = `the whole tour (needs TOUR=1)${skipped}`;
describe.skipIf(awsMissing !== undefined || !isWholeTour)(tour, () => {
  test(
    'a failure, a retry that succeeds, a time-out that is retried, arguments, an order',
    { timeout: 4 * WAIT_MS },
    async () => {
      await site.start();
      const pipeline = await activate('many', [
        ON_DEMAND,
        activity('Bad', { maximumRetries: '0' }),
        activity('Flaky', { maximumRetries: '2' }),
        activity('Slow', { maximumRetries: '1', attemptTimeout: '1 minute' }),
        activity('Good'),
        { id: 'Ready', name: 'Ready', type: 'ShellCommandPrecondition', command: 'unused' },
        activity('Later', { dependsOn: { ref: 'Good' }, precondition: { ref: 'Ready' } }),
        activity('Script', {
          command: `printf '%s\\n' "$@" > ${site.directory}/arguments`,
          scriptArgument: ['one', 'two words', "it's"],
        }),
      ]);
      const seen = await untilStatus(pipeline, {
        Bad: 'FAILED',
        Flaky: 'FINISHED',
        Slow: 'FAILED',
        Good: 'FINISHED',
        Later: 'FINISHED',
        Script: 'FINISHED',
      });
      expect(seen['Bad']?.['errorMessage']).toBeTruthy();
      expect(seen['Bad']?.['errorStackTrace']).toContain('no space left on /srv/b');
      expect(seen['Flaky']).toMatchObject({ '@attemptCount': '2' });
      expect(seen['Slow']).toMatchObject({ '@attemptCount': '2' });
      // The service gives an attempt up before the agent hears of it.
      await until('nothing is left of it', () => processesOf('slow').length === 0);
      expect(readFileSync(join(site.directory, 'arguments'), 'utf8')).toBe(
        "one\ntwo words\nit's\n",
      );
      const order = readFileSync(join(site.directory, 'order'), 'utf8').trim().split('\n');
      expect(order.toSorted()).toEqual(['good', 'later', 'ready']);
      expect(order.at(-1)).toBe('later');

      const failed = await aws<{ ids: string[] }>(
        'query-objects',
        ...pipeline,
        '--sphere',
        'INSTANCE',
        '--objects-query',
        JSON.stringify({
          selectors: [{ fieldName: '@status', operator: { type: 'EQ', values: ['FAILED'] } }],
        }),
      );
      expect(failed.ids.map((id) => id.replace(/_\d{4}-.*$/, '')).toSorted()).toEqual([
        '@Bad',
        '@Slow',
      ]);
      expect(await text('list-runs', ...pipeline, ...EVER)).toMatch(/Flaky\s+\S+\s+FINISHED/);
    },
  );

  test(
    'a schedule of one cycle runs once; a pipeline that is deactivated or deleted ends its job',
    { timeout: 4 * WAIT_MS },
    async () => {
      await site.start();
      const scheduled = await activate('scheduled', [
        {
          id: 'Default',
          name: 'Default',
          scheduleType: 'cron',
          workerGroup: 'files',
          schedule: { ref: 'Once' },
        },
        {
          id: 'Once',
          name: 'Once',
          type: 'Schedule',
          period: '1 hour',
          startAt: 'FIRST_ACTIVATION_DATE_TIME',
          occurrences: '1',
        },
        activity('Hourly'),
      ]);
      const { Hourly } = await untilStatus(scheduled, { Hourly: 'FINISHED' });
      expect(Hourly).toMatchObject({ '@attemptCount': '1' });
      expect(readFileSync(join(site.directory, 'order'), 'utf8')).toBe('hourly\n');

      for (const [index, end] of ['deactivate-pipeline', 'delete-pipeline'].entries()) {
        const pipeline = await activate(end, [ON_DEMAND, activity('Long')]);
        await site.untilJob('long', (job) => job.run === index + 1 && job.state === 'running');
        await aws(end, ...pipeline);
        // A pipeline that is deleted answers its runner PipelineDeletedException: the job is fenced.
        const ended = await site.untilJob(
          'long',
          (job) => job.run === index + 1 && isDelivered(job),
        );
        expect(ended.state).toBe(end === 'delete-pipeline' ? 'fenced' : 'canceled');
        expect(processesOf('long')).toEqual([]);
      }
    },
  );
});
