import { expect, test } from 'vitest';
import type { AgentConfiguration, Configuration } from '../../src/config/build/configuration.ts';
import { loadConfiguration } from '../../src/config/load.ts';
import { planReload } from '../../src/config/reload.ts';

function load(text: string): Configuration {
  const loaded = loadConfiguration({ file: 'a', text, environment: {}, hostname: 'files01' });
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join());
  return loaded.configuration;
}

const HUB = 'migrationHub: { progressUpdateStream: s }\n';
const PIPELINE = 'dataPipeline: { region: us-east-1, workerGroups: [g] }\n';

test('nothing changed: nothing needs a restart', () => {
  const running = load(HUB + PIPELINE);
  const { configuration, needsRestart } = planReload(running, load(HUB + PIPELINE));
  expect(needsRestart).toEqual([]);
  expect(configuration).toEqual(running);
});

test('jobs, rates, intervals, activities and the log level apply at once', () => {
  const running = load(HUB + PIPELINE);
  const loaded = load(
    'migrationHub: { progressUpdateStream: s, nextUpdate: 10m, rate: { perSecond: 2, burst: 3 } }\ndataPipeline: { region: us-east-1, workerGroups: [g, h], reportEvery: 30s, activities: [{ match: {}, job: a }] }\nfleet: { share: 0.5 }\njobs: { a: { command: [x] } }\nlog: { level: debug }\n',
  );
  const { configuration, needsRestart } = planReload(running, loaded);
  expect(needsRestart).toEqual([]);
  expect(configuration).toEqual(loaded);
});

test('where the agent lives and whom it talks to wait for a restart', () => {
  const running = load(HUB + PIPELINE);
  const loaded = load(
    'aws: { region: us-west-2, profile: p, proxy: "http://p:1", endpoints: { migrationHub: "http://127.0.0.1:1" } }\nmigrationHub: { progressUpdateStream: t, region: eu-west-1, nextUpdate: 10m }\ndataPipeline: { region: eu-west-1, workerGroups: [g], taskRunnerId: r }\nfleet: { redis: "redis://r", share: 0.5 }\nagent: { stateDirectory: /s, socket: /r/s, http: { listen: "127.0.0.1:1" } }\n',
  );
  const { configuration, needsRestart } = planReload(running, loaded);
  expect(needsRestart).toEqual([
    'aws.region',
    'aws.profile',
    'aws.proxy',
    'aws.endpoints.migrationHub',
    'migrationHub.region',
    'migrationHub.progressUpdateStream',
    'dataPipeline.region',
    'dataPipeline.taskRunnerId',
    'fleet.redis',
    'agent.stateDirectory',
    'agent.socket',
    'agent.http.listen',
  ]);
  expect(configuration.aws).toEqual(running.aws);
  expect(configuration.agent).toEqual(running.agent);
  expect(configuration.settings.migrationHub).toEqual({
    ...running.settings.migrationHub,
    nextUpdateMs: 600_000,
  });
  expect(configuration.settings.dataPipeline).toEqual(running.settings.dataPipeline);
  expect(configuration.fleet).not.toHaveProperty('redis');
  expect(configuration.settings.rates).toEqual(loaded.settings.rates);
  expect(planReload(loaded, loaded).needsRestart).toEqual([]);
});

test('a destination comes and goes with a restart, and jobs speak to it until then', () => {
  const jobs = 'jobs: { a: { command: [x] }, b: { command: [y] } }\n';
  const none = load(`log: {}\n${jobs}`);
  const both = load(HUB + PIPELINE + jobs);

  const added = planReload(none, both);
  expect(added.needsRestart).toEqual(['migrationHub', 'dataPipeline']);
  expect(added.configuration.settings).not.toHaveProperty('migrationHub');
  expect(added.configuration.settings).not.toHaveProperty('dataPipeline');
  expect(added.configuration.settings.jobs.get('a')).not.toHaveProperty('migrationHub');

  const removed = planReload(both, none);
  expect(removed.needsRestart).toEqual(['migrationHub', 'dataPipeline']);
  expect(removed.configuration.settings.migrationHub).toEqual(both.settings.migrationHub);
  expect(removed.configuration.settings.dataPipeline).toEqual(both.settings.dataPipeline);
  expect(removed.configuration.settings.jobs.get('a')?.migrationHub?.task).toBe('{job}');
});

/** A new value for each key below `agent`; the compiler asks for one when a key is added. */
const OTHER_AGENT: Readonly<Record<keyof AgentConfiguration, string>> = {
  stateDirectory: 'stateDirectory: /s',
  socket: 'socket: /r/s',
  keepLogsMs: 'keepLogs: 3d',
  backend: 'backend: unit',
  adHoc: 'adHoc: off',
  httpHosts: 'http: { listen: "127.0.0.1:1", hosts: [files01.example.com] }',
  httpListen: 'http: { listen: "127.0.0.1:2" }',
};

test.each(Object.entries(OTHER_AGENT))(
  'a new agent.%s is in force after the reload, or is named as waiting for a restart',
  (key, text) => {
    const before = 'agent: { http: { listen: "127.0.0.1:1" } }';
    const http = text.startsWith('http:') ? '' : ', http: { listen: "127.0.0.1:1" }';
    const loaded = load(`agent: { ${text}${http} }`);
    const { configuration, needsRestart } = planReload(load(before), loaded);
    const read = (of: Configuration): unknown => of.agent[key as keyof AgentConfiguration];
    expect(read(loaded)).not.toEqual(read(load(before)));
    if (needsRestart.length === 0) expect(read(configuration)).toEqual(read(loaded));
    else expect(read(configuration)).toEqual(read(load(before)));
  },
);

test('a right that is taken back is taken back by a reload', () => {
  const { configuration, needsRestart } = planReload(
    load('agent: { adHoc: group }'),
    load('agent: { adHoc: off }'),
  );
  expect([configuration.agent.adHoc, needsRestart]).toEqual(['off', []]);
});

test('a region or stream of a destination that waits for a restart stays what it is, written or not', () => {
  const file = (region: string, stream: string): string =>
    `migrationHub: { progressUpdateStream: ${stream}${region} }\n`;
  const running = load(file(', region: us-west-2', 'old'));
  for (const region of ['', ', region: eu-central-1']) {
    const { configuration, needsRestart } = planReload(running, load(file(region, 'new')));
    expect(configuration.settings.migrationHub).toMatchObject({
      region: 'us-west-2',
      stream: 'old',
    });
    expect(needsRestart).toEqual(['migrationHub.region', 'migrationHub.progressUpdateStream']);
  }
  const { configuration } = planReload(
    load(file('', 'old')),
    load(file(', region: eu-west-1', 'new')),
  );
  expect(configuration.settings.migrationHub).not.toHaveProperty('region');
});

test('the name of the host is that of the start', () => {
  const running = load(HUB);
  const renamed = { ...running, settings: { ...running.settings, hostname: 'files02' } };
  expect(planReload(running, renamed).configuration.settings.hostname).toBe('files01');
});

test('a fleet in Redis: shares and rates change at once, Redis and the account wait for a restart', () => {
  const fleet = (text: string): string => `${HUB}fleet: { redis: "redis://r", ${text} }\n`;
  const running = load(fleet('account: a, share: 0.5'));
  const { configuration, needsRestart } = planReload(
    running,
    load(fleet('account: b, share: 0.2')),
  );
  expect(needsRestart).toEqual(['fleet.account']);
  expect(configuration.fleet).toMatchObject({ redis: 'redis://r', account: 'a', share: 0.2 });
  // Without the section the host has the whole budget to itself, and still asks Redis for it.
  const alone = planReload(running, load(HUB));
  expect(alone.needsRestart).toEqual(['fleet.redis', 'fleet.account']);
  expect(alone.configuration.fleet).toEqual({
    ...{ redis: 'redis://r', account: 'a', share: 1 },
    rates: load(HUB).settings.rates,
  });
  // The account has no meaning without Redis.
  expect(
    planReload(load(HUB), load(`${HUB}fleet: { share: 0.5, account: b }\n`)).needsRestart,
  ).toEqual([]);
});

test('a task runner keeps its id until a restart', () => {
  const withId = (id: string) =>
    load(`dataPipeline: { region: us-east-1, workerGroups: [g], taskRunnerId: ${id} }\n`);
  const { configuration, needsRestart } = planReload(withId('one'), withId('two'));
  expect(needsRestart).toEqual(['dataPipeline.taskRunnerId']);
  expect(configuration.settings.dataPipeline?.taskRunnerId).toBe('one');
});
