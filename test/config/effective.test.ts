import { expect, test } from 'vitest';
import { describeEffective } from '../../src/config/effective.ts';
import { loadConfiguration } from '../../src/config/load.ts';

function rows(text: string, environment: Record<string, string> = {}) {
  const loaded = loadConfiguration({ file: 'a', text, environment, hostname: 'files01' });
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join());
  const effective = describeEffective(loaded.configuration);
  return new Map(effective.map(({ key, value, source }) => [key, `${source} ${value}`]));
}

test('every value is shown with its source', () => {
  const shown = rows(
    'aws: { endpoints: { migrationHub: "http://127.0.0.1:1" } }\ndataPipeline: { workerGroups: [a, "b c"], window: 10m, rates: { PollForTask: { perSecond: 1, burst: 2 } } }\nfleet: { redis: "redis://r" }\njobs: { j: { command: [x, "y z"] } }\nagent: { stateDirectory: /srv }\n',
    { AWS_REGION: 'us-east-1', STATE_DIRECTORY: '/var/lib/a' },
  );
  expect(Object.fromEntries(shown)).toMatchObject({
    'aws.region': 'environment us-east-1',
    'aws.endpoints.migrationHub': 'file http://127.0.0.1:1',
    'dataPipeline.region': 'environment us-east-1',
    'dataPipeline.workerGroups': 'file a "b c"',
    'dataPipeline.window': 'file 10m',
    'dataPipeline.reportEvery': 'default 60s',
    'dataPipeline.taskRunnerId': 'default made once, kept in the state directory',
    'dataPipeline.rates.PollForTask.perSecond': 'file 1',
    'dataPipeline.rates.SetTaskStatus.perSecond': 'default 10',
    'fleet.share': 'default 0.1',
    'jobs.j.command': 'file x "y z"',
    'jobs.j.stop.grace': 'default 30s',
    'agent.stateDirectory': 'environment /var/lib/a',
    'agent.socket': 'default /run/migration-agent/agent.sock',
    'log.level': 'default info',
  });
  expect([...shown.keys()].some((key) => key.startsWith('migrationHub'))).toBe(false);
});

test('no secret is shown', () => {
  const shown = rows(
    'aws: { proxy: "http://u:hunter2@proxy:1", profile: "${env:P}" }\nfleet: { redis: "redis://:hunter2@r" }\njobs:\n  a.b:\n    command: [mysql, -phunter2, --password, hunter2, "${env:P}"]\n    environment: { DB_PASSWORD: hunter2, API_KEY: hunter2, URL: "x://u:hunter2@h", LANG: C, P: "a-${env:P}" }\n',
    { P: 'hunter2' },
  );
  expect([...shown.values()].join('\n')).not.toContain('hunter2');
  expect(Object.fromEntries(shown)).toMatchObject({
    'aws.proxy': 'file http://u:***@proxy:1',
    'aws.profile': 'environment ${env:P}',
    'fleet.redis': 'file redis://:***@r',
    'jobs.a.b.command': 'environment mysql -p*** --password *** ${env:P}',
    'jobs.a.b.environment.DB_PASSWORD': 'file ***',
    'jobs.a.b.environment.API_KEY': 'file ***',
    'jobs.a.b.environment.URL': 'file x://u:***@h',
    'jobs.a.b.environment.LANG': 'file C',
    'jobs.a.b.environment.P': 'environment a-${env:P}',
  });
});

test('what is not in the file shows where it comes from', () => {
  const text =
    'migrationHub: { progressUpdateStream: s }\ndataPipeline: { workerGroups: [g] }\njobs:\n  a: { command: [x] }\n  b: { command: [x], schedule: "0 2 * * *" }\n  c: { command: [x], migrationHub: false }\n  d: { command: [x], migrationHub: { task: own } }\n';
  const shown = rows(`aws: { region: us-east-1 }\n${text}`, { AWS_REGION: 'eu-west-1' });
  expect(Object.fromEntries(shown)).toMatchObject({
    'aws.region': 'file us-east-1',
    'migrationHub.region': 'default the home region, asked from GetHomeRegion',
    'dataPipeline.region': 'default us-east-1',
    'migrationHub.progressUpdateStream': 'file s',
    'dataPipeline.rates.PollForTask.perSecond': 'default 2',
    'dataPipeline.rates.PollForTask.burst': 'default 100',
    'dataPipeline.rates.ReportTaskRunnerHeartbeat.perSecond': 'default 1',
    'jobs.a.migrationHub.task': 'default {job}',
    'jobs.b.migrationHub.task': 'default {job}-{run}',
    'jobs.c.migrationHub': 'file false',
    'jobs.d.migrationHub.task': 'file own',
    'agent.stateDirectory': 'default /var/lib/migration-agent',
  });
  for (const key of ['jobs.c.migrationHub.task', 'fleet.share', 'aws.profile', 'jobs.a.timeout']) {
    expect(shown.has(key)).toBe(false);
  }
  // An empty default list means only that nothing is configured.
  expect(shown.has('dataPipeline.activities')).toBe(false);
  expect(rows(text, { AWS_REGION: 'us-east-1' }).get('dataPipeline.region')).toBe(
    'environment us-east-1',
  );
});

test('a region of the profile says so', () => {
  const loaded = loadConfiguration({
    ...{ file: 'a', environment: {}, hostname: 'files01' },
    text: 'aws: { profile: p }\ndataPipeline: { workerGroups: [g] }\n',
    regionOfProfile: (profile) => (profile === 'p' ? 'us-east-1' : undefined),
  });
  if (!loaded.ok) throw new Error('the text of this test is wrong');
  const found = describeEffective(loaded.configuration).filter(({ key }) => key.endsWith('region'));
  expect(found).toEqual([
    { key: 'aws.region', value: 'us-east-1', source: 'profile' },
    { key: 'dataPipeline.region', value: 'us-east-1', source: 'profile' },
  ]);
});

test('budgets are shown before the share of a fleet is taken', () => {
  const shown = rows(
    'dataPipeline: { region: us-east-1, workerGroups: [g] }\nfleet: { share: 0.5 }\n',
  );
  expect(shown.get('dataPipeline.rates.PollForTask.burst')).toBe('default 100');
  expect(shown.get('fleet.share')).toBe('file 0.5');
});

test('lists of maps, empty lists and the directories of systemd', () => {
  const shown = rows(
    'dataPipeline: { region: us-east-1, workerGroups: [g], activities: [{ match: { type: A }, shell: true }, { match: {}, shell: true }] }\njobs: { a: { command: [x, "", "a\\tb"], migrationHub: { artifacts: [] } } }\n',
    { RUNTIME_DIRECTORY: '/run/a' },
  );
  expect(Object.fromEntries(shown)).toMatchObject({
    'dataPipeline.activities.0.match.type': 'file A',
    'dataPipeline.activities.0.shell': 'file true',
    'dataPipeline.activities.1.shell': 'file true',
    'jobs.a.command': 'file x "" "a\\tb"',
    'jobs.a.migrationHub.artifacts': 'file ',
    'agent.socket': 'environment /run/a/agent.sock',
  });
  expect(rows('log: {}\nagent: { socket: /s }\n').get('agent.socket')).toBe('file /s');
});

test('a variable of a job is hidden if its name says that it holds a secret', () => {
  const names =
    'PGPASSWORD MY_PWD SECRET AUTH_TOKEN CREDENTIALS PRIVATE AUTH API_KEY APIKEY ACCESSKEY KEY';
  const open = 'LANG MONKEY PATH';
  const all = `${names} ${open}`.split(' ');
  const shown = rows(
    `jobs: { a: { command: [x], environment: { ${all.map((name) => `${name}: v1`).join(', ')} } } }\n`,
  );
  const hidden = all.filter((name) => shown.get(`jobs.a.environment.${name}`) === 'file ***');
  expect(hidden).toEqual(names.split(' '));
});

test('what is written is shown as it is, whatever else could be derived', () => {
  const shown = rows(
    'migrationHub: { progressUpdateStream: s, region: eu-west-1 }\ndataPipeline: { region: us-east-1, workerGroups: [g], taskRunnerId: r }\n',
    { AWS_REGION: 'us-west-2' },
  );
  expect(Object.fromEntries(shown)).toMatchObject({
    'migrationHub.region': 'file eu-west-1',
    'dataPipeline.region': 'file us-east-1',
    'dataPipeline.taskRunnerId': 'file r',
    'aws.region': 'environment us-west-2',
  });
});
