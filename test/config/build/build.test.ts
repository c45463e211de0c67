/** Every key of the file arrives where the agent reads it, and so do the defaults that depend on others. */
import { describe, expect, test } from 'vitest';
import {
  defaultTask,
  progressOf,
  regionOfEnvironment,
  socketOfEnvironment,
  stateDirectoryOfEnvironment,
} from '../../../src/config/build/build.ts';
import { loadConfiguration } from '../../../src/config/load.ts';

function loaded(text: string, environment: Record<string, string> = {}) {
  const result = loadConfiguration({ file: 'a', text, environment, hostname: 'files01' });
  if (!result.ok) throw new Error(result.problems.map(({ key, message }) => key + message).join());
  return result.configuration;
}

describe('a file with every key', () => {
  const every = () =>
    loaded(`
aws:
  region: us-west-2
  profile: migration
  proxy: http://proxy:3128
  endpoints: { migrationHub: "https://a", migrationHubConfig: "https://b", dataPipeline: "https://c" }
migrationHub:
  region: eu-central-1
  progressUpdateStream: acme
  createStream: false
  nextUpdate: 6m
  nextUpdateMax: 2h
  finalNextUpdate: 30d
dataPipeline:
  region: us-east-1
  workerGroups: [files, more]
  taskRunnerId: runner
  concurrency: 3
  reportEvery: 50s
  window: 14m
  onFence: continue
  heartbeatEvery: 13m
  onTerminate: stop
  activities:
    - { match: { type: A }, job: copy, precondition: true }
    - { match: { type: B }, shell: true }
fleet: { redis: "redis://r", account: prod, share: 0.5 }
jobs:
  copy:
    command: [rsync, a, b]
    environment: { A: b }
    workingDirectory: /srv
    user: root
    schedule: "0 2 * * *"
    timezone: UTC
    missedStart: once
    autostart: true
    progress: { parser: size, target: /b, source: /a }
    timeout: 12h
    stop: { signal: SIGINT, grace: 20s }
    waitFor: tree
    stallAfter: 40m
    log: { size: 1 MB, files: 5 }
    migrationHub:
      task: "{host}-{job}"
      resourceAttributes: [{ type: FQDN, value: a.example.com }]
      discoveredResource: d-1
      sourceResources: [{ name: db, description: it, statusDetail: ok }, { name: fs }]
      artifacts: ["arn:aws:s3:::bucket/key"]
      application: d-2
agent:
  stateDirectory: /state
  socket: /socket
  backend: unit
  adHoc: group
  keepRuns: 10d
  keepLogs: 20d
  http: { listen: "127.0.0.1:1", hosts: [a.example.com] }
log: { level: warn }
`);

  test('has its AWS settings', () => {
    const { aws } = every();
    expect(aws).toEqual({
      ...{ region: 'us-west-2', profile: 'migration', proxy: 'http://proxy:3128' },
      ...{ dataPipelineRegion: 'us-east-1' },
      endpoints: {
        ...{ migrationHub: 'https://a', migrationHubConfig: 'https://b' },
        dataPipeline: 'https://c',
      },
    });
  });

  test('has its destinations', () => {
    const { settings } = every();
    expect(settings.migrationHub).toEqual({
      ...{ region: 'eu-central-1', stream: 'acme', createStream: false },
      ...{ nextUpdateMs: 360_000, nextUpdateMaxMs: 7_200_000 },
      finalNextUpdateMs: 30 * 86_400_000,
    });
    expect(settings.dataPipeline).toEqual({
      ...{ workerGroups: ['files', 'more'], taskRunnerId: 'runner', concurrency: 3 },
      ...{ reportEveryMs: 50_000, windowMs: 840_000, onFence: 'continue' },
      ...{ heartbeatEveryMs: 780_000, onTerminate: 'stop' },
      activities: [
        { match: { type: 'A' }, job: 'copy', precondition: true },
        { match: { type: 'B' }, shell: true },
      ],
    });
  });

  test('has its job', () => {
    const { settings } = every();
    expect(settings.jobs.get('copy')).toEqual({
      ...{ name: 'copy', command: ['rsync', 'a', 'b'], environment: { A: 'b' } },
      ...{ workingDirectory: '/srv', user: 'root', autostart: true, waitFor: 'tree' },
      schedule: { cron: '0 2 * * *', timezone: 'UTC', missedStart: 'once' },
      progress: { parser: 'size', target: '/b', source: '/a' },
      ...{ stop: { signal: 'SIGINT', graceMs: 20_000 }, timeoutMs: 43_200_000 },
      ...{ stallAfterMs: 2_400_000, log: { sizeBytes: 1_000_000, files: 5 } },
      migrationHub: {
        ...{ task: '{host}-{job}', discoveredResource: 'd-1', application: 'd-2' },
        resourceAttributes: [{ type: 'FQDN', value: 'a.example.com' }],
        sourceResources: [{ name: 'db', description: 'it', statusDetail: 'ok' }, { name: 'fs' }],
        artifacts: ['arn:aws:s3:::bucket/key'],
      },
    });
  });

  test('has its agent, its log and its fleet', () => {
    const { agent, fleet, log, settings } = every();
    expect(agent).toEqual({
      ...{ stateDirectory: '/state', socket: '/socket', backend: 'unit', adHoc: 'group' },
      ...{ keepLogsMs: 20 * 86_400_000, httpHosts: ['a.example.com'] },
      httpListen: { host: '127.0.0.1', port: 1 },
    });
    expect(settings.keepRunsMs).toBe(10 * 86_400_000);
    expect(log).toEqual({ level: 'warn' });
    expect(fleet).toMatchObject({ redis: 'redis://r', account: 'prod', share: 0.5 });
  });
});

describe('the defaults', () => {
  const least = () =>
    loaded(
      'dataPipeline: { region: us-east-1, workerGroups: [g] }\nfleet: { redis: "redis://r" }\njobs: { a: { command: [x], schedule: "0 2 * * *" }, b: { command: [x], log: {} } }\n',
    );

  test('of Data Pipeline', () => {
    const { settings } = least();
    expect(settings.dataPipeline).toEqual({
      ...{ workerGroups: ['g'], concurrency: 4, reportEveryMs: 60_000, windowMs: 900_000 },
      ...{ onFence: 'stop', heartbeatEveryMs: 900_000, onTerminate: 'drain', activities: [] },
    });
  });

  test('of a job with a schedule, and of its log', () => {
    const { settings } = least();
    expect(settings.jobs.get('a')?.schedule).toEqual({ cron: '0 2 * * *', missedStart: 'skip' });
    expect(settings.jobs.get('a')).not.toHaveProperty('waitFor');
    expect(settings.jobs.get('a')).not.toHaveProperty('log');
    expect(settings.jobs.get('b')?.log).toEqual({ sizeBytes: 10_000_000, files: 3 });
    expect([defaultTask(true), defaultTask(false)]).toEqual(['{job}-{run}', '{job}']);
  });

  test('of a fleet, and of the agent', () => {
    const { fleet, settings } = least();
    expect(fleet).toMatchObject({ account: 'default', share: 0.1 });
    expect(settings.keepRunsMs).toBe(30 * 86_400_000);
  });
});

test('sizes of progress are bytes for the parsers that count', () => {
  expect(progressOf({ parser: 'dd', total: 5 })).toEqual({ parser: 'dd', totalBytes: 5 });
  expect(progressOf({ parser: 'tar', total: 5 })).toEqual({ parser: 'tar', totalBytes: 5 });
  expect(progressOf({ parser: 'tar' })).toEqual({ parser: 'tar' });
  expect(progressOf({ parser: 'pg_restore', archive: '/a' })).toEqual({
    ...{ parser: 'pg_restore', archive: '/a' },
  });
  expect(progressOf({ parser: 'pg_restore' })).toEqual({ parser: 'pg_restore' });
  expect(progressOf({ parser: 'size', target: '/b', total: 5 })).toEqual({
    ...{ parser: 'size', target: '/b', totalBytes: 5 },
  });
  expect(progressOf({ parser: 'rsync' })).toEqual({ parser: 'rsync' });
});

test('an empty variable is none, and of a list of directories the first counts', () => {
  expect(regionOfEnvironment({ AWS_REGION: 'a', AWS_DEFAULT_REGION: 'b' })).toBe('a');
  expect(regionOfEnvironment({ AWS_REGION: '', AWS_DEFAULT_REGION: 'b' })).toBe('b');
  expect(regionOfEnvironment({ AWS_DEFAULT_REGION: '' })).toBeUndefined();
  expect(stateDirectoryOfEnvironment({ STATE_DIRECTORY: '/a:/b' })).toBe('/a');
  expect(stateDirectoryOfEnvironment({ STATE_DIRECTORY: '' })).toBeUndefined();
  expect(stateDirectoryOfEnvironment({})).toBeUndefined();
  expect(socketOfEnvironment({ RUNTIME_DIRECTORY: '/a:/b' })).toBe('/a/agent.sock');
  expect(socketOfEnvironment({ RUNTIME_DIRECTORY: '' })).toBeUndefined();
  expect(socketOfEnvironment({})).toBeUndefined();
});
