/** The rows of the status page: which jobs, in which order, and only what has changed since the page was last given some. */
import { describe, expect, test } from 'vitest';
import { Overviews } from '../../../src/control/page/overview.ts';
import type { OverviewDocument } from '../../../src/control/page/documents.ts';
import type { JobStatus } from '../../../src/core/model/status.ts';
import { jobNamed, OperatorInMemory, statusWith } from '../operator-in-memory.ts';

function of(jobs: readonly JobStatus[]): {
  ask: (query?: Record<string, string>) => Promise<OverviewDocument>;
  operator: OperatorInMemory;
} {
  const operator = new OperatorInMemory();
  operator.document = statusWith(jobs);
  const overviews = new Overviews(operator);
  return { operator, ask: (query = {}) => overviews.document(new URLSearchParams(query)) };
}

function numbered(count: number): JobStatus[] {
  return Array.from({ length: count }, (_, index) =>
    jobNamed(`job${String(index).padStart(3, '0')}`),
  );
}

describe('the order', () => {
  const JOBS = [
    jobNamed('c', { state: 'running', run: 1, percent: 10, startedAt: '2026-11-22T01:00:00.000Z' }),
    jobNamed('a', { state: 'running', run: 1, percent: 90, startedAt: '2026-11-22T02:00:00.000Z' }),
    jobNamed('d'),
    jobNamed('b', { state: 'failed', run: 1, percent: 0, startedAt: '2026-11-22T03:00:00.000Z' }),
  ];

  test.each([
    ['name', ['a', 'b', 'c', 'd']],
    // The newest first; what never started is the oldest.
    ['started', ['b', 'a', 'c', 'd']],
    // Nothing known is less than nothing done.
    ['percent', ['a', 'c', 'b', 'd']],
  ])('by %s', async (sort, order) => {
    expect((await of(JOBS).ask({ sort })).order).toEqual(order);
  });

  test('is that of attention unless another one is asked for', async () => {
    const { order } = await of(JOBS).ask();
    expect(order?.[0]).toBe('b');
    expect((await of(JOBS).ask({ sort: 'nonsense' })).order).toEqual(order);
  });
});

describe('the rows', () => {
  test('match the filter in any case of letters, and the state; all are counted', async () => {
    const { ask } = of([
      jobNamed('Files-a'),
      jobNamed('files-b', { state: 'failed' }),
      jobNamed('dump', { state: 'failed' }),
    ]);
    const { order, matching, counts } = await ask({ q: 'FILES', state: 'failed' });
    expect([order, matching]).toEqual([['files-b'], 1]);
    expect(counts).toEqual([
      ['failed', 2],
      ['idle', 1],
    ]);
    expect((await ask({ state: 'nonsense' })).matching).toBe(3);
  });

  test('are a hundred at most, and the open job, wherever it stands', async () => {
    const { ask } = of(numbered(102));
    const { order, matching } = await ask({ sort: 'name' });
    expect([order?.length, order?.at(-1), matching]).toEqual([100, 'job099', 102]);
    const opened = await ask({ sort: 'name', open: 'job101' });
    expect([opened.order?.length, opened.order?.[0], opened.order?.[1]]).toEqual([
      101,
      'job101',
      'job000',
    ]);
    const within = await ask({ sort: 'name', open: 'job005' });
    expect(within.order).toEqual(order);
    // A job that the filter does not match is not shown because it is open.
    expect((await ask({ q: 'job000', open: 'job101' })).order).toEqual(['job000']);
  });
});

describe('what has changed', () => {
  test('alone is sent to a page that names what it has', async () => {
    const { ask, operator } = of(numbered(3));
    const first = await ask({ sort: 'name' });
    expect([first.jobs?.length, first.order?.length, first.budgets]).toEqual([3, 3, []]);
    const same = await ask({ sort: 'name', since: first.version });
    expect(same.version).toBe(first.version);
    expect([same.jobs, same.order, same.budgets]).toEqual([undefined, undefined, undefined]);
    operator.document = statusWith(numbered(3).with(1, jobNamed('job001', { state: 'failed' })));
    const changed = await ask({ sort: 'name', since: first.version });
    expect(changed.version).not.toBe(first.version);
    expect([changed.jobs?.map(({ name }) => name), changed.order, changed.budgets]).toEqual([
      ['job001'],
      undefined,
      undefined,
    ]);
    // Whoever has nothing, or something that is no longer known, gets everything.
    for (const since of ['', 'nonsense']) {
      expect((await ask({ sort: 'name', since })).jobs).toHaveLength(3);
    }
  });

  test('a job that comes or goes changes the order', async () => {
    const { ask, operator } = of(numbered(2));
    const first = await ask({ sort: 'name' });
    operator.document = statusWith(numbered(3));
    const more = await ask({ sort: 'name', since: first.version });
    expect([more.jobs?.map(({ name }) => name), more.order]).toEqual([
      ['job002'],
      ['job000', 'job001', 'job002'],
    ]);
    operator.document = statusWith([]);
    const none = await ask({ sort: 'name', since: more.version });
    expect([none.jobs, none.order]).toEqual([undefined, []]);
  });

  test('budgets come alone, and slack is no change: the page counts it down itself', async () => {
    const running = (slackSeconds: number): JobStatus =>
      jobNamed('a', {
        state: 'running',
        destinations: { migrationHub: { task: 't', delivery: 'pending', slackSeconds } },
      });
    const { ask, operator } = of([running(100)]);
    const first = await ask();
    const budget = {
      operation: 'PollForTask',
      perSecond: 1,
      burst: 1,
      accepted: 1,
      throttled: 0,
      failed: 0,
    } as const;
    operator.document = { ...statusWith([running(98)]), budgets: [budget] };
    const next = await ask({ since: first.version });
    expect([next.jobs, next.order, next.budgets]).toEqual([undefined, undefined, [budget]]);
  });

  test('is known of the last 64 documents', async () => {
    const { ask, operator } = of(numbered(2));
    const first = await ask();
    const show = async (percent: number): Promise<void> => {
      operator.document = statusWith([jobNamed('job000', { percent }), jobNamed('job001')]);
      await ask();
    };
    for (let percent = 1; percent < 64; percent += 1) await show(percent);
    expect((await ask({ since: first.version })).jobs).toHaveLength(1);
    // What is asked for again counts as new: the first one is forgotten before it.
    await show(64);
    expect((await ask({ since: first.version })).jobs).toHaveLength(2);
  });
});
