/** The data of the chart on the status page: limited, of the latest run, and with every late report. */
import fc from 'fast-check';
import { expect, test } from 'vitest';

import { ReportHistory } from '../../src/agent/report-history.ts';
import type { TimelineEvent } from '../../src/core/model/timeline.ts';
import type { ReportRecord } from '../../src/ports.ts';

function accepted(job: string, atS: number, nextUpdateS: number, percent = 1): TimelineEvent {
  const at = { wallMs: atS * 1000, bootMs: atS * 1000 };
  return { event: 'report.accepted', at, job, fields: { task: 't', percent, nextUpdateS } };
}

/** Seconds in which a promise had ended and the next report had not come. */
function lateS(records: readonly ReportRecord[]): number {
  return records.reduce((sum, { holdsUntilMs = Infinity }, place) => {
    const next = records[place + 1]?.atMs ?? 0;
    return sum + Math.max(0, (next - holdsUntilMs) / 1000);
  }, 0);
}

test('a report to either service becomes a record; a new run starts a new history', () => {
  const history = new ReportHistory();
  const at = { wallMs: 7000, bootMs: 0 };
  history.add(accepted('a', 5, 300));
  history.add({ event: 'report.accepted', at, job: 'a', fields: { taskId: 'x', windowS: 900 } });
  history.add({ event: 'job.started', at, job: 'a', fields: {} });
  expect(history.of('a')).toEqual([
    { atMs: 5000, to: 'migrationHub', percent: 1, holdsUntilMs: 305_000 },
    { atMs: 7000, to: 'dataPipeline', holdsUntilMs: 907_000 },
  ]);
  history.add({ event: 'run.queued', at, job: 'a', fields: {} });
  expect(history.of('a')).toEqual([]);
});

test('a final report has its status and holds for ever; what says nothing of a report is left out', () => {
  const history = new ReportHistory();
  const at = { wallMs: 7000, bootMs: 0 };
  const end = { task: 't', status: 'FAILED', percent: 40, afterS: 1 };
  history.add({ event: 'report.delivered', at, job: 'a', fields: end });
  history.add({ event: 'report.accepted', at, fields: { task: 't' } } as never);
  expect(history.of('a')).toEqual([
    { atMs: 7000, to: 'migrationHub', percent: 40, status: 'FAILED' },
  ]);
  history.add({ event: 'task.received', at, job: 'a', fields: {} } as never);
  expect(history.of('a')).toEqual([]);
});

test('of reports in time every second one is merged into the one before; a late one and a final one never', () => {
  const merged = (gapS: number): readonly ReportRecord[] => {
    const history = new ReportHistory();
    for (let i = 0; i < 401; i += 1) history.add(accepted('a', i * gapS, 300));
    return history.of('a');
  };
  // It comes in the very second in which the promise ends.
  const inTime = merged(300);
  expect(inTime).toHaveLength(201);
  expect(inTime[0]).toEqual({
    ...{ atMs: 0, to: 'migrationHub', percent: 1, holdsUntilMs: 600_000 },
  });
  expect(inTime[1]?.atMs).toBe(600_000);
  expect(merged(301)).toHaveLength(401);
  const history = new ReportHistory();
  for (let i = 0; i < 400; i += 1) history.add(accepted('a', i * 100, 300));
  const at = { wallMs: 39_950_000, bootMs: 0 };
  const fields = { task: 't', status: 'COMPLETED' } as never;
  history.add({ event: 'report.delivered', at, job: 'a', fields });
  expect(history.of('a').at(-1)).toEqual({
    ...{ atMs: at.wallMs, to: 'migrationHub', status: 'COMPLETED' },
  });
});

test('four hundred reports are kept as they came, and each destination is thinned by itself', () => {
  const history = new ReportHistory();
  for (let i = 0; i < 400; i += 1) history.add(accepted('a', i, 300));
  expect(history.of('a')).toHaveLength(400);
  const both = new ReportHistory();
  for (let i = 0; i < 201; i += 1) {
    both.add(accepted('a', i, 300));
    const at = { wallMs: i * 1000, bootMs: 0 };
    both.add({ event: 'report.accepted', at, job: 'a', fields: { taskId: 'x', windowS: 900 } });
  }
  const to = (name: string) => both.of('a').filter((one) => one.to === name).length;
  // At the 401st report, and two of the last one came after that.
  expect([to('migrationHub'), to('dataPipeline')]).toEqual([101, 101]);
});

test('the histories of five hundred jobs are kept, and then the oldest goes', () => {
  const history = new ReportHistory();
  for (let job = 0; job < 500; job += 1) history.add(accepted(`job-${job}`, 1, 300));
  history.add(accepted('job-499', 2, 300));
  expect(history.of('job-0')).toHaveLength(1);
  history.add(accepted('job-500', 1, 300));
  expect([history.of('job-0'), history.of('job-1')].map(({ length }) => length)).toEqual([0, 1]);
});

test('the resolution of a long run falls, but every late second stays', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 140, max: 400 })), {
        minLength: 900,
        maxLength: 1500,
      }),
      (reports) => {
        const history = new ReportHistory();
        const all: ReportRecord[] = [];
        let atS = 0;
        for (const [gapS, promiseS] of reports) {
          atS += gapS;
          history.add(accepted('a', atS, promiseS));
          all.push({ atMs: atS * 1000, to: 'migrationHub', holdsUntilMs: (atS + promiseS) * 1000 });
        }
        expect(lateS(history.of('a'))).toBeCloseTo(lateS(all), 6);
      },
    ),
    { numRuns: 20 },
  );
});

test('reports in time are limited, however many there are; so are jobs', () => {
  const history = new ReportHistory();
  for (let atS = 0; atS < 50_000; atS += 10) history.add(accepted('long', atS, 300));
  expect(history.of('long').length).toBeLessThanOrEqual(400);
  expect(history.of('long')[0]?.atMs).toBe(0);
  for (let atS = 0; atS < 50_000; atS += 10) history.add(accepted('late', atS, 5));
  expect(history.of('late').length).toBeLessThanOrEqual(800);
  expect(history.of('long').at(-1)?.atMs).toBe(49_990_000);
  for (let job = 0; job < 600; job += 1) history.add(accepted(`job-${job}`, 1, 300));
  expect(history.of('long')).toEqual([]);
  expect(history.of('job-599')).toHaveLength(1);
});
