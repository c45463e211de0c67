/**
 * The script of the status page against a real listener: one page that is open all the time, as for somebody who looks. What
 * it shows of the agent, what it asks for, and what it does at a key, a click, and an agent that is gone.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createHttpListener } from '../../../src/control/http/tcp-listener.ts';
import type { HttpListener } from '../../../src/control/http/tcp-listener.ts';
import { createRegistry } from '../../../src/control/metrics.ts';
import type { JobStatus, Status } from '../../../src/core/model/status.ts';
import { until } from '../../support/until.ts';
import { jobNamed, OperatorInMemory, statusWith } from '../operator-in-memory.ts';
import { browserScript, useSmallDocument } from './small-document.ts';
import type { SmallDocument } from './small-document.ts';

const operator = new OperatorInMemory();
let listener: HttpListener;
let page: SmallDocument;
let isAway = false;
const asked: URLSearchParams[] = [];
const addresses: string[] = [];

const text = (id: string): string => page.id(id).textContent;
const rows = (): string[] =>
  page
    .id('jobs')
    .querySelectorAll('button')
    .map((one) => one.textContent);
const counts = () => page.id('counts').elements();

beforeAll(async () => {
  page = useSmallDocument();
  listener = createHttpListener({
    listen: '127.0.0.1:0',
    operator,
    registry: createRegistry(operator),
  });
  const { port } = await listener.listen();
  const origin = `http://127.0.0.1:${port}`;
  const fetchOf = globalThis.fetch;
  const browser = {
    location: { hash: '', pathname: '/' },
    history: { replaceState: (_state: unknown, _title: string, to: string) => addresses.push(to) },
    fetch: (path: string, options: RequestInit) => {
      const [file, query = ''] = path.split('?');
      if (file === 'overview.json') asked.push(new URLSearchParams(query));
      const answer = () => fetchOf(`${origin}/${path}`, { ...options, cache: 'no-store' });
      return isAway ? Promise.reject(new TypeError('fetch failed')) : answer();
    },
  };
  Object.assign(globalThis, browser);
  // It refreshes for as long as the page is open: the import never ends.
  browserScript('page.ts').catch((error: unknown) => {
    throw error;
  });
  await until('the page shows something', () => text('host') !== '');
});

afterAll(async () => {
  // Whoever does not look asks for nothing.
  page.hidden = true;
  await listener.close();
});

beforeEach(async () => {
  page.hidden = false;
  isAway = false;
  page.id('filter').value = '';
  await show([]);
});

/** Resolves when the page has shown what the agent answers from now on. */
async function refreshed(): Promise<void> {
  const before = asked.length;
  page.id('filter').dispatch('input');
  await until('the page asks', () => asked.length > before);
  // It asks the next time when it has shown the answer.
  page.id('filter').dispatch('input');
  await until('the page asks again', () => asked.length > before + 1);
}

async function show(
  jobs: readonly JobStatus[],
  agent: Partial<Status['agent']> = {},
  budgets: Status['budgets'] = [],
): Promise<void> {
  operator.document = { ...statusWith(jobs, agent), budgets };
  await refreshed();
}

test('a healthy agent: its name, its verdict, its facts', async () => {
  expect(text('host')).toBe('files-host-01');
  expect([text('verdict'), page.id('verdict').className]).toEqual(['healthy', 'good']);
  expect(page.title).toBe('files-host-01: healthy');
  expect(text('state')).toBe('');
  expect(text('facts')).toBe(
    'version 0.1.0 · up 3h12m · 0 reports pending · nothing promised · clock offset 0.3s',
  );
  await show([], {
    state: 'draining',
    outbox: 1,
    outboxAgeSeconds: 61,
    nearestDeadlineSeconds: 41,
    homeRegion: 'eu-central-1',
  });
  expect(text('state')).toBe('draining');
  expect(text('facts')).toContain(
    '· 1 report pending for 1m01s · next deadline in 41s · clock offset 0.3s · home region eu-central-1',
  );
  await show([], { nearestDeadlineSeconds: -3 });
  expect(text('facts')).toContain('· late by 3s ·');
});

test('problems come and go', async () => {
  await show([], { problems: ['the disk is full'] });
  expect([text('verdict'), page.id('verdict').className]).toEqual(['degraded: 1 problem', 'bad']);
  const items = page.id('problems').elements();
  expect(items.map((one) => one.textContent)).toEqual(['the disk is full']);
  await refreshed();
  // What has not changed stays, so that somebody can select it.
  expect(page.id('problems').elements()[0]).toBe(items[0]);
  await show([], { problems: ['one', '<b>two</b>'] });
  expect(page.title).toBe('files-host-01: degraded: 2 problems');
  expect(
    page
      .id('problems')
      .elements()
      .map((one) => one.textContent),
  ).toEqual(['one', '<b>two</b>']);
  await show([]);
  expect(page.id('problems').elements()).toEqual([]);
});

test('what has not changed is not sent, and stays on the page', async () => {
  await show([jobNamed('copy', { run: 3 })]);
  const version = asked.at(-1)?.get('since');
  expect(version).toMatch(/^[\w-]{16}$/);
  await refreshed();
  expect(asked.at(-1)?.get('since')).toBe(version);
  expect(rows()).toEqual(['copy/3']);
});

test('rows that have not changed stay as they are when others change, come, go and move', async () => {
  const copy = (percent: number) => jobNamed('copy', { run: 1, state: 'running', percent });
  await show([copy(1), jobNamed('dump', { run: 1, state: 'running' })]);
  await show([copy(2), jobNamed('dump', { run: 1, state: 'running' })]);
  expect(rows()).toEqual(['copy/1', 'dump/1']);
  expect(text('jobs')).toContain('2%');
  await show([copy(2), jobNamed('dump', { run: 1, state: 'failed' }), jobNamed('new')]);
  expect(rows()).toEqual(['dump/1', 'copy/1', 'new']);
  await show([copy(2)]);
  expect(rows()).toEqual(['copy/1']);
  expect(text('jobs')).toContain('2%');
});

test('no jobs: how to get some; a filter that matches none', async () => {
  expect(text('jobs')).toContain('migration-agent run --');
  page.id('filter').value = ' nothing ';
  await refreshed();
  expect(asked.at(-1)?.get('q')).toBe('nothing');
  expect(text('jobs')).toBe('No job matches.');
});

test('more jobs than the page shows', async () => {
  const many = Array.from({ length: 2_101 }, (_, index) => jobNamed(`job-${index}`));
  await show(many);
  expect(text('more')).toBe('and 2,001 more: filter by name or state');
  await show(many.slice(0, 100));
  expect(text('more')).toBe('');
  page.id('sort').value = 'name';
  page.id('sort').dispatch('change');
  await until('the order is asked for', () => asked.at(-1)?.get('sort') === 'name');
  page.id('sort').value = 'attention';
});

test('a button for each state: pressed, it shows only those; pressed again, all', async () => {
  await show([jobNamed('a', { state: 'failed' }), jobNamed('b', { state: 'running' })]);
  expect(counts().map((one) => one.textContent)).toEqual(['1 failed', '1 running']);
  expect(counts().map((one) => one.className)).toEqual(['bad', '']);
  const [, running] = counts();
  await refreshed();
  expect(counts()[1]).toBe(running);
  running?.focus();
  running?.click();
  await until('one job is left', () => rows().join() === 'b');
  expect(counts().map((one) => one.getAttribute('aria-pressed'))).toEqual(['false', 'true']);
  // The buttons are new ones, and the focus went with the state.
  expect(page.activeElement).toBe(counts()[1]);
  operator.document = statusWith([jobNamed('a', { state: 'failed' })]);
  await refreshed();
  // No filter is written, but the state is one.
  await until('none matches', () => text('jobs') === 'No job matches.');
  operator.document = statusWith([jobNamed('b', { state: 'running' })]);
  await refreshed();
  counts()[0]?.click();
  await until('the state is let go', () => asked.at(-1)?.get('state') === '');
  await refreshed();
  expect(counts()[0]?.getAttribute('aria-pressed')).toBe('false');
});

test('budgets: those that were used or are paused, with why', async () => {
  const idle = { perSecond: 10, burst: 100, accepted: 0, throttled: 0, failed: 0 };
  expect(page.id('budgets-table').hidden).toBe(true);
  await show([], {}, [
    { ...idle, operation: 'PollForTask' },
    { ...idle, operation: 'SetTaskStatus', throttled: 1 },
    {
      ...idle,
      ...{ operation: 'ReportTaskProgress', perSecond: 1.234, available: 7 },
      ...{ pausedUntil: '2026-11-22T03:12:12.000Z', pausedBecause: 'throttled' },
    },
    { ...idle, operation: 'ImportMigrationTask', accepted: 5, failed: 2 },
    {
      ...{ ...idle, operation: 'NotifyMigrationTaskState' },
      pausedUntil: '2026-11-22T03:12:12.000Z',
    },
  ]);
  expect(page.id('budgets-table').hidden).toBe(false);
  const lines = page.id('budgets').elements();
  expect(lines.map((line) => line.elements().map((cell) => cell.textContent))).toEqual([
    ['SetTaskStatus', '100, 10/s', '0', '1', '0', ''],
    ['ReportTaskProgress', '7 of 100, 1.2/s', '0', '0', '0', 'paused for 12s: throttled'],
    ['ImportMigrationTask', '100, 10/s', '5', '0', '2', ''],
    ['NotifyMigrationTaskState', '100, 10/s', '0', '0', '0', 'paused for 12s'],
  ]);
});

test('a job opens and closes, and the address names it', async () => {
  operator.details.set('copy it', { user: 'migrator' });
  await show([jobNamed('copy it', { run: 1 }), jobNamed('b')]);
  const button = page.id('jobs').querySelector('button');
  button?.click();
  await until('its details are shown', () => text('jobs').includes('migrator'));
  expect(addresses.at(-1)).toBe('#copy%20it');
  // A refresh that was under way when it was opened did not name it yet.
  await until('the page asks for it', () => asked.at(-1)?.get('open') === 'copy it');
  expect(button?.getAttribute('aria-expanded')).toBe('true');
  button?.click();
  // It closes at once, and the next question does not name it.
  expect(text('jobs')).not.toContain('migrator');
  await until('it is closed', () => asked.at(-1)?.get('open') === null);
  expect(addresses.at(-1)).toBe('/');
});

test('keys: / goes to the filter, Escape in it shows all again', async () => {
  await show([jobNamed('a'), jobNamed('b')]);
  const filter = page.id('filter');
  page.activeElement = null;
  expect(page.dispatch('keydown', 'x')).toBe(false);
  expect(page.activeElement).toBeNull();
  expect(page.dispatch('keydown', '/')).toBe(true);
  expect(page.activeElement).toBe(filter);
  // In the filter it is a character.
  expect(page.dispatch('keydown', '/')).toBe(false);
  filter.value = 'b';
  filter.dispatch('input');
  await until('one is left', () => rows().join() === 'b');
  page.activeElement = page.id('sort');
  page.dispatch('keydown', 'Escape');
  expect(filter.value).toBe('b');
  page.activeElement = filter;
  page.dispatch('keydown', 'Escape');
  expect(filter.value).toBe('');
  await until('both are back', () => rows().join() === 'a,b');
});

test('an agent that does not answer: what is shown is old, until it answers again', async () => {
  await show([jobNamed('copy', { run: 3 })]);
  isAway = true;
  page.id('filter').dispatch('input');
  await until('the page notices', () => text('link') !== '');
  expect(text('link')).toBe('the agent does not answer; what you see is old');
  expect(page.title).toBe('no answer: files-host-01');
  expect(rows()).toEqual(['copy/3']);
  isAway = false;
  await refreshed();
  expect(text('link')).toBe('');
  expect(page.title).toBe('files-host-01: healthy');
});

test('nothing is asked for while nobody looks, and at once when somebody does', async () => {
  await refreshed();
  page.hidden = true;
  const before = asked.length;
  for (let i = 0; i < 5; i++) {
    page.dispatch('visibilitychange');
    // As long as an answer takes.
    await (await fetch('status.json')).text();
  }
  expect(asked.length).toBe(before);
  page.hidden = false;
  page.dispatch('visibilitychange');
  await until('the page asks', () => asked.length > before);
});
