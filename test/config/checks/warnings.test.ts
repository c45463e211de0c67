/** Values that are legal and risky: each warning on its side of its limit, with the key that it names. */
import { expect, test } from 'vitest';
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
