/** Values that are legal and risky: each warning on its side of its limit, with the key that it names. */
import { describe, expect, test } from 'vitest';
import { loadConfiguration } from '../../../src/config/load.ts';

function warnings(text: string, environment: NodeJS.ProcessEnv = {}): string[] {
  const loaded = loadConfiguration({ file: 'a', text, environment, hostname: 'files01' });
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join());
  return loaded.configuration.warnings.map(({ key, message }) => `${key}: ${message}`);
}

const HUB = 'migrationHub: { progressUpdateStream: s }\n';
const ACTIVITY = 'activities: [{ match: {}, job: a }]';
const JOBS = 'jobs: { a: { command: [x] } }\n';
const pipeline = (more: string): string =>
  `dataPipeline: { region: us-east-1, workerGroups: [g], ${ACTIVITY}, ${more} }\n${JOBS}`;
const hub = (more: string): string => `migrationHub: { progressUpdateStream: s, ${more} }\n${JOBS}`;

test.each<[string, string, string, string]>([
  ['migrationHub.nextUpdate', hub('nextUpdate: 60s'), hub('nextUpdate: 59s'), 'short outage'],
  [
    'migrationHub.finalNextUpdate',
    hub('finalNextUpdate: 24h'),
    hub('finalNextUpdate: 23h'),
    'stale',
  ],
  [
    'dataPipeline.reportEvery',
    pipeline('reportEvery: 60s'),
    pipeline('reportEvery: 61s'),
    'cancel',
  ],
  [
    'dataPipeline.reportEvery',
    pipeline('reportEvery: 60s, window: 3m'),
    pipeline('reportEvery: 60s, window: 179s'),
    'a third of window',
  ],
  ['dataPipeline.window', pipeline('window: 15m'), pipeline('window: 901s'), 'another host'],
  [
    'dataPipeline.heartbeatEvery',
    pipeline('heartbeatEvery: 15m'),
    pipeline('heartbeatEvery: 901s'),
    'dead',
  ],
  ['dataPipeline.onFence', pipeline('onFence: stop'), pipeline('onFence: continue'), 'two hosts'],
  [
    'dataPipeline.concurrency',
    pipeline('concurrency: 60, rates: { ReportTaskProgress: { perSecond: 1, burst: 1 } }'),
    pipeline('concurrency: 61, rates: { ReportTaskProgress: { perSecond: 1, burst: 1 } }'),
    '61 tasks need 1.02 reports a second',
  ],
  [
    'dataPipeline.rates.PollForTask.perSecond',
    pipeline('rates: { PollForTask: { perSecond: 2, burst: 1 } }'),
    pipeline('rates: { PollForTask: { perSecond: 3, burst: 1 } }'),
    'above the published limit of the account (2)',
  ],
  [
    'dataPipeline.rates.SetTaskStatus.burst',
    pipeline('rates: { SetTaskStatus: { perSecond: 1, burst: 100 } }'),
    pipeline('rates: { SetTaskStatus: { perSecond: 1, burst: 101 } }'),
    'above the published limit of the account (100)',
  ],
  [
    'jobs.a.stop.grace',
    pipeline('window: 10m').replace('[x]', '[x], stop: { grace: 5m }'),
    pipeline('window: 10m').replace('[x]', '[x], stop: { grace: 301s }'),
    'half of dataPipeline.window (10m)',
  ],
  [
    'migrationHub.nextUpdateMax',
    hub('nextUpdateMax: 10s, nextUpdate: 10s, rate: { perSecond: 0.1, burst: 1 }'),
    hub('nextUpdateMax: 9s, nextUpdate: 9s, rate: { perSecond: 0.1, burst: 1 }'),
    '1 jobs at once need 0.11 calls a second, but the budget allows 0.1',
  ],
  [
    'agent.http.listen',
    `${HUB}agent: { http: { listen: "127.0.0.1:1" } }\n`,
    `${HUB}agent: { http: { listen: "0.0.0.0:1" } }\n`,
    'without a password',
  ],
  [
    'aws.endpoints.dataPipeline',
    `aws: { endpoints: { dataPipeline: "http://127.0.0.1:1" } }\n${pipeline('concurrency: 1')}`,
    `aws: { endpoints: { dataPipeline: "http://10.0.0.1:1" } }\n${pipeline('concurrency: 1')}`,
    'is not encrypted',
  ],
  [
    'fleet.share',
    `${hub('rate: { perSecond: 1, burst: 10 }')}fleet: { share: 0.1 }\n`,
    `${hub('rate: { perSecond: 1, burst: 10 }')}fleet: { share: 0.09 }\n`,
    'less than one call of a burst of 10',
  ],
])('%s', (key, safe, risky, message) => {
  const of = (text: string): string[] =>
    warnings(text).filter((one) => one.startsWith(`${key}: `) && one.includes(message));
  expect(of(safe)).toEqual([]);
  expect(of(risky)).toHaveLength(1);
});

test('a fleet’s share counts in what the budget allows, and the smallest burst in what a share allows', () => {
  const many = 'concurrency: 30, rates: { ReportTaskProgress: { perSecond: 1, burst: 1 } }';
  const concurrency = (text: string): boolean =>
    warnings(text).some((one) => one.startsWith('dataPipeline.concurrency'));
  expect(concurrency(`${pipeline(many)}fleet: { share: 0.5 }\n`)).toBe(false);
  expect(concurrency(`${pipeline(many)}fleet: { share: 0.4 }\n`)).toBe(true);
  const share = warnings(
    `${pipeline('rates: { PollForTask: { perSecond: 1, burst: 4 } }')}fleet: { share: 0.2 }\n`,
  );
  expect(share.filter((one) => one.startsWith('fleet.share'))).toEqual([
    'fleet.share: is less than one call of a burst of 4: hosts that call at the same moment may exceed it',
  ]);
});

test('jobs that are not reported to Migration Hub cost none of its budget', () => {
  const slow = 'nextUpdateMax: 9s, nextUpdate: 9s, rate: { perSecond: 0.1, burst: 1 }';
  const off = hub(slow).replace('[x]', '[x], migrationHub: false');
  expect(warnings(off).filter((one) => one.includes('calls a second'))).toEqual([]);
});

test('a rule that is never reached names the one before it, also the first', () => {
  const rules = (...matches: string[]): string =>
    `dataPipeline: { region: us-east-1, workerGroups: [g], activities: [${matches.map((match) => `{ match: ${match}, job: a }`).join(', ')}] }\n${JOBS}`;
  const unreached = (text: string): string[] =>
    warnings(text).filter((one) => one.includes('is never reached'));
  expect(unreached(rules('{ type: A }', '{ type: A, name: b }'))).toEqual([
    'dataPipeline.activities.1: is never reached: activities.0 matches everything that this one matches',
  ]);
  expect(unreached(rules('{ type: B }', '{ type: A }', '{ type: A }'))).toHaveLength(1);
  expect(unreached(rules('{ type: A, name: b }', '{ type: A }'))).toEqual([]);
});

test('a region without Data Pipeline, unless an endpoint stands in for it', () => {
  const far = `aws: { region: eu-central-1 }\ndataPipeline: { workerGroups: [g], ${ACTIVITY} }\n${JOBS}`;
  const of = (text: string, environment?: NodeJS.ProcessEnv): string[] =>
    warnings(text, environment).filter((one) => one.includes('is not offered in'));
  expect(of(far)).toHaveLength(1);
  expect(of(far)[0]).toMatch(/^aws\.region: AWS Data Pipeline is not offered in eu-central-1/);
  expect(of(far, { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' })).toEqual([]);
  expect(of(far, { AWS_ENDPOINT_URL_DATA_PIPELINE: 'http://127.0.0.1:1' })).toEqual([]);
  const endpoint = far.replace(
    'eu-central-1 }',
    'eu-central-1, endpoints: { dataPipeline: "http://127.0.0.1:1" } }',
  );
  expect(of(endpoint)).toEqual([]);
});

describe('a job', () => {
  const of = (job: string, more = HUB): string[] =>
    warnings(`${more}jobs: { a: { command: [x], ${job} } }\n`).filter((one) =>
      one.startsWith('jobs.a.'),
    );

  test.each([
    ['schedule: "0 2 1 * *", timezone: UTC', []],
    ['schedule: "0 2 * * 1", timezone: UTC', []],
    ['schedule: "0 2 1 * 1", timezone: UTC', ['jobs.a.schedule: starts only on days']],
    ['timezone: UTC', ['jobs.a.timezone: has no effect without schedule']],
    ['missedStart: once', ['jobs.a.missedStart: has no effect without schedule']],
    ['missedStart: skip', []],
    ['stallAfter: 5m', ['jobs.a.stallAfter: has no effect without progress']],
    ['stallAfter: 5m, progress: { parser: percent }', []],
    ['environment: { MIGRATION_JOB: x }', ['jobs.a.environment.MIGRATION_JOB: has no effect']],
    ['environment: { MIGRATION: x }', []],
    [
      'schedule: "15 * * * *", timezone: Australia/Lord_Howe',
      ['jobs.a.schedule: the clocks of Australia/Lord_Howe skip '],
    ],
    [
      'schedule: "45 * * * *", timezone: Australia/Lord_Howe',
      ['jobs.a.schedule: the clocks of Australia/Lord_Howe show '],
    ],
  ])('with %s: %j', (job, begins) => {
    const found = of(job);
    expect(found).toHaveLength(begins.length);
    for (const begin of begins) {
      expect(found.some((one) => one.startsWith(begin))).toBe(true);
    }
  });

  test.each([
    ['migrationHub: { task: own }', 1],
    ['migrationHub: { artifacts: ["arn:aws:s3:::b/k"] }', 1],
    ['migrationHub: { artifacts: [] }', 0],
    ['migrationHub: {}', 0],
    ['migrationHub: false', 0],
  ])('with %s in a file without Migration Hub: %i', (job, count) => {
    const found = of(job, 'log: {}\n');
    expect(found).toHaveLength(count);
    expect(found.every((one) => one.includes('the file has no section migrationHub'))).toBe(true);
  });
});

test('the hosts of a fleet need names of their own for tasks: the jobs are named, three at most', () => {
  const of = (...jobs: string[]): string[] =>
    warnings(
      `${HUB}fleet: { share: 0.5 }\njobs: { ${jobs.map((job, i) => `job${i}: { command: [x], ${job} }`).join(', ')} }\n`,
    ).filter((one) => one.includes('lack {host}'));
  expect(of('migrationHub: { task: "{host}-{job}" }', 'migrationHub: false')).toEqual([]);
  expect(of('waitFor: leader')[0]).toMatch(/^fleet: the task names of job0 lack \{host\}/);
  expect(of('waitFor: leader', 'waitFor: leader', 'waitFor: leader')[0]).toContain(
    'of job0, job1, job2 lack',
  );
  expect(of(...Array<string>(5).fill('waitFor: leader'))[0]).toContain(
    'of job0, job1, job2 and 2 more lack',
  );
});

test('two jobs of one task are named, unless one of them is not reported', () => {
  const of = (second: string): string[] =>
    warnings(
      `${HUB}jobs: { a: { command: [x] }, b: { command: [x], migrationHub: ${second} } }\n`,
    ).filter((one) => one.includes('is also the task'));
  expect(of('{ task: a }')).toEqual([
    'jobs.b.migrationHub.task: is also the task of job a: their reports would mix; put {job} into it',
  ]);
  expect([...of('{ task: b }'), ...of('false')]).toEqual([]);
});

test('a region without Data Pipeline is reported at the key that names it', () => {
  const of = (text: string, environment?: NodeJS.ProcessEnv): string[] =>
    warnings(text, environment).flatMap((one) =>
      one.includes('is not offered in') ? [one.split(':')[0] ?? ''] : [],
    );
  const own = `dataPipeline: { region: eu-central-1, workerGroups: [g], ${ACTIVITY} }\n${JOBS}`;
  expect(of(own)).toEqual(['dataPipeline.region']);
  expect(of(`aws: { region: eu-central-1 }\n${own}`)).toEqual(['dataPipeline.region']);
  const none = `dataPipeline: { workerGroups: [g], ${ACTIVITY} }\n${JOBS}`;
  expect(of(none, { AWS_REGION: 'eu-central-1' })).toEqual(['dataPipeline.region']);
  expect(of(none, { AWS_REGION: 'us-east-1' })).toEqual([]);
});
