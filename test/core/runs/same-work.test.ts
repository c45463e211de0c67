/** The same work never runs twice at once, whatever a reload has called it since (P3). */
import { describe, expect, test } from 'vitest';
import type { JobDefinition, Run } from '../../../src/core/model/job.ts';
import { SameWork, runsTheSame } from '../../../src/core/runs/same-work.ts';
import { PersistentState } from '../../../src/core/state/persistent-state.ts';
import { START, aRun } from '../../support/desk.ts';
import { definition, settings } from '../../support/settings.ts';

const COPY = { command: ['rsync', '-a', '/a', '/b'] };

function job(name: string, over: Partial<JobDefinition> = {}): JobDefinition {
  return definition(name, { ...COPY, ...over });
}

function run(name: string, over: Partial<Run> = {}): Run {
  return aRun({ job: name, id: `${name}/1`, definition: job(name), ...over });
}

function leased(name: string, instance: string, over: Partial<Run> = {}, pipelineId = 'df-1'): Run {
  const task = {
    ...{ taskId: 't', pipelineId, attemptId: 'a', instance, workerGroup: 'files' },
    ...{ windowMs: 1, receivedAt: START },
  };
  return run(name, { pipeline: { task, delivery: { state: 'pending' } }, ...over });
}

/** The configuration has `names`, the state has the runs. */
function workOf(names: readonly string[], ...runs: Run[]) {
  const state = new PersistentState();
  for (const one of runs) state.recoverRun(one);
  const holder = { current: settings({ jobs: new Map(names.map((name) => [name, job(name)])) }) };
  return { work: new SameWork({ state, settings: holder }), state, holder };
}

describe('the same work', () => {
  test.each<[Partial<JobDefinition>, boolean]>([
    [{}, true],
    [{ timeoutMs: 5, progress: { parser: 'rsync' } }, true],
    [{ command: ['rsync', '-a', '/a', '/c'] }, false],
    [{ environment: { A: 'b' } }, false],
    [{ workingDirectory: '/srv' }, false],
    [{ user: 'migrator' }, false],
  ])('is the same program, run in the same way: %j', (over, expected) => {
    expect(runsTheSame(job('a'), job('b', over))).toBe(expected);
  });
});

describe('a live run under a name that the configuration has no more', () => {
  test('holds the job that does the same now', () => {
    const old = run('old');
    const { work } = workOf(['new'], old);
    expect(work.runningAs(job('new'))).toBe(old);
    expect(work.holderOf(run('new', { state: 'queued' }))).toBe(old);
    expect(work.runningAs(job('new', { user: 'other' }))).toBeUndefined();
  });

  test('a run that waits under a name that is gone again waits for the one under the present name', () => {
    const [present, waiting] = [run('present'), run('gone', { state: 'queued' })];
    const { work } = workOf(['present'], present, waiting);
    expect(work.holderOf(waiting)).toBe(present);
    present.state = 'failed';
    expect(work.holderOf(waiting)).toBeUndefined();
    expect(work.waitingFor(present)).toEqual([waiting]);
  });

  test.each<[string, readonly string[], Partial<Run>]>([
    ['the name is still configured', ['new', 'old'], {}],
    ['it is only queued', ['new'], { state: 'queued' }],
    ['it was run ad hoc', ['new'], { origin: 'ad-hoc' }],
    ['somebody else runs it', ['new'], { definition: job('old', { tracked: { by: 'report' } }) }],
    ['it has ended', ['new'], { state: 'failed' }],
  ])('holds nothing if %s', (_what, names, over) => {
    expect(workOf(names, run('old', over)).work.runningAs(job('new'))).toBeUndefined();
  });

  test('no longer when it has ended, and from when the names changed', () => {
    const old = run('old');
    const { holder, work } = workOf(['old', 'new'], old);
    expect(work.runningAs(job('new'))).toBeUndefined();
    holder.current = settings({ jobs: new Map([['new', job('new')]]) });
    work.settingsChanged();
    expect(work.runningAs(job('new'))).toBe(old);
    old.state = 'failed';
    expect(work.runningAs(job('new'))).toBeUndefined();
    old.state = 'running';
    // It was let go of.
    expect(work.runningAs(job('new'))).toBeUndefined();
  });

  test('does not hold itself, nor an ad hoc run', () => {
    const { work } = workOf(['new'], run('old'));
    expect(work.runningAs(job('old'))).toBeUndefined();
    expect(work.holderOf(run('other', { origin: 'ad-hoc' }))).toBeUndefined();
  });

  test('a pipeline’s own command was never configured', () => {
    const own = leased('df-1.Copy', 'df-1/x');
    expect(workOf(['new'], own).work.runningAs(job('new'))).toBeUndefined();
    const mapped = leased('old', 'df-1/x');
    expect(workOf(['new'], mapped).work.runningAs(job('new'))).toBe(mapped);
  });
});

describe('a pipeline instance', () => {
  const next = leased('b', 'df-1/x', { state: 'queued', definition: job('b', { user: 'u' }) });

  test('has one runner on this host, whatever job it is mapped to', () => {
    const holder = leased('a', 'df-1/x');
    expect(workOf(['a', 'b'], holder).work.holderOf(next)).toBe(holder);
    expect(workOf(['a', 'b'], leased('a', 'df-1/y')).work.holderOf(next)).toBeUndefined();
    expect(workOf(['a', 'b'], run('a')).work.holderOf(next)).toBeUndefined();
    const queued = leased('a', 'df-1/x', { state: 'queued' });
    expect(workOf(['a', 'b'], queued).work.holderOf(next)).toBeUndefined();
  });

  test('counts the runs of a copied host', () => {
    const { state, work } = workOf(['a', 'b']);
    const copied = leased('a', 'df-1/x', { copiedHost: true });
    state.copiedHostRuns.set(copied.id, copied);
    expect(work.holderOf(next)).toBe(copied);
  });

  test('of the same job waits by the job’s own order', () => {
    expect(workOf(['b'], leased('b', 'df-1/x')).work.holderOf(next)).toBeUndefined();
  });
});

describe('who waited for a run that has ended', () => {
  const ended = run('old', { state: 'failed' });
  const ids = (runs: readonly Run[]) => runs.map(({ id }) => id);

  test('queued runs of other jobs with the same work, if its name is gone', () => {
    const waiting = run('new', { state: 'queued' });
    const others = [
      ...[
        run('running'),
        run('other', { state: 'queued', definition: job('other', { user: 'u' }) }),
      ],
      run('old', { state: 'queued', id: 'old/2' }),
    ];
    expect(ids(workOf(['new'], waiting, ...others).work.waitingFor(ended))).toEqual(['new/1']);
    expect(workOf(['new', 'old'], waiting).work.waitingFor(ended)).toEqual([]);
  });

  test('queued runs of the same instance, also if its name is configured', () => {
    const waiting = leased('b', 'df-1/x', { state: 'queued', definition: job('b', { user: 'u' }) });
    const { work } = workOf(['a', 'b'], waiting);
    expect(ids(work.waitingFor(leased('a', 'df-1/x', { state: 'failed' })))).toEqual(['b/1']);
    expect(work.waitingFor(leased('a', 'df-1/y', { state: 'failed' }))).toEqual([]);
  });

  test('nobody, for an ad hoc run', () => {
    const waiting = run('new', { state: 'queued' });
    const adHoc = run('old', { state: 'failed', origin: 'ad-hoc' });
    expect(workOf(['new'], waiting).work.waitingFor(adHoc)).toEqual([]);
  });
});
