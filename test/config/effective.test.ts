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
