/** The rows of the jobs: what each cell says, what stays in place, and what a click opens. */
import { beforeEach, expect, test } from 'vitest';
import type { JobStatus } from '../../../src/core/model/status.ts';
import { jobNamed } from '../operator-in-memory.ts';
import { browserScript, useSmallDocument } from './small-document.ts';
import type { SmallDocument, SmallElement } from './small-document.ts';

interface Table {
  show(
    jobs: readonly JobStatus[],
    now: string,
    open: string | undefined,
    details: SmallElement,
    empty: string,
  ): void;
}
const { JobsTable } = await browserScript<{
  JobsTable: new (toggle: (name: string) => void) => Table;
}>('jobs-table.ts');

const NOW_MS = Date.UTC(2026, 10, 22, 3);
const NOW = new Date(NOW_MS).toISOString();
const at = (seconds: number): string => new Date(NOW_MS + seconds * 1000).toISOString();

let page: SmallDocument;
let table: Table;
let toggled: string[];
let details: SmallElement;
beforeEach(() => {
  page = useSmallDocument();
  toggled = [];
  table = new JobsTable((name) => toggled.push(name));
  details = page.createElement('tr');
});

const rows = (): readonly SmallElement[] => page.id('jobs').elements();
const show = (jobs: readonly JobStatus[], open?: string): void =>
  table.show(jobs, NOW, open, details, 'No jobs yet.');

/** The cells of a job's row, and their classes. */
function cellsOf(job: Partial<JobStatus>): { texts: string[]; classes: string[] } {
  show([jobNamed('copy', job)]);
  const cells = rows()[0]?.elements() ?? [];
  return {
    texts: cells.map((cell) => cell.textContent),
    classes: cells.map((cell) => cell.className),
  };
}

test.each<[string, Partial<JobStatus>, string, string]>([
  ['running', { state: 'running' }, 'running', ''],
  ['succeeded', { state: 'succeeded' }, 'succeeded', 'good'],
  [
    'failed, with its reason',
    { state: 'failed', reason: 'exit code 3' },
    'failedexit code 3',
    'bad',
  ],
  ['lost', { state: 'lost' }, 'lost', 'bad'],
  ['fenced', { state: 'fenced' }, 'fenced', 'bad'],
  ['canceled', { state: 'canceled' }, 'canceled', 'warn'],
  ['canceling', { state: 'canceling' }, 'canceling', 'warn'],
  ['queued', { state: 'queued' }, 'queued', 'faint'],
  ['idle', { state: 'idle' }, 'idle', 'faint'],
  ['stalled', { state: 'running', stalled: true }, 'running, stalled', 'warn'],
  [
    'no longer stalled, once it has ended',
    { state: 'succeeded', stalled: true, endedAt: at(-1) },
    'succeeded',
    'good',
  ],
  [
    'a cancel that left processes behind',
    { state: 'canceled', cancelIncomplete: true, survivors: [12] },
    'canceledstill alive: 12',
    'bad',
  ],
  ['survivors', { state: 'canceled', survivors: [12, 13] }, 'canceledstill alive: 12, 13', 'warn'],
  ['none alive', { state: 'canceled', survivors: [] }, 'canceled', 'warn'],
  ['a problem of tracking', { state: 'running', problem: 'is no JSON' }, 'runningis no JSON', ''],
  [
    'the reason before the problem',
    { state: 'failed', reason: 'a reason', problem: 'a problem' },
    'faileda reason',
    'bad',
  ],
])('state: %s', (_name, job, text, kind) => {
  const { texts, classes } = cellsOf(job);
  expect([texts[1], classes[1]]).toEqual([text, kind]);
});

test('progress: a bar with its percent, 0 as well; the detail is text', () => {
  expect(cellsOf({ percent: 0 }).texts[2]).toBe(' 0%');
  expect(cellsOf({ percent: 72, detail: '<b>9</b> of 12' }).texts[2]).toBe(' 72%<b>9</b> of 12');
  const bar = rows()[0]?.querySelector('progress');
  expect(bar).toMatchObject({ max: 100, value: 72 });
  expect(bar?.getAttribute('aria-label')).toBe('progress of copy');
  expect(cellsOf({}).texts[2]).toBe('');
});

test.each<[string, Partial<JobStatus>]>([
  ['2m00s ago', { startedAt: at(-600), endedAt: at(-120), nextStartAt: at(60) }],
  ['for 10m00s', { startedAt: at(-600), nextStartAt: at(60) }],
  ['in 1m00s', { nextStartAt: at(60) }],
  ['', {}],
])('age: %s', (text, job) => {
  const { texts, classes } = cellsOf(job);
  expect([texts[3], classes[3]]).toEqual([text, 'short']);
});

test.each<
  [string, string, Partial<NonNullable<JobStatus['destinations']['migrationHub']>>, string?]
>([
  [
    'reported 12s ago, next within 4m48s',
    '',
    { delivery: 'pending', lastAcceptedAt: at(-12), deadlineAt: at(288) },
  ],
  ['nothing reported yet', '', { delivery: 'pending' }],
  [
    'reported 5m03s ago, late by 3s',
    'bad',
    { delivery: 'pending', lastAcceptedAt: at(-303), deadlineAt: at(-3) },
  ],
  [
    'reported 5m00s ago, next within 0s',
    '',
    { delivery: 'pending', lastAcceptedAt: at(-300), deadlineAt: at(0) },
  ],
  [
    'final report pending for 20s',
    'warn',
    { delivery: 'pending', lastAcceptedAt: at(-90) },
    at(-20),
  ],
  ['delivered 58s ago', '', { delivery: 'delivered', lastAcceptedAt: at(-58) }, at(-100)],
  ['delivered', '', { delivery: 'delivered' }, at(-100)],
  // A deadline counts only while a report is pending.
  [
    'refusedno such task',
    'bad',
    { delivery: 'refused', deadlineAt: at(-5), reason: 'no such task' },
  ],
  [
    'withheldcanceled by AWS',
    '',
    { delivery: 'withheld', lastAcceptedAt: at(-5), reason: 'canceled by AWS' },
  ],
])('reports: %s', (text, kind, hub, endedAt) => {
  const migrationHub = { task: 't', delivery: 'pending', ...hub } as const;
  const ended = endedAt === undefined ? {} : { endedAt };
  const { texts } = cellsOf({ destinations: { migrationHub }, ...ended });
  expect(texts[4]).toBe(`Migration Hub: ${text}`);
  expect(rows()[0]?.elements()[4]?.elements()[0]?.className).toBe(kind);
});

test('both destinations have a line', () => {
  const dataPipeline = {
    ...{ taskId: 't', pipelineId: 'df-1', attemptId: '@1', workerGroup: 'files' },
    delivery: 'pending',
  } as const;
  const migrationHub = { task: 't', delivery: 'refused' } as const;
  const { texts } = cellsOf({ destinations: { migrationHub, dataPipeline } });
  expect(texts[4]).toBe('Migration Hub: refusedData Pipeline: nothing reported yet');
});

test('a row is named by job and run, and its button opens it', () => {
  show([jobNamed('copy', { run: 12 }), jobNamed('never')], 'copy');
  const buttons = page.id('jobs').querySelectorAll('button');
  expect(buttons.map((one) => one.textContent)).toEqual(['copy/12', 'never']);
  expect(buttons.map((one) => one.getAttribute('aria-expanded'))).toEqual(['true', 'false']);
  expect(rows()[1]).toBe(details);
  buttons[1]?.click();
  expect(toggled).toEqual(['never']);
});

test('only what has changed is replaced: the row, its button and the focus stay', () => {
  const jobs = [jobNamed('a', { run: 1, percent: 1 }), jobNamed('b')];
  show(jobs);
  const [first, second] = rows();
  const button = first?.querySelector('button');
  button?.focus();
  const cell = second?.elements()[1];
  show([jobNamed('a', { run: 1, percent: 2 }), jobNamed('b')]);
  expect(rows()).toEqual([first, second]);
  expect(first?.elements()[2]?.textContent).toBe(' 2%');
  expect(first?.elements()).toHaveLength(5);
  expect(page.activeElement).toBe(button);
  expect(second?.elements()[1]).toBe(cell);
  // A new run changes the name, whatever else it shows.
  show([jobNamed('a', { run: 2, percent: 2 }), jobNamed('b')]);
  expect(button?.textContent).toBe('a/2');
});

test('another order moves the rows, and jobs that are gone are removed', () => {
  show([jobNamed('a'), jobNamed('b'), jobNamed('c')]);
  const [a, b, c] = rows();
  show([jobNamed('c'), jobNamed('a')]);
  expect(rows()).toEqual([c, a]);
  // It comes back as a new row.
  show([jobNamed('b')]);
  expect(rows()).toHaveLength(1);
  expect(rows()[0]).not.toBe(b);
});

test('without jobs there is one row that says so', () => {
  show([jobNamed('a'), jobNamed('b')]);
  show([]);
  expect(rows().map((row) => row.textContent)).toEqual(['No jobs yet.']);
});
