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
