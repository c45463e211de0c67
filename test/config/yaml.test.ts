/** YAML that people write: names keep their letters, and each mistake is reported with its key, its place and the remedy. */
import { describe, expect, test } from 'vitest';
import { loadConfiguration } from '../../src/config/load.ts';

function load(text: string): ReturnType<typeof loadConfiguration> {
  return loadConfiguration({ file: 'a', text, environment: {}, hostname: 'files01' });
}

function problems(text: string): string[] {
  const loaded = load(text);
  if (loaded.ok) return [];
  return loaded.problems.map((each) => `${each.line}:${each.column} ${each.key}: ${each.message}`);
}

const job = (lines: string): string =>
  `aws: { region: us-west-2 }\njobs:\n  copy:\n    command: [a]\n    ${lines}\n`;

describe('a mistake', () => {
  test.each([
    ['schedule: * * * * *', '5:15 jobs.copy.schedule: ', 'quotes'],
    ['schedule: */5 * * * *', '5:19 jobs.copy.schedule: ', 'quotes'],
    ['migrationHub: { task: {host}-{job} }', '5:33 jobs.copy.migrationHub.task: ', 'quotes'],
    ['migrationHub:\n      task: {host}-{job}', '6:19 jobs.copy.migrationHub.task: ', 'quotes'],
    ['migrationHub: { task: {host} }', '5:27 jobs.copy.migrationHub.task: ', "'{host}'"],
    ['environment: { A: x, B: {host} }', '5:29 jobs.copy.environment.B: ', "'{host}'"],
    [
      'progress:\n      parser: regex\n      pattern: "\\d"',
      '7:17 jobs.copy.progress.pattern: ',
      'single quotes',
    ],
    [
      'progress: { parser: regex, pattern: "\\d+" }',
      '5:42 jobs.copy.progress.pattern: ',
      'single quotes',
    ],
    ['workingDirectory: "C:\\srv"', '5:26 jobs.copy.workingDirectory: ', 'single quotes'],
    ['workingDirectory: @a', '5:23 jobs.copy.workingDirectory: ', 'quotes'],
    ['workingDirectory: a: b', '5:23 jobs.copy.workingDirectory: ', 'quotes'],
    ['timeout: 1h\n    timeout: 2h', '6:5 jobs.copy.timeout: is written twice', 'line 5'],
    ['timeout: *none', '5:14 jobs.copy.timeout: ', 'anchor'],
  ])('%j names its key, its place and the remedy', (lines, begin, remedy) => {
    const [first = '', ...others] = problems(job(lines));
    expect(others).toEqual([]);
    expect(first).toContain(remedy);
    expect(first.slice(0, begin.length)).toBe(begin);
  });

  test.each([
    [
      'jobs: { a: { command: [b] } }\n---\njobs: {}\n',
      '2:1 (yaml): the file holds several documents',
    ],
    ['jobs:\n  a:\n\tcommand: [b]\n', '3:1 (yaml): a tab indents the line'],
    [
      'jobs: { a: { command: [@b] } }\n',
      '1:24 jobs.a.command: text cannot begin with this character',
    ],
    [
      'jobs: { a: { command: [sh, -c, %b] } }\n',
      '1:32 jobs.a.command: text cannot begin with this character',
    ],
    [
      'jobs: { a: { command: [sh, -c, echo a: b] } }\n',
      '1:32 jobs.a.command.2: expected text, found a map',
    ],
    [
      'agent: { http: { listen: 9464 } }\njobs: {}\n',
      '1:26 agent.http.listen: a port without a host',
    ],
    [
      'dataPipeline: { region: us-east-1, workerGroups: [a], concurrency: 010 }\njobs: {}\n',
      '1:68 dataPipeline.concurrency: 010 is 10 in YAML 1.2 and an octal number',
    ],
  ])('%j', (text, message) => {
    expect(problems(text)[0]).toContain(message);
  });
});

test('names and other text keep their letters', () => {
  const loaded = load(`dataPipeline:
  region: us-east-1
  workerGroups: [007, 1e3, 2024-01-02, true, 0x1F, Files]
migrationHub: { progressUpdateStream: 0042 }
jobs:
  0042: { command: [a, 0777, 1e3, yes], user: 0012, environment: { A: 08 } }
  1e3: { command: [a], migrationHub: { application: 0012 } }
  true: { command: [a] }
  2024-01-02: { command: [a] }
  0x1F: { command: [a] }
  007: { command: [a] }
  7: { command: [a] }
`);
  expect(loaded.ok ? [] : loaded.problems).toEqual([]);
  if (!loaded.ok) return;
  const { dataPipeline, jobs, migrationHub } = loaded.configuration.settings;
  expect([...jobs.keys()]).toEqual(
    expect.arrayContaining(['0042', '1e3', 'true', '2024-01-02', '0x1F', '007', '7']),
  );
  expect(jobs.get('0042')).toMatchObject({
    command: ['a', '0777', '1e3', 'yes'],
    environment: { A: '08' },
  });
  expect(dataPipeline?.workerGroups).toEqual(['007', '1e3', '2024-01-02', 'true', '0x1F', 'Files']);
  expect(migrationHub?.stream).toBe('0042');
  expect(jobs.get('1e3')?.migrationHub).toMatchObject({ application: '0012' });
});

test.each([
  ['a byte order mark and CRLF', '\ufeffjobs:\r\n  a:\r\n    command: [b]\r\n'],
  [
    'anchors and merge keys',
    'jobs:\n  a: &a { command: [b], timeout: 1h }\n  c: { <<: *a, timeout: 2h }\n',
  ],
  ['one document with its mark', '---\njobs: { a: { command: [b] } }\n'],
])('%s', (_what, text) => {
  expect(problems(text)).toEqual([]);
});
