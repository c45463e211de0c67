import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Configuration } from '../../src/config/build/configuration.ts';
import { loadConfiguration, readConfiguration } from '../../src/config/load.ts';
import { formatProblem, formatWarning } from '../../src/config/lib/problem.ts';

const HUB = 'migrationHub: { progressUpdateStream: acme }\n';

function load(text: string, environment: Record<string, string> = {}) {
  return loadConfiguration({ file: 'a.yaml', text, environment, hostname: 'files01' });
}

function problems(text: string, environment: Record<string, string> = {}): string[] {
  const loaded = load(text, environment);
  return loaded.ok ? [] : loaded.problems.map((problem) => formatProblem('a.yaml', problem));
}

function warnings(text: string, environment: Record<string, string> = {}): string[] {
  return loaded(text, environment).warnings.map((each) => formatWarning('a.yaml', each));
}

function loaded(text: string, environment: Record<string, string> = {}): Configuration {
  const result = load(text, environment);
  if (!result.ok) throw new Error(result.problems.map((each) => formatProblem('a', each)).join());
  return result.configuration;
}

describe('common mistakes and the exact words for them', () => {
  const mistakes: readonly (readonly [string, string, readonly string[]])[] = [
    [
      'a misspelt key',
      'migrationHub:\n  progressUpdateStreem: acme\n',
      [
        'a.yaml:2:3 migrationHub.progressUpdateStreem: unknown key; did you mean "progressUpdateStream"?',
      ],
    ],
    [
      'a key in the wrong section',
      `${HUB}window: 15m\n`,
      ['a.yaml:2:1 window: unknown key; it belongs at dataPipeline.window'],
    ],
    [
      'a duration without a unit',
      `${HUB}jobs:\n  a:\n    command: [x]\n    stop:\n      grace: 30\n`,
      ['a.yaml:6:14 jobs.a.stop.grace: a number without a unit; write 30s or 30m'],
    ],
    [
      'a command as one text',
      `${HUB}jobs:\n  a:\n    command: rsync -a /a /b\n`,
      [
        'a.yaml:4:14 jobs.a.command: expected a list of words, as no shell reads it: [rsync, -a, /srv/a/, /srv/b/]; for a shell write [sh, -c, "…"]',
      ],
    ],
    [
      'yes for true',
      `${HUB}jobs:\n  a: { command: [x], autostart: yes }\n`,
      ['a.yaml:3:33 jobs.a.autostart: expected true or false, found "yes"; write true'],
    ],
    [
      'an activity for a job that there is not',
      'dataPipeline:\n  region: us-east-1\n  workerGroups: [g]\n  activities:\n    - match: { type: X }\n      job: nightly-file\njobs:\n  nightly-files: { command: [x] }\n',
      [
        'a.yaml:6:12 dataPipeline.activities.0.job: no job of this name under jobs; did you mean "nightly-files"?',
      ],
    ],
    [
      'a variable that is not set',
      `${HUB}jobs:\n  a:\n    command: [x]\n    environment: { PW: "\${env:DB_PW}" }\n`,
      [
        'a.yaml:5:24 jobs.a.environment.PW: the environment variable DB_PW is not set; set it for the agent (Environment= or EnvironmentFile= of its unit)',
      ],
    ],
    [
      'a key written twice',
      `${HUB}log: { level: info }\nlog: { level: debug }\n`,
      ['a.yaml:3:1 log: is written twice: first in line 2; keep one of them'],
    ],
    [
      'a wrong cron expression and time zone',
      `${HUB}jobs:\n  a:\n    command: [x]\n    schedule: "61 4 * * *"\n    timezone: Europe/Berlni\n`,
      [
        'a.yaml:5:15 jobs.a.schedule: expected a cron expression such as "0 4 * * *"; wrong: minute "61"',
        'a.yaml:6:15 jobs.a.timezone: "Europe/Berlni" is not a time zone; did you mean "Europe/Berlin"?',
      ],
    ],
    [
      'a section with all its keys commented out',
      'migrationHub:\n  # progressUpdateStream: acme\n',
      ['a.yaml:1:1 migrationHub: is empty: give it a value, or leave the key out'],
    ],
    [
      'no region for Data Pipeline',
      'dataPipeline: { workerGroups: [g] }\n',
      [
        'a.yaml:1:1 dataPipeline.region: is missing: write it here or as aws.region, set AWS_REGION, or give the profile a region',
      ],
    ],
    [
      'a colon in a task name, and a placeholder that there is not',
      `${HUB}jobs:\n  a: { command: [x], migrationHub: { task: "{host}:{job}" } }\n  b: { command: [x], migrationHub: { task: "{name}" } }\n`,
      [
        'a.yaml:3:44 jobs.a.migrationHub.task: ":" is not allowed in the name of a migration task',
        'a.yaml:4:44 jobs.b.migrationHub.task: {name} is not a placeholder; known: {job}, {run}, {host}, {date}',
      ],
    ],
    [
      'text with braces that is not in quotes',
      `${HUB}jobs:\n  a: { command: [x], user: \${env:U} }\n`,
      [
        "a.yaml:3:29 jobs.a.user: text that begins with { is a map in YAML: put the value in single quotes: '…'",
      ],
    ],
    [
      'a port alone to listen on',
      `${HUB}agent: { http: { listen: 9464 } }\n`,
      ['a.yaml:2:26 agent.http.listen: a port without a host; write 127.0.0.1:9464'],
    ],
  ];
  test.each(mistakes)('%s', (_, text, lines) => {
    expect(problems(text)).toEqual(lines);
  });
});

/** Each a fault of its own kind: the value of a key, and a part of what is said of it. */
const FAULTS: readonly (readonly [string, string])[] = [
  ['migrationHub: { progressUpdateStream: "a/b" }', 'must not hold / : |'],
  [`migrationHub: { progressUpdateStream: ${'x'.repeat(51)} }`, 'has 51 characters; 50 at most'],
  ['migrationHub: { progressUpdateStream: "" }', 'must not be empty'],
  ['migrationHub: { progressUpdateStream: s, nextUpdate: 2h }', 'longer than nextUpdateMax'],
  ['migrationHub: { progressUpdateStream: s, nextUpdateMax: 1m }', 'shorter than nextUpdate'],
  ['migrationHub: { progressUpdateStream: s, finalNextUpdate: 99999d }', '24855d3h14m7s at most'],
  ['migrationHub: { progressUpdateStream: s, nextUpdate: 0s }', 'one second at least'],
  ['migrationHub: { progressUpdateStream: s, nextUpdate: 1.5h }', 'expected a duration'],
  ['migrationHub: { progressUpdateStream: s, rate: { perSecond: 0, burst: 1 } }', 'more than 0'],
  ['migrationHub: { progressUpdateStream: s, rate: { perSecond: 1, burst: 0 } }', '1 at least'],
  [
    'migrationHub: { progressUpdateStream: s, rates: { PollForTask: { perSecond: 1, burst: 1 } } }',
    'unknown key',
  ],
  [
    'dataPipeline: { region: us-east-1, workerGroups: [g], rates: { PollForTasks: { perSecond: 1, burst: 1 } } }',
    'did you mean "PollForTask"?',
  ],
  ['dataPipeline: { region: us-east-1, workerGroups: [] }', 'one worker group at least'],
  ['dataPipeline: { region: us-east-1, workerGroups: [g, g] }', 'named twice'],
  [
    'dataPipeline: { region: us-east-1, workerGroups: ["a\\ab"] }',
    'must not hold control characters',
  ],
  [
    'dataPipeline: { region: us-east-1, workerGroups: [g], taskRunnerId: "\\uFFFF" }',
    'must not hold control characters',
  ],
  [
    `dataPipeline: { region: us-east-1, workerGroups: [${'g'.repeat(1025)}] }`,
    '1025 characters; 1024 at most',
  ],
  ['dataPipeline: { region: us-east-1, workerGroups: [g], taskRunnerId: "" }', 'must not be empty'],
  [
    'dataPipeline: { region: us-east-1, workerGroups: [g], reportEvery: 15m }',
    'shorter than window',
  ],
  ['dataPipeline: { region: us-east-1, workerGroups: [g], concurrency: 0 }', '1 at least'],
  ['dataPipeline: { region: us-east-1, workerGroups: [g], onFence: halt }', 'stop or continue'],
  [
    'dataPipeline: { region: us-east-1, workerGroups: [g], activities: [{ match: {}, shell: false }] }',
    'must be true, or left out',
  ],
  [
    'dataPipeline: { region: us-east-1, workerGroups: [g], activities: [{ match: {} }] }',
    'needs job: NAME, or shell: true',
  ],
  [
    'jobs: { j: { command: [x] } }\ndataPipeline: { region: us-east-1, workerGroups: [g], activities: [{ match: {}, job: j, shell: true }] }',
    'keep one of the two',
  ],
  ['fleet: { share: 1.5 }', '1 at most'],
  ['fleet: { share: 0 }', 'more than 0'],
  ['fleet: {}', 'fleet.share: is missing'],
  ['fleet: { redis: "http://x" }', 'redis://HOST:PORT'],
  ['aws: { region: us-west2 }', 'a region such as us-west-2'],
  ['aws: { endpoints: { dataPipeline: "localhost:80" } }', 'http://HOST:PORT'],
  ['agent: { stateDirectory: var/lib }', 'an absolute path'],
  [`agent: { socket: /${'s'.repeat(107)} }`, '107 bytes'],
  ['agent: { http: { listen: "127.0.0.1:99999" } }', 'expected HOST:PORT'],
  ['log: { level: trace }', 'expected debug, info, warn, error or fatal'],
  ['jobs: { "a b": { command: [x] } }', 'letters (A–Z, a–z), digits and'],
  ['jobs: { a: { command: [] } }', 'must name a program'],
  ['jobs: { a: { command: [x], environment: { A-B: c } } }', 'digits and underscores'],
  ['jobs: { a: { command: [x], workingDirectory: tmp } }', 'an absolute path'],
  ['jobs: { a: { command: [x], user: "a b" } }', 'the name of a user'],
  ['jobs: { a: { command: [x], progress: { parser: rsynk } } }', 'did you mean rsync?'],
  [
    'jobs: { a: { command: [x], progress: { parser: regex, pattern: "(" } } }',
    'not a regular expr',
  ],
  [
    'jobs: { a: { command: [x], progress: { parser: regex, pattern: "(?<done>1)" } } }',
    'done and t',
  ],
  ['jobs: { a: { command: [x], progress: { parser: size, target: /b } } }', 'needs source: PATH'],
  [
    'jobs: { a: { command: [x], progress: { parser: size, target: /b, source: /a, total: 1 GB } } }',
    'keep one of the two',
  ],
  ['jobs: { a: { command: [x], progress: { parser: size, target: /b, total: 5 XB } } }', 'a size'],
  ['jobs: { a: { command: [x], stop: { signal: SIGKILL } } }', 'expected SIGTERM, SIGINT'],
  ['jobs: { a: { command: [x], stop: { signal: TERM } } }', 'expected SIGTERM, SIGINT'],
  ['jobs: { a: { command: [x], migrationHub: true } }', 'expected false, or a map'],
  ['jobs: { a: { command: [x], migrationHub: { artifacts: [i-0123] } } }', 'arn:aws:s3:::bucket'],
  [
    'jobs: { a: { command: [x], migrationHub: { resourceAttributes: [{ type: FQDM, value: x }] } } }',
    'did you mean FQDN?',
  ],
  [
    'jobs: { a: { command: [x], migrationHub: { sourceResources: [{ description: x }] } } }',
    'sourceResources.0.name: is missing',
  ],
  [
    `jobs: { a: { command: [x], migrationHub: { task: "${'t'.repeat(250)}{host}" } } }`,
    'up to 257 characters; 256 at most',
  ],
];

test.each(FAULTS)('%s: %s', (text, message) => {
  const lines = problems(`${text}\n`);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain(message);
});

test('all problems are reported at once, in the order of the file', () => {
  const lines = problems(
    'aws: { region: x }\njobs:\n  "b d": { command: [] }\n  a: { command: [x], tiemout: 5 }\nlog: { level: 1 }\n',
  );
  expect(lines.map((line) => line.split(' ')[0])).toEqual([
    ...['a.yaml:1:16', 'a.yaml:3:3', 'a.yaml:3:21', 'a.yaml:4:22', 'a.yaml:5:15'],
  ]);
});

describe('YAML', () => {
  test('a fault of syntax has its place, and what stands before it is checked', () => {
    const lines = problems(`${HUB}log: { level: loud }\njobs:\n  a:\n    command: [x\n  b: {\n`);
    expect(lines[0]).toContain('a.yaml:2:15 log.level:');
    expect(lines[1]).toMatch(/^a\.yaml:\d+:\d+ jobs\.b: .*quotes/);
    expect(lines.join()).not.toContain('is missing');
  });

  test('an empty file, and a list for a file', () => {
    expect(problems('# nothing\n')[0]).toContain('a.yaml:1:1 (file): the file is empty');
    expect(problems('- a\n')[0]).toBe('a.yaml:1:1 (file): expected a map of keys, found a list');
  });

  test('anchors and merges work, and their errors are reported at their place in the file', () => {
    const text = `${HUB}jobs:\n  a: &base\n    command: [x]\n    timeout: 5m\n  b:\n    <<: *base\n    timeout: 1h\n`;
    const { jobs } = loaded(text).settings;
    expect(jobs.get('b')).toMatchObject({ command: ['x'], timeoutMs: 3_600_000 });
    expect(problems(text.replace('5m', 'soon'))[0]).toContain('a.yaml:5:14 jobs.a.timeout');
  });

  test('an alias of itself and a tree of aliases do no harm', () => {
    expect(problems('jobs: &j\n  a: *j\n')[0]).toContain('a.yaml:2:6 jobs.a: the anchor of *j');
    const laughs = Array.from({ length: 30 }, (_, n) =>
      n === 0 ? '  x0: &x0 [a]\n' : `  x${n}: &x${n} [*x${n - 1}, *x${n - 1}]\n`,
    );
    expect(problems(`jobs:\n${laughs.join('')}`).join()).toContain('too many aliases');
  });

  test('__proto__ is a key like any other', () => {
    expect(problems(`${HUB}__proto__: { log: 1 }\n`)[0]).toContain('2:1 __proto__: unknown key');
  });

  test('words are taken as they are written', () => {
    const text = `${HUB}jobs:\n  a:\n    command: [sleep, 60, 0777, 1.10, true, no]\n    environment: { PORT: 05432 }\n    user: 1000\n`;
    expect(loaded(text).settings.jobs.get('a')).toMatchObject({
      command: ['sleep', '60', '0777', '1.10', 'true', 'no'],
      environment: { PORT: '05432' },
      user: '1000',
    });
  });
});

describe('${env:NAME}', () => {
  test('fills in text, numbers and booleans', () => {
    const text = `aws: { proxy: "http://u:\${env:PW}@proxy:3128" }\ndataPipeline: { region: us-east-1, workerGroups: ["\${env:G}-\${env:N}"], concurrency: "\${env:N}" }\nmigrationHub: { progressUpdateStream: s, createStream: "\${env:B}" }\n`;
    const { aws, settings } = loaded(text, { PW: 'x', G: 'files', N: '7', B: 'false' });
    expect(aws.proxy).toBe('http://u:x@proxy:3128');
    expect(settings.dataPipeline).toMatchObject({ workerGroups: ['files-7'], concurrency: 7 });
    expect(settings.migrationHub?.createStream).toBe(false);
    expect(problems(text, { PW: 'x', G: 'f', N: 'many', B: 'false' })).toEqual([
      'a.yaml:2:86 dataPipeline.concurrency: expected a number, found what ${env:N} holds',
    ]);
  });

  test('what came from the environment is not shown, however wrong it is', () => {
    const environment = { S: `hunter2-${'x'.repeat(80)}` };
    const text =
      'aws: { region: "${env:S}", proxy: "${env:S}" }\nlog: { level: "${env:S}" }\njobs: { a: { command: [x], schedule: "${env:S}", timezone: "${env:S}", user: "$${env:S}", migrationHub: { artifacts: ["${env:S}"] } } }\n';
    const lines = problems(text, environment);
    expect(lines).toHaveLength(7);
    expect(lines.join('\n')).not.toContain('hunter2');
  });

  test('a name that is none is a problem', () => {
    expect(problems(`${HUB}aws: { profile: "\${env:A B}" }\n`)[0]).toContain(
      'expected ${env:NAME}',
    );
  });
});

describe('defaults', () => {
  test('the least configuration is complete', () => {
    const { settings, aws, agent, log, fleet } = loaded(
      `${HUB}jobs:\n  a: { command: [x] }\n  b: { command: [x], schedule: "0 4 * * *" }\n  c: { command: [x], migrationHub: false }\n`,
    );
    expect(settings.migrationHub).toEqual({
      stream: 'acme',
      createStream: true,
      nextUpdateMs: 300_000,
      nextUpdateMaxMs: 3_600_000,
      finalNextUpdateMs: 365 * 86_400_000,
    });
    expect(settings.dataPipeline).toBeUndefined();
    expect(settings.hostname).toBe('files01');
    expect(settings.shellStop).toEqual({ signal: 'SIGTERM', graceMs: 30_000 });
    expect(settings.jobs.get('a')).toEqual({
      name: 'a',
      command: ['x'],
      environment: {},
      autostart: false,
      progress: { parser: 'none' },
      stop: { signal: 'SIGTERM', graceMs: 30_000 },
      migrationHub: { task: '{job}', resourceAttributes: [], sourceResources: [], artifacts: [] },
    });
    expect(settings.jobs.get('b')?.migrationHub?.task).toBe('{job}-{run}');
    expect(settings.jobs.get('c')).not.toHaveProperty('migrationHub');
    expect(aws).toEqual({ endpoints: {} });
    expect(agent).toEqual({
      stateDirectory: '/var/lib/migration-agent',
      socket: '/run/migration-agent/agent.sock',
      keepLogsMs: 30 * 86_400_000,
      backend: 'process',
      adHoc: 'self',
      httpHosts: [],
    });
    expect(log).toEqual({ level: 'info' });
    expect(fleet).toBeUndefined();
  });

  test('no job speaks to Migration Hub without its section', () => {
    const { settings } = loaded('log: {}\njobs: { a: { command: [x] } }\n');
    expect(settings.jobs.get('a')).not.toHaveProperty('migrationHub');
  });

  test('rates are complete: published limits, the rate of the Hub, and overrides', () => {
    const text =
      'migrationHub: { progressUpdateStream: s, rate: { perSecond: 2, burst: 20 }, rates: { NotifyMigrationTaskState: { perSecond: 5, burst: 10 } } }\ndataPipeline: { region: us-east-1, workerGroups: [g], rates: { PollForTask: { perSecond: 1, burst: 5 } } }\n';
    const { rates } = loaded(text).settings;
    expect(Object.keys(rates)).toHaveLength(14);
    expect(rates.GetHomeRegion).toEqual({ perSecond: 2, burst: 20 });
    expect(rates.NotifyMigrationTaskState).toEqual({ perSecond: 5, burst: 10 });
    expect(rates.PollForTask).toEqual({ perSecond: 1, burst: 5 });
    expect(rates.ReportTaskProgress).toEqual({ perSecond: 10, burst: 100 });
    expect(rates.SetTaskStatus).toEqual({ perSecond: 10, burst: 100 });
    expect(rates.ReportTaskRunnerHeartbeat).toEqual({ perSecond: 1, burst: 100 });
    expect(loaded(HUB).settings.rates.ImportMigrationTask).toEqual({ perSecond: 1, burst: 10 });
  });

  test('the share of a burst is rounded down, so that the hosts together stay within the budget', () => {
    const budget = (share: number): number =>
      loaded(
        `migrationHub: { progressUpdateStream: s, rate: { perSecond: 1, burst: 10 } }\nfleet: { share: ${share} }\n`,
      ).settings.rates.NotifyMigrationTaskState.burst;
    expect([0.25, 0.3, 0.19, 1].map(budget)).toEqual([2, 3, 1, 10]);
    // Less than one call at once would be none.
    expect(budget(0.05)).toBe(1);
  });

  test('a fleet takes its share off every budget, and keeps the whole for Redis', () => {
    const { settings, fleet } = loaded(`${HUB}fleet: { share: 0.05 }\n`);
    expect(settings.rates.PollForTask).toEqual({ perSecond: 0.1, burst: 5 });
    expect(settings.rates.NotifyMigrationTaskState).toEqual({ perSecond: 0.05, burst: 1 });
    expect(fleet?.rates.PollForTask).toEqual({ perSecond: 2, burst: 100 });
    const shared = loaded(`${HUB}fleet: { redis: "redis://10.0.0.5" }\n`);
    expect(shared.fleet).toMatchObject({ redis: 'redis://10.0.0.5', share: 0.1 });
    expect(shared.settings.rates.PollForTask).toEqual({ perSecond: 0.2, burst: 10 });
  });

  test('the environment gives regions and directories', () => {
    const text = `${HUB}dataPipeline: { workerGroups: [g] }\nagent: { stateDirectory: /srv/state }\n`;
    const { aws, agent } = loaded(text, {
      AWS_REGION: '',
      AWS_DEFAULT_REGION: 'eu-west-1',
      STATE_DIRECTORY: '/var/lib/a:/var/lib/b',
      RUNTIME_DIRECTORY: '/run/a',
    });
    expect(aws).toEqual({ endpoints: {}, region: 'eu-west-1', dataPipelineRegion: 'eu-west-1' });
    expect(agent).toMatchObject({ stateDirectory: '/var/lib/a', socket: '/run/a/agent.sock' });
    expect(
      loaded('log: {}\nagent: { socket: /s }', { RUNTIME_DIRECTORY: '/run/a' }).agent.socket,
    ).toBe('/s');
  });

  test('progress, addresses and sizes become values', () => {
    const text = `${HUB}agent: { http: { listen: "[::1]:9464" } }\njobs:\n  a: { command: [x], progress: { parser: size, target: /b, total: 10 GB } }\n  b: { command: [x], progress: { parser: size, target: /b, total: 4096 } }\n`;
    const { settings, agent } = loaded(text);
    expect(settings.jobs.get('a')?.progress).toEqual({
      parser: 'size',
      target: '/b',
      totalBytes: 10_000_000_000,
    });
    expect(settings.jobs.get('b')?.progress).toMatchObject({ totalBytes: 4096 });
    expect(agent.httpListen).toEqual({ host: '::1', port: 9464 });
  });
});

describe('warnings', () => {
  const PIPELINE = 'region: us-east-1, workerGroups: [g], activities: [{ match: {}, job: a }]';
  const JOBS = 'jobs: { a: { command: [x] } }\n';
  const risks: readonly (readonly [string, string])[] = [
    ['log: {}\n', 'a.yaml:1:1 (file): warning: has neither migrationHub nor dataPipeline'],
    ['migrationHub: { progressUpdateStream: s, nextUpdate: 30s }', 'shorter than 60s'],
    [
      `${JOBS}dataPipeline: { ${PIPELINE}, reportEvery: 90s }`,
      'reportEvery: warning: is longer than 60s',
    ],
    [`${JOBS}dataPipeline: { ${PIPELINE}, window: 2m }`, 'longer than a third of window (2m)'],
    [`${JOBS}dataPipeline: { ${PIPELINE}, window: 16m }`, 'window: warning: is longer than 15m'],
    [`${JOBS}dataPipeline: { ${PIPELINE}, heartbeatEvery: 16m }`, 'heartbeatEvery: warning'],
    [`${JOBS}dataPipeline: { ${PIPELINE}, onFence: continue }`, 'on two hosts at once'],
    [
      `${JOBS}dataPipeline: { ${PIPELINE}, rates: { PollForTask: { perSecond: 3, burst: 1 } } }`,
      'PollForTask.perSecond: warning: is above the published limit of the account (2)',
    ],
    [
      'dataPipeline: { region: us-east-1, workerGroups: [g], activities: [{ match: {}, shell: true }] }',
      'activities.0.shell: warning: anybody who may edit the pipeline',
    ],
    ['dataPipeline: { region: us-east-1, workerGroups: [g] }', 'activities: warning: is empty'],
    [
      `${HUB}fleet: { share: 0.05 }`,
      'fleet.share: warning: is less than one call of a burst of 10',
    ],
    [
      `${JOBS}dataPipeline: { ${PIPELINE.replace('us-east-1', 'eu-central-1')} }`,
      'not offered in eu',
    ],
    [
      `jobs: { a: { command: [x], stop: { grace: 8m } } }\ndataPipeline: { ${PIPELINE} }`,
      'a.yaml:1:43 jobs.a.stop.grace: warning: is longer than half',
    ],
    [
      `${HUB}jobs: { a: { command: [x], schedule: "30 2 * * *", timezone: Europe/Berlin } }`,
      'jobs.a.schedule: warning: the clocks of Europe/Berlin skip ',
    ],
    [
      `${HUB}jobs: { a: { command: [x], schedule: "0 2 1 * 1", timezone: UTC } }`,
      'jobs.a.schedule: warning: starts only on days that match both the day of month and the weekday; crontab',
    ],
    [
      `${HUB}jobs: { a: { command: [sh, -c, "nice rsync -aP a b"], progress: { parser: rsync } } }`,
      'jobs.a.progress: warning: rsync prints its progress only with --info=progress2',
    ],
    [
      `${HUB}jobs: { a: { command: [rsync, -aP, a, b], progress: { parser: percent } } }`,
      'single files',
    ],
    [
      `${HUB}jobs: { a: { command: [cp, a, b], progress: { parser: auto } } }`,
      'no known program in the command',
    ],
    [`${HUB}jobs: { a: { command: [rsync, a, "~/b"] } }`, 'command.2: warning: "~/b"'],
    [`${HUB}jobs: { a: { command: ["rsync -a"] } }`, 'one word with spaces'],
    [`${HUB}jobs: { a: { command: [rsync, a], progress: { parser: rsync } } }`, '--info=progress2'],
    [`${HUB}agent: { http: { listen: "0.0.0.0:9464" } }`, 'reachable from other hosts'],
    [
      `${HUB}jobs: { a: { command: [x] }, b: { command: [x], migrationHub: { task: a } } }`,
      'is also the task of job a',
    ],
  ];
  test("a schedule without timezone: the host's zone by TZ, or a problem", () => {
    const text = `${HUB}jobs: { a: { command: [x], schedule: "30 3 * * *" } }`;
    expect(warnings(text, { TZ: ':Europe/Helsinki' })[0]).toContain('clocks of Europe/Helsinki');
    expect(warnings(text, { TZ: 'UTC' })).toEqual([]);
    expect(warnings(text, { TZ: 'Nowhere/City' })[0]).toMatch(/TZ=Nowhere\/City .*set timezone/);
  });

  test.each(risks)('%s: %s', (text, message) => {
    const lines = warnings(text);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(message);
  });

  test('there are none where there is no risk', () => {
    const text = `${HUB}${JOBS}dataPipeline: { ${PIPELINE} }\n`;
    expect(warnings(text)).toEqual([]);
    expect(
      warnings(`${HUB}jobs: { a: { command: [x], schedule: "0 2 * * *", timezone: UTC } }`),
    ).toEqual([]);
    const elsewhere = text.replace('us-east-1', 'eu-central-1');
    expect(warnings(elsewhere, { AWS_ENDPOINT_URL_DATA_PIPELINE: 'http://127.0.0.1:1' })).toEqual(
      [],
    );
  });
});

test('a file that cannot be read is a problem with its remedy', async () => {
  const missing = await readConfiguration('/nonexistent/config.yaml', {}, 'h');
  expect(missing).toEqual({
    ok: false,
    problems: [
      {
        ...{ line: 1, column: 1, key: '(file)' },
        message:
          'there is no such file; write one (config/minimal.yaml shows the least), or name it with --config FILE or MIGRATION_AGENT_CONFIG',
      },
    ],
  });
  const directory = await readConfiguration('/', {}, 'h');
  expect(directory).toMatchObject({
    problems: [{ message: 'is a directory; name the file in it' }],
  });
});

test('a file that is not text, or that cannot be reached, is a problem as well', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'migration-agent-load-'));
  try {
    const file = join(directory, 'config.yaml');
    writeFileSync(file, Buffer.from([0x61, 0xff, 0x0a]));
    expect(await readConfiguration(file, {}, 'h')).toMatchObject({
      problems: [{ key: '(file)', message: 'is not UTF-8; save it in this encoding' }],
    });
    expect(await readConfiguration(join(file, 'below'), {}, 'h')).toMatchObject({
      problems: [{ message: expect.stringMatching(/^cannot be read: ENOTDIR/) as string }],
    });
    writeFileSync(file, 'aws: { region: us-east-1 }\ndataPipeline: { workerGroups: [g] }\n');
    const found = await readConfiguration(file, {}, 'h');
    expect(found).toMatchObject({ ok: true, configuration: { settings: { hostname: 'h' } } });
    expect(found.ok && found.placeOf(['dataPipeline', 'workerGroups', 0])).toEqual({
      ...{ line: 2, column: 32 },
    });
    expect(found.ok && found.placeOf(['dataPipeline', 'workerGroups'])).toEqual({
      ...{ line: 2, column: 17 },
    });
    expect(found.ok && found.placeOf(['dataPipeline', 'none'])).toEqual({ line: 2, column: 1 });
  } finally {
    rmSync(directory, { recursive: true });
  }
});

describe('the region of a profile', () => {
  const asked: (string | undefined)[] = [];
  const regions = (text: string, environment: Record<string, string> = {}) => {
    asked.length = 0;
    const regionOfProfile = (profile: string | undefined): string | undefined => {
      asked.push(profile);
      return profile === 'none' ? undefined : 'eu-west-1';
    };
    const result = loadConfiguration({
      ...{ file: 'a', text, environment, hostname: 'h', regionOfProfile },
    });
    return result.ok ? result.configuration.aws.region : result.problems.map(({ key }) => key);
  };

  test('counts if nothing else names one', () => {
    expect([regions('log: {}'), asked]).toEqual(['eu-west-1', [undefined]]);
    expect([regions('aws: { profile: p }'), asked]).toEqual(['eu-west-1', ['p']]);
    expect(regions('aws: { profile: none }')).toBeUndefined();
    expect([regions('aws: { region: us-east-1, profile: p }'), asked]).toEqual(['us-east-1', []]);
    expect([regions('log: {}', { AWS_REGION: 'us-west-2' }), asked]).toEqual(['us-west-2', []]);
    expect(regions('dataPipeline: { workerGroups: [g] }')).toBe('eu-west-1');
    expect(regions('aws: { profile: none }\ndataPipeline: { workerGroups: [g] }')).toEqual([
      'dataPipeline.region',
    ]);
  });
});

test('a key that is missing because it is misspelt is one problem; another that is missing is another one', () => {
  expect(problems('jobs:\n  a: { comand: [x] }\n')).toEqual([
    'a.yaml:2:8 jobs.a.comand: unknown key; did you mean "command"?',
  ]);
  expect(
    problems('jobs:\n  a: { comand: [x] }\n  b: {}\n').map((one) => one.split(' ')[1]),
  ).toEqual(['jobs.a.comand:', 'jobs.b.command:']);
});

test('what was filled in from the environment is converted if the key takes a number or a boolean', () => {
  const text = (value: string): string =>
    `migrationHub: { progressUpdateStream: s, createStream: "${value}", rate: { perSecond: "\${env:N}", burst: 1 } }\n`;
  const of = (value: string, environment: Record<string, string>) =>
    loaded(text(value), environment).settings;
  expect(of('${env:B}', { B: 'true', N: '0.5' })).toMatchObject({
    migrationHub: { createStream: true },
    rates: { GetHomeRegion: { perSecond: 0.5, burst: 1 } },
  });
  for (const wrong of ['1', 'yes', 'TRUE', '']) {
    expect(problems(text('${env:B}'), { B: wrong, N: '1' })).toHaveLength(1);
  }
  for (const wrong of ['', '1.', '-1', '1e3', 'x1']) {
    expect(problems(text('${env:B}'), { B: 'true', N: wrong })).toHaveLength(1);
  }
  // What is written as text stays text.
  expect(problems(text('true'), { N: '1' })).toHaveLength(1);
});

test('a number that looks octal is a problem where a number is meant, and a name elsewhere', () => {
  const text = (concurrency: string, stream: string): string =>
    `migrationHub: { progressUpdateStream: ${stream} }\ndataPipeline: { region: us-east-1, workerGroups: [007], concurrency: ${concurrency} }\n`;
  expect(problems(text('4', '010'))).toEqual([]);
  expect(problems(text('010', 's'))).toEqual([
    'a.yaml:2:70 dataPipeline.concurrency: 010 is 10 in YAML 1.2 and an octal number in YAML 1.1: leave out the zero in front',
  ]);
});

test('after a syntax error only what stands before it is reported, and nothing is missing', () => {
  const text = (first: string): string =>
    `${first}\nmigrationHub: {}\njobs: [x\nlog: { level: loud }\n`;
  const keys = (all: string[]) => all.map((one) => one.split(' ')[1]);
  expect(keys(problems(text('fleet: { share: 2 }')))[0]).toBe('fleet.share:');
  expect(problems(text('log: { level: info }')).join()).not.toMatch(/is missing|is empty|loud/);
});

test('what a task must match keeps its letters, and so does nothing else of an activity', () => {
  const text = (rule: string): string =>
    `dataPipeline: { region: us-east-1, workerGroups: [g], activities: [${rule}] }\n`;
  const { dataPipeline } = loaded(text('{ match: { name: 007, on: true }, shell: true }')).settings;
  expect(dataPipeline?.activities).toEqual([{ match: { name: '007', on: 'true' }, shell: true }]);
});
