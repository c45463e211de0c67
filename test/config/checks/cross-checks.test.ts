/** What does not fit together, each rule on both sides of its limit, by what is written and by what is the default. */
import { describe, expect, test } from 'vitest';
import { crossChecks } from '../../../src/config/checks/cross-checks.ts';

const check = (tree: unknown, region?: string): string[] =>
  crossChecks(tree, { region, hostname: 'files01' }).map(
    ({ path, message }) => `${path.join('.')}: ${message}`,
  );
const pipeline = (over: object): object => ({
  dataPipeline: { region: 'us-east-1', workerGroups: ['g'], ...over },
});

test('an empty file, or what is no map, is the business of the schema', () => {
  for (const tree of [null, {}, [], 'text', { jobs: [] }, { dataPipeline: null, fleet: null }]) {
    expect(check(tree)).toEqual([]);
  }
});

describe('the promise', () => {
  test.each([
    [{ nextUpdate: '1h' }, []],
    [{ nextUpdate: '61m' }, ['migrationHub.nextUpdate: must not be longer than nextUpdateMax']],
    [{ nextUpdateMax: '5m' }, []],
    [{ nextUpdateMax: '4m' }, ['migrationHub.nextUpdateMax: must not be shorter than nextUpdate']],
    [
      { nextUpdate: '2m', nextUpdateMax: '1m' },
      ['migrationHub.nextUpdate: must not be longer than nextUpdateMax'],
    ],
    [{ nextUpdate: '2m', nextUpdateMax: '2m' }, []],
    // What cannot be read is reported by the schema.
    [{ nextUpdate: '2h', nextUpdateMax: 'soon' }, []],
    [{ nextUpdate: 'late', nextUpdateMax: '1s' }, []],
    [{ nextUpdate: '2h', nextUpdateMax: '0s' }, []],
    [{ nextUpdate: 7200 }, []],
  ])('%j: %j', (migrationHub, found) => {
    expect(check({ migrationHub })).toEqual(found);
  });
});

describe('Data Pipeline', () => {
  test('needs a region, from wherever', () => {
    const tree = { dataPipeline: { workerGroups: ['g'] } };
    const missing =
      'dataPipeline.region: is missing: write it here or as aws.region, set AWS_REGION, or give the profile a region';
    expect(check(tree)).toEqual([missing]);
    expect(check(tree, 'us-east-1')).toEqual([]);
    expect(check({ ...tree, aws: { region: 'us-east-1' } })).toEqual([]);
    expect(check(pipeline({}))).toEqual([]);
  });

  test.each([
    [{ reportEvery: '14m59s' }, []],
    [
      { reportEvery: '15m' },
      [
        'dataPipeline.reportEvery: must be shorter than window, or every task is given away before its next report',
      ],
    ],
    [{ window: '61s' }, []],
    [
      { window: '60s' },
      [
        'dataPipeline.window: must be longer than reportEvery, or every task is given away before its next report',
      ],
    ],
    [{ reportEvery: '20m', window: '21m' }, []],
    [{ reportEvery: 'x', window: '1s' }, []],
    [{ reportEvery: '1h', window: 'x' }, []],
  ])('reports within the window, %j: %j', (over, found) => {
    expect(check(pipeline(over))).toEqual(found);
  });

  test('names each worker group once', () => {
    expect(check(pipeline({ workerGroups: ['a', 'b', 'a', 5, 5, 'a'] }))).toEqual([
      'dataPipeline.workerGroups.2: "a" is named twice',
      'dataPipeline.workerGroups.5: "a" is named twice',
    ]);
  });
});

describe('an activity', () => {
  const jobs = { 'nightly-files': { command: ['x'] } };
  const of = (rule: unknown, tree: object = { jobs }): string[] =>
    check({ ...tree, ...pipeline({ activities: [{ job: 'nightly-files' }, rule] }) });

  test.each<[unknown, readonly string[]]>([
    [{ shell: true }, []],
    [{ job: 'nightly-files' }, []],
    ['text', []],
    [null, []],
    [{ job: 5 }, []],
    [{}, ['dataPipeline.activities.1: needs job: NAME, or shell: true']],
    [
      { job: 'nightly-files', shell: true },
      ['dataPipeline.activities.1.shell: job is written too: keep one of the two'],
    ],
    [
      { job: 'nightly-file' },
      [
        'dataPipeline.activities.1.job: no job of this name under jobs; did you mean "nightly-files"?',
      ],
    ],
    [
      { job: 'x' },
      ['dataPipeline.activities.1.job: no job of this name under jobs; known: nightly-files'],
    ],
  ])('%j: %j', (rule, found) => {
    expect(of(rule)).toEqual(found);
  });

  test('of a file without jobs says so', () => {
    expect(of({ job: 'x' }, {})).toContain(
      'dataPipeline.activities.1.job: no job of this name under jobs; there are none',
    );
  });
});

test.each([
  [{}, ["fleet.share: is missing: this host's part of each budget, such as 0.1 for ten hosts"]],
  [{ share: 0.1 }, []],
  [{ redis: 'redis://r' }, []],
])('a fleet %j: %j', (fleet, found) => {
  expect(check({ fleet })).toEqual(found);
});

describe('a job', () => {
  const of = (job: object, name = 'a'): string[] => check({ jobs: { [name]: job } });

  test.each<[object, readonly string[]]>([
    [{ parser: 'size', source: '/a' }, []],
    [{ parser: 'size', total: '1 GB' }, []],
    [
      { parser: 'size' },
      ['jobs.a.progress: needs source: PATH or total: SIZE, or there is nothing to compare with'],
    ],
    [
      { parser: 'size', source: '/a', total: '1 GB' },
      ['jobs.a.progress.total: source is written too: keep one of the two'],
    ],
    [{ parser: 'dd' }, []],
    [{ parser: 'dd', source: '/a', total: '1 GB' }, []],
  ])('with progress %j: %j', (progress, found) => {
    expect(of({ progress })).toEqual(found);
  });

  test('has a legal name', () => {
    expect(of({}, 'a.b_c-1')).toEqual([]);
    expect(of({}, 'a b')).toHaveLength(1);
    expect(of({}, 'a b')[0]).toContain('jobs.a b: expected a name of 1 to 128');
  });

  test('becomes a task name that Migration Hub takes', () => {
    const task = (letters: number) => ({ migrationHub: { task: `${'t'.repeat(letters)}{run}` } });
    expect(of(task(246))).toEqual([]);
    expect(of(task(247))).toEqual([
      'jobs.a.migrationHub.task: becomes a name of up to 257 characters; 256 at most',
    ]);
    expect(of({ migrationHub: { task: `${'t'.repeat(250)}{host}` } })).toHaveLength(1);
  });
});
