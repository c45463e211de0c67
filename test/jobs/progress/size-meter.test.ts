/** When the size of a job's target is measured again, and what is reported of two measures: the walks are made up here. */
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { SizeMeter } from '../../../src/jobs/progress/size.ts';
import type { SizeMeterOptions } from '../../../src/jobs/progress/size.ts';
import type { Measure } from '../../../src/jobs/progress/tree-size.ts';
import { eventually } from '../../support/until.ts';

interface Walks {
  paths: string[];
  found: Record<string, unknown>;
  tookMs: number;
  nowMs: number;
  stuckAt: string;
}
const walks = vi.hoisted((): Walks => ({ paths: [], found: {}, tookMs: 0, nowMs: 0, stuckAt: '' }));
vi.mock(import('../../../src/jobs/progress/tree-size.ts'), () => ({
  measure: (path, { stuck }) => {
    walks.paths.push(path);
    walks.nowMs += walks.tookMs;
    if (path === walks.stuckAt) stuck?.('it does not answer');
    return Promise.resolve(walks.found[path] as Measure);
  },
}));

const launch = { cwd: '/', env: {} };
let closing: AbortController;

beforeEach(() => {
  Object.assign(walks, { paths: [], found: {}, tookMs: 0, nowMs: 10_000, stuckAt: '' });
  closing = new AbortController();
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => walks.nowMs);
  onTestFinished(() => clock.mockRestore());
});

const whole = (bytes: number): Measure => ({ bytes, isWhole: true });
const part = (bytes: number, problem: string): Measure => ({ bytes, isWhole: false, problem });

function meter(
  size: ConstructorParameters<typeof SizeMeter>[0],
  over: Partial<SizeMeterOptions> = {},
): SizeMeter {
  return new SizeMeter(size, {
    launch: () => Promise.resolve(launch),
    closing: closing.signal,
    ...over,
  });
}

/** What is shown after a walk with these measures. */
async function after(of: SizeMeter, found: Record<string, Measure>): Promise<unknown> {
  Object.assign(walks.found, found);
  walks.nowMs += 3_600_000;
  of.read();
  await of.settled();
  return of.read();
}

describe('percent and detail', () => {
  test('against a total the target alone is measured', async () => {
    const size = meter({ target: '/t', totalBytes: 2000, source: '/s' });
    expect(await after(size, { '/t': whole(500) })).toEqual({
      ...{ percent: 25, detail: '500 B of 2.0 kB' },
    });
    expect(new Set(walks.paths)).toEqual(new Set(['/t']));
  });

  test('a source that grows makes the total grow, one that shrinks or hides does not make it shrink', async () => {
    const size = meter({ target: '/t', source: '/s' });
    const detail = async (done: Measure, all: Measure): Promise<unknown> =>
      after(size, { '/t': done, '/s': all });
    expect(await detail(whole(500), whole(1000))).toEqual({
      ...{ percent: 50, detail: '500 B of 1.0 kB' },
    });
    expect(await detail(whole(500), whole(2000))).toMatchObject({ percent: 25 });
    expect(await detail(whole(600), whole(1000))).toMatchObject({ percent: 30 });
    expect(await detail(whole(700), part(9000, 'no'))).toMatchObject({ percent: 35 });
    expect(await detail(whole(700), whole(2000))).toMatchObject({ percent: 35 });
  });

  test('a source that was never seen whole gives no total, a target that is not whole no percent', async () => {
    const size = meter({ target: '/t', source: '/s' });
    expect(await after(size, { '/t': whole(500), '/s': part(900, 'no') })).toEqual({
      detail: '500 B',
    });
    expect(await after(size, { '/t': part(500, 'no'), '/s': whole(1000) })).toEqual({
      detail: '500 B of 1.0 kB',
    });
    expect(await after(size, { '/t': whole(500), '/s': whole(1000) })).toMatchObject({
      percent: 50,
    });
  });
});

describe('a problem', () => {
  test('names the path: the target first; it is gone when all is measured', async () => {
    const size = meter({ target: '/t', source: '/s' });
    await after(size, { '/t': part(1, 'may not'), '/s': part(1, 'is away') });
    expect(size.problem).toBe('the size of /t cannot be measured: may not');
    await after(size, { '/t': whole(1) });
    expect(size.problem).toBe('the size of /s cannot be measured: is away');
    await after(size, { '/s': whole(2) });
    expect(size.problem).toBeUndefined();
  });

  test('of a job whose user is gone; what was measured before stays', async () => {
    let isGone = false;
    const size = meter(
      { target: '/t', totalBytes: 1000 },
      {
        launch: () =>
          isGone ? Promise.reject(new Error('there is no user x')) : Promise.resolve(launch),
      },
    );
    const before = await after(size, { '/t': whole(500) });
    isGone = true;
    expect(await after(size, {})).toEqual(before);
    expect(size.problem).toBe('the size of /t cannot be measured: there is no user x');
  });

  test('is shown while a file system does not answer', async () => {
    walks.stuckAt = '/s';
    walks.found = { '/s': new Promise(() => undefined) };
    const size = meter({ target: '/t', source: '/s' });
    size.read();
    await eventually(() => expect(size.problem).toContain('/s cannot be measured: it does not'));
    expect(size.read()).toBeUndefined();
    expect(walks.paths).toEqual(['/s']);
  });
});

describe('the next walk', () => {
  async function walk(of: SizeMeter): Promise<void> {
    of.read();
    await of.settled();
  }
  /** Whether a walk begins this long after the last one. */
  async function beginsAfter(of: SizeMeter, ms: number): Promise<boolean> {
    walks.nowMs += ms;
    const before = walks.paths.length;
    of.read();
    await of.settled();
    return walks.paths.length > before;
  }

  test('begins three seconds after a quick one, and one at a time', async () => {
    walks.found['/t'] = whole(1);
    const size = meter({ target: '/t', totalBytes: 10 });
    size.read();
    size.read();
    await size.settled();
    expect(walks.paths).toHaveLength(1);
    expect(await beginsAfter(size, 2999)).toBe(false);
    expect(await beginsAfter(size, 1)).toBe(true);
  });

  test('begins ten times as long after a slow one as that took', async () => {
    walks.found['/t'] = whole(1);
    walks.tookMs = 20_000;
    const size = meter({ target: '/t', totalBytes: 10 });
    await walk(size);
    expect(await beginsAfter(size, 199_999)).toBe(false);
    expect(await beginsAfter(size, 1)).toBe(true);
  });

  test('begins a minute after one that was stuck, however long that took', async () => {
    walks.found['/t'] = part(1, 'it does not answer');
    walks.tookMs = 20_000;
    walks.stuckAt = '/t';
    const size = meter({ target: '/t', totalBytes: 10 });
    await walk(size);
    expect(await beginsAfter(size, 59_999)).toBe(false);
    walks.stuckAt = '';
    expect(await beginsAfter(size, 1)).toBe(true);
    expect(await beginsAfter(size, 199_999)).toBe(false);
  });

  test('of a host that closes shows nothing more', async () => {
    walks.found['/t'] = whole(1);
    const size = meter({ target: '/t', totalBytes: 10 });
    size.read();
    closing.abort();
    await size.settled();
    expect(size.read()).toBeUndefined();
  });
});
