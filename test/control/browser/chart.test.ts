/** The chart of a job's reports: where each thing lies, what is late, and what it says to who cannot see it. */
import { beforeEach, expect, test } from 'vitest';
import type { JobPageDocument, ReportOfPage } from '../../../src/control/page/documents.ts';
import { jobNamed } from '../operator-in-memory.ts';
import { browserScript, useSmallDocument } from './small-document.ts';
import type { SmallDocument, SmallElement } from './small-document.ts';

const { chart } = await browserScript<{ chart: (shown: JobPageDocument) => SmallElement }>(
  'chart.ts',
);

/** The page is 640 pixels wide, so the chart is 600: time has those from 96 to 592. */
const LEFT = 96;
const RIGHT = 592;
const START_MS = Date.UTC(2020, 1, 29, 3);
const iso = (seconds: number): string => new Date(START_MS + seconds * 1000).toISOString();

let page: SmallDocument;
beforeEach(() => {
  page = useSmallDocument();
});

function hub(seconds: number, holdsS?: number, percent?: number): ReportOfPage {
  return {
    at: iso(seconds),
    to: 'migrationHub',
    status: 'IN_PROGRESS',
    ...(percent === undefined ? {} : { percent }),
    ...(holdsS === undefined ? {} : { holdsUntil: iso(seconds + holdsS) }),
  };
}

function pipeline(seconds: number, holdsS = 900): ReportOfPage {
  return { at: iso(seconds), to: 'dataPipeline', holdsUntil: iso(seconds + holdsS) };
}

function shown(
  nowS: number,
  reports: readonly ReportOfPage[],
  job: Partial<JobPageDocument['job']> = {},
): JobPageDocument {
  return {
    schema: 1,
    now: iso(nowS),
    job: {
      ...{ name: 'copy', state: 'running', destinations: {}, startedAt: iso(0) },
      ...{ earlierRuns: [], pending: [] },
      ...job,
    },
    events: [],
    reports,
  };
}

/** The place of a second on a chart from `from` to `to`. */
function x(seconds: number, from: number, to: number): number {
  const part = (seconds - from) / (to - from);
  return Math.round((LEFT + part * (RIGHT - LEFT)) * 10) / 10;
}

const numbers = (made: SmallElement, ...names: string[]): number[] =>
  names.map((name) => Number(made.getAttribute(name)));
const bars = (picture: SmallElement, kind: string): number[][] =>
  picture.querySelectorAll(`rect.${kind}`).map((one) => numbers(one, 'x', 'width'));
const label = (picture: SmallElement): string | null => picture.getAttribute('aria-label');

test('percent over time: 0 % lies at the bottom, and the line ends at what the job is at now', () => {
  const picture = chart(shown(200, [hub(0, 300, 0), hub(100, 300, 50)], { percent: 80 }));
  // The promise lasts to second 400; the picture ends at half of the past and a minute after now.
  const to = 200 + 100 + 60;
  const line = picture.querySelector('polyline.percent');
  expect(line?.getAttribute('points')).toBe(`${LEFT},120 ${x(100, 0, to)},65 ${x(200, 0, to)},32`);
  expect(picture.querySelectorAll('line.axis').map((one) => numbers(one, 'y1', 'y2'))).toEqual([
    [120, 120],
    [65, 65],
    [10, 10],
  ]);
  const texts = picture.querySelectorAll('text').map((one) => one.textContent);
  expect(texts).toEqual([
    '0%',
    '50%',
    '100%',
    'Migration Hub',
    '2020-02-29 03:00:00',
    '2020-02-29 03:06:00',
  ]);
});

test('without a percent there is no line', () => {
  expect(chart(shown(10, [hub(0, 300)])).querySelectorAll('polyline')).toEqual([]);
});

test('a live run: each report until the next, the last until now and on until its promise ends', () => {
  const picture = chart(shown(200, [hub(0, 120, 1), hub(100, 120, 2)]));
  const to = 220;
  expect(bars(picture, 'kept')).toEqual([
    [LEFT, expect.closeTo(x(100, 0, to) - LEFT, 1)],
    [x(100, 0, to), expect.closeTo(x(200, 0, to) - x(100, 0, to), 1)],
  ]);
  expect(bars(picture, 'holds')).toEqual([
    [x(200, 0, to), expect.closeTo(RIGHT - x(200, 0, to), 1)],
  ]);
  expect(bars(picture, 'late')).toEqual([]);
  expect(picture.querySelectorAll('rect').map((one) => one.textContent)).toEqual([
    'reported 2020-02-29 03:00:00',
    'reported 2020-02-29 03:01:40',
    'holds until 2020-02-29 03:03:40',
  ]);
  expect(picture.querySelectorAll('line.now').map((one) => numbers(one, 'x1', 'x2'))).toEqual([
    [x(200, 0, to), x(200, 0, to)],
  ]);
  expect(picture.querySelectorAll('circle.report').map((one) => one.textContent)).toEqual([
    '2020-02-29 03:00:00 IN_PROGRESS 1%',
    '2020-02-29 03:01:40 IN_PROGRESS 2%',
  ]);
  expect(label(picture)).toBe('2 reports of copy, now at 2 percent, never late');
});

test('what came too late, and what is late now', () => {
  const picture = chart(shown(200, [hub(0, 50), hub(80, 100)]));
  const to = 200;
  expect(bars(picture, 'late')).toEqual([
    [x(50, 0, to), expect.closeTo(x(80, 0, to) - x(50, 0, to), 1)],
    [x(180, 0, to), expect.closeTo(x(200, 0, to) - x(180, 0, to), 1)],
  ]);
  expect(bars(picture, 'kept')).toEqual([
    [LEFT, expect.closeTo(x(50, 0, to) - LEFT, 1)],
    [x(80, 0, to), expect.closeTo(x(180, 0, to) - x(80, 0, to), 1)],
  ]);
  expect(picture.querySelectorAll('rect.late').map((one) => one.textContent)).toEqual([
    'late by 30s',
    'late by 20s',
  ]);
  expect(bars(picture, 'holds')).toEqual([]);
  expect(label(picture)).toBe('2 reports of copy, late for 50s in all');
});

test('a report exactly when the promise ends is in time', () => {
  const picture = chart(shown(150, [hub(0, 100), hub(100, 100)]));
  expect(bars(picture, 'late')).toEqual([]);
  expect(label(picture)).toContain('never late');
});

test('a run that has ended: no line of now, and a promise of a year is not late and takes no room', () => {
  const ended = { endedAt: iso(100), percent: 100, state: 'succeeded' } as const;
  const reports = [hub(0, 300, 10), hub(100, 365 * 86_400, 100)];
  const picture = chart(shown(500, reports, ended));
  expect(picture.querySelectorAll('line.now')).toEqual([]);
  expect(bars(picture, 'late')).toEqual([]);
  expect(bars(picture, 'holds')).toEqual([]);
  // The picture ends with the run: the last report lies at its right edge.
  expect(picture.querySelectorAll('circle').map((one) => numbers(one, 'cx'))).toEqual([
    [LEFT],
    [RIGHT],
  ]);
  expect(picture.querySelector('polyline')?.getAttribute('points')).toBe(`${LEFT},109 ${RIGHT},10`);
  expect(label(picture)).toBe('2 reports of copy, now at 100 percent, never late');
});

test('a final report that comes after the end of the run is on the picture', () => {
  const ended = { endedAt: iso(100), state: 'failed' } as const;
  const picture = chart(shown(500, [hub(0, 300), hub(200, 1)], ended));
  expect(picture.querySelectorAll('circle').map((one) => numbers(one, 'cx'))).toEqual([
    [LEFT],
    [RIGHT],
  ]);
  // Its promise has ended since, and nothing more is due.
  expect(label(picture)).toBe('2 reports of copy, never late');
});

test('a task that was reported before its job started begins the picture', () => {
  const picture = chart(shown(200, [pipeline(-100), pipeline(0)]));
  const to = 200 + 150 + 60;
  expect(picture.querySelectorAll('circle').map((one) => numbers(one, 'cx'))).toEqual([
    [LEFT],
    [x(0, -100, to)],
  ]);
});

test('each destination has a row, in the same order, and its own lateness', () => {
  const reports = [pipeline(0, 50), hub(10, 300), pipeline(100, 900)];
  const picture = chart(shown(150, reports));
  const names = picture.querySelectorAll('text').map((one) => one.textContent);
  expect(names.slice(3, 5)).toEqual(['Migration Hub', 'Data Pipeline']);
  const heights = new Set(picture.querySelectorAll('circle').map((one) => one.getAttribute('cy')));
  expect([...heights]).toEqual(['141', '167']);
  expect(label(picture)).toBe('3 reports of copy, late for 50s in all');
  expect(picture.getAttribute('viewBox')).toBe('0 0 600 202');
});

test('what ends is never less than a pixel wide', () => {
  const picture = chart(shown(100_000, [hub(0, 1), hub(1, 1), hub(2, 200_000)]));
  expect(bars(picture, 'kept').slice(0, 2)).toEqual([
    [LEFT, 1],
    [LEFT, 1],
  ]);
});

test.each([
  [100, 300],
  [640, 600],
  [4_000, 900],
])('a table of %d pixels has a chart of %d', (width, wide) => {
  page.id('jobs').clientWidth = width;
  const picture = chart(shown(10, [hub(0, 300)]));
  expect(picture.getAttribute('viewBox')).toBe(`0 0 ${wide} 176`);
});

test('a job that was queued and has not started has a chart, too', () => {
  const queued = { ...jobNamed('copy', { state: 'queued' }), earlierRuns: [], pending: [] };
  const picture = chart({ ...shown(10, [hub(4, 6)]), job: queued });
  expect(picture.querySelectorAll('circle').map((one) => numbers(one, 'cx'))).toEqual([[LEFT]]);
  expect(label(picture)).toBe('1 reports of copy, never late');
});
