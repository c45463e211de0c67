/** The order of jobs on every screen: what needs attention, then the least slack, then the latest end. */
import { describe, expect, test } from 'vitest';
import {
  CONDITIONS,
  byAttention,
  countByCondition,
  hasCondition,
  needsAttention,
} from '../../../src/core/operator/attention.ts';
import type { JobStatus } from '../../../src/core/model/status.ts';

type Over = Partial<JobStatus> & { readonly slack?: number; readonly refused?: true };

function job(name: string, { slack, refused, ...over }: Over = {}): JobStatus {
  const delivery = refused === true ? 'refused' : 'pending';
  const migrationHub = {
    task: name,
    delivery,
    ...(slack === undefined ? {} : { slackSeconds: slack }),
  };
  const destinations = slack === undefined && refused === undefined ? {} : { migrationHub };
  return { name, state: 'running', destinations, ...over } as JobStatus;
}

const names = (jobs: readonly JobStatus[]): string[] => byAttention(jobs).map(({ name }) => name);

test('what failed comes before what runs, what runs before what has ended well, the rest last', () => {
  const jobs = [
    ...[job('idle', { state: 'idle' }), job('queued', { state: 'queued' })],
    ...[job('done', { state: 'succeeded' }), job('running'), job('fenced', { state: 'fenced' })],
    ...[job('refused', { refused: true }), job('stalled', { stalled: true })],
    ...[job('failed', { state: 'failed' }), job('lost', { state: 'lost' })],
  ];
  expect(names(jobs)).toEqual([
    ...['lost', 'failed', 'fenced', 'stalled', 'refused', 'running', 'done', 'idle', 'queued'],
  ]);
  expect(jobs.map(({ name }) => name)[0]).toBe('idle');
});

test('processes that outlived SIGKILL are as bad as a lost run', () => {
  const left = job('left', { state: 'canceled', cancelIncomplete: true });
  expect(names([job('failed', { state: 'failed' }), left])).toEqual(['left', 'failed']);
  expect(needsAttention(left)).toBe(true);
  expect(needsAttention(job('canceled', { state: 'canceled' }))).toBe(false);
});

test('of what runs the least slack is first, of either destination, whatever its state', () => {
  const two = job('two', { slack: 90 });
  const dataPipeline = { taskId: 't', delivery: 'pending', slackSeconds: 5 };
  const both = {
    ...two,
    name: 'both',
    destinations: { ...two.destinations, dataPipeline },
  } as JobStatus;
  const jobs = [
    ...[job('none'), two, job('one', { slack: 10, state: 'starting' })],
    ...[both, job('stopping', { slack: 50, state: 'canceling' })],
  ];
  expect(names(jobs)).toEqual(['both', 'one', 'stopping', 'two', 'none']);
});

test('of what has ended the latest is first; of what is to start the next', () => {
  const ended = (name: string, day: number, state: JobStatus['state']) =>
    job(name, { state, endedAt: `2026-01-0${day}T00:00:00.000Z`, slack: 1 });
  expect(names([ended('old', 1, 'canceled'), ended('new', 2, 'succeeded')])).toEqual([
    'new',
    'old',
  ]);
  const next = (name: string, day: number) =>
    job(name, { state: 'idle', nextStartAt: `2026-01-0${day}T00:00:00.000Z` });
  expect(names([job('never', { state: 'idle' }), next('late', 2), next('soon', 1)])).toEqual([
    ...['soon', 'late', 'never'],
  ]);
  // A run that goes on counts by its own deadline.
  const running = { ...next('x', 1), state: 'running', startedAt: '2026-01-01T00:00:00.000Z' };
  expect(names([running as JobStatus, job('slack', { slack: 1 })])).toEqual(['slack', 'x']);
});

describe('conditions', () => {
  test('more than one may hold', () => {
    const both = job('a', { state: 'failed', refused: true });
    expect(CONDITIONS.filter((condition) => hasCondition(both, condition))).toEqual([
      'failed',
      'refused',
    ]);
  });

  test('only a running job is stalled', () => {
    expect(hasCondition(job('a', { stalled: true }), 'stalled')).toBe(true);
    expect(hasCondition(job('a', { stalled: false }), 'stalled')).toBe(false);
    expect(hasCondition(job('a', { stalled: true, state: 'failed' }), 'stalled')).toBe(false);
  });

  test('of the pipeline a refusal counts as well', () => {
    const destinations = { dataPipeline: { taskId: 't', delivery: 'refused' } };
    expect(hasCondition({ ...job('a'), destinations } as JobStatus, 'refused')).toBe(true);
  });

  test('each job is counted once, by what it is shown for, in the order of attention', () => {
    const jobs = [
      ...[job('a'), job('b'), job('c', { state: 'failed', refused: true })],
      job('d', { state: 'idle' }),
    ];
    expect(countByCondition(jobs)).toEqual([
      ['failed', 1],
      ['running', 2],
      ['idle', 1],
    ]);
    expect(countByCondition([])).toEqual([]);
  });

  test.each(CONDITIONS)('%s', (condition) => {
    const over: Over =
      condition === 'stalled'
        ? { stalled: true }
        : condition === 'refused'
          ? { refused: true }
          : { state: condition };
    const place = CONDITIONS.indexOf(condition);
    expect(needsAttention(job('a', over))).toBe(place < CONDITIONS.indexOf('canceling'));
  });
});
