/** The outbox in virtual time: what it shows while reports are blocked, and what an operator's commands do. */
import { describe, expect, test } from 'vitest';
import type { Call, Outcome } from '../../src/core/model/call.ts';
import type { JobDefinition } from '../../src/core/model/job.ts';
import { outbox, outboxSize } from '../../src/core/operator/outbox.ts';
import type { OutboxEntry } from '../../src/core/model/outbox.ts';
import type { OutboxChoice } from '../../src/core/model/outbox.ts';
import { HOUR_MS, MINUTE_MS } from '../../src/core/lib/time.ts';
import { polledTask } from '../support/polled-task.ts';
import { HUB_JOB, PIPELINE, definition, settings } from '../support/settings.ts';
import { World } from '../support/world.ts';

function world(
  outcome: (call: Call, bootMs: number) => Outcome | undefined,
  job: Partial<JobDefinition> = {},
): World {
  const made = new World({
    seed: 1,
    failing: 0,
    jobs: { durationMs: () => 10 * MINUTE_MS, exitCode: () => 3, progressEveryMs: MINUTE_MS },
    settings: settings({
      jobs: new Map([['copy', definition('copy', job)]]),
      dataPipeline: { ...PIPELINE, activities: [{ match: { name: 'copy' }, job: 'copy' }] },
    }),
    outcome,
  });
  made.calls = [];
  return made;
}

function show(made: World): OutboxEntry[] {
  const entries = outbox(made.planner.view(), made.time.now());
  expect(outboxSize(made.planner.view())).toBe(entries.length);
  return entries;
}

function ask(made: World, action: 'retry' | 'drop', choice: OutboxChoice = {}): void {
  made.post({ type: 'outbox-requested', action, choice, by: 'anna', request: 1 });
  made.turn();
}

function start(made: World): void {
  made.post({ type: 'start-requested', job: 'copy', origin: 'operator' });
}

const isFinalReport = (call: Call): boolean =>
  call.operation === 'NotifyMigrationTaskState' && call.status === 'FAILED';
const refused: Outcome = { kind: 'refused', reason: 'InvalidInputException: no' };
const unavailable: Outcome = { kind: 'unavailable', reason: 'connect ECONNREFUSED' };

describe('what is shown', () => {
  test('an end that cannot be reported: its destination, age, attempts, reason, and next attempt', () => {
    const made = world((_call, ms) =>
      ms > 5 * MINUTE_MS && ms < 2 * HOUR_MS ? unavailable : undefined,
    );
    made.service.offer(polledTask('copy'));
    made.runUntil(HOUR_MS);
    const entries = show(made);
    expect(entries.map(({ destination, operation }) => [destination, operation])).toEqual([
      ['migrationHub', 'NotifyMigrationTaskState'],
      ['dataPipeline', 'SetTaskStatus'],
    ]);
    for (const entry of entries) {
      expect(entry).toMatchObject({ job: 'copy', run: 1, quarantined: false });
      expect(entry.message).toMatch(/^FAILED \(failed: exit code 3\)$/);
      expect(entry.lastError).toContain('ECONNREFUSED');
    }
    expect(entries[0]?.attempts).toBeGreaterThan(20);
    const sinceMs = Date.parse(entries[0]?.since ?? '') - made.time.trueMs() + HOUR_MS;
    expect(Math.abs(sinceMs - 10 * MINUTE_MS)).toBeLessThan(5000);
    made.runUntil(HOUR_MS + 2 * MINUTE_MS);
    const untilMs = Date.parse(show(made)[0]?.nextTryAt ?? '') - made.time.now().wallMs;
    expect(untilMs).toBeGreaterThan(0);
    expect(untilMs).toBeLessThanOrEqual(30_000);
    made.runUntil(2 * HOUR_MS + 2 * MINUTE_MS);
    expect(show(made)).toEqual([]);
  });

  test('if the home region cannot be read, that is shown as the reason', () => {
    const made = world(() => unavailable);
    start(made);
    made.runUntil(20 * MINUTE_MS);
    expect(show(made).map(({ lastError }) => lastError)).toEqual([
      unavailable.reason,
      unavailable.reason,
    ]);
  });

  test('a live job has nothing pending while reports are accepted; a refused report is shown', () => {
    const made = world((call, ms) =>
      ms > 3 * MINUTE_MS && call.operation === 'NotifyMigrationTaskState' ? refused : undefined,
    );
    start(made);
    made.runUntil(3 * MINUTE_MS);
    expect(show(made)).toEqual([]);
    made.runUntil(6 * MINUTE_MS);
    const entries = outbox(made.planner.view(), made.time.now());
    expect(entries).toHaveLength(1);
    expect(entries[0]).toMatchObject({
      quarantined: true,
      message: 'the state of the running job',
    });
  });
});

describe('retry', () => {
  test('a quarantined report is sent once more, complete, and delivered', () => {
    const made = world((call, ms) => (ms < HOUR_MS && isFinalReport(call) ? refused : undefined));
    start(made);
    made.runUntil(2 * HOUR_MS);
    expect(show(made)[0]).toMatchObject({ quarantined: true, lastError: refused.reason });
    made.crash();
    made.runUntil(2 * HOUR_MS + MINUTE_MS);
    expect(show(made)).toHaveLength(1);
    ask(made, 'retry', { job: 'copy' });
    // Who waits for its delivery waits again.
    expect(made.state.runs.get('copy/1')?.hub?.delivery.state).toBe('pending');
    made.runUntil(2 * HOUR_MS + 2 * MINUTE_MS);
    expect(made.service.lastNotify('copy')?.detail).toBe('failed: exit code 3');
    expect(made.state.runs.get('copy/1')?.hub?.delivery.state).toBe('delivered');
    expect(show(made)).toEqual([]);
  });

  test('it ends a pause for credentials that have come back', () => {
    const made = world((_call, ms) =>
      ms > MINUTE_MS && ms < HOUR_MS ? { kind: 'denied', reason: 'ExpiredToken' } : undefined,
    );
    start(made);
    made.runUntil(HOUR_MS + 1);
    ask(made, 'retry');
    made.runUntil(HOUR_MS + 2000);
    expect(made.service.lastNotify('copy')?.status).toBe('FAILED');
  });

  test('a refused end is not reported after a later run', () => {
    const made = world((call, ms) => (ms < HOUR_MS && isFinalReport(call) ? refused : undefined));
    start(made);
    made.runUntil(HOUR_MS);
    start(made);
    made.runUntil(HOUR_MS + 5 * MINUTE_MS);
    ask(made, 'retry');
    made.runUntil(HOUR_MS + 8 * MINUTE_MS);
    expect(made.service.lastNotify('copy')?.status).toBe('IN_PROGRESS');
    expect(show(made)).toHaveLength(1);
    expect(made.service.close()).toMatchObject({ afterFinal: 0, stampsNotRising: 0 });
  });
});

describe('drop', () => {
  test('of a job: everything that is pending of its ended runs; it is on disk and in the timeline', () => {
    const made = world((_call, ms) => (ms > 5 * MINUTE_MS ? unavailable : undefined), {
      migrationHub: { ...HUB_JOB, artifacts: ['arn:aws:s3:::b/k'] },
    });
    made.service.offer(polledTask('copy'));
    made.runUntil(20 * MINUTE_MS);
    expect(show(made)).toHaveLength(2);
    ask(made, 'drop', { job: 'copy', destination: 'dataPipeline' });
    expect(show(made).map(({ destination }) => destination)).toEqual(['migrationHub']);
    ask(made, 'drop', { job: 'copy' });
    expect(show(made)).toEqual([]);
    const dropped = made.notes.filter((note) => note.event === 'report.dropped');
    expect(dropped.map(({ job, fields }) => [job, fields])).toEqual([
      ['copy', { to: 'dataPipeline', operation: 'SetTaskStatus', by: 'anna' }],
      ['copy', { to: 'migrationHub', operation: 'NotifyMigrationTaskState', by: 'anna' }],
    ]);
    made.crash();
    made.runUntil(30 * MINUTE_MS);
    expect(show(made)).toEqual([]);
    expect(made.state.runs.get('copy/1')).toMatchObject({
      hub: { delivery: { state: 'withheld', reason: 'dropped from the outbox by anna' } },
      pipeline: { delivery: { state: 'withheld' } },
    });
  });

  test('without a job: only what was refused for good, never what waits', () => {
    const made = world((call, ms) => {
      if (ms > 30 * MINUTE_MS) return unavailable;
      return isFinalReport(call) ? refused : undefined;
    });
    start(made);
    made.runUntil(30 * MINUTE_MS);
    start(made);
    made.runUntil(50 * MINUTE_MS);
    expect(show(made).map(({ run, quarantined }) => [run, quarantined])).toEqual([
      [1, true],
      [2, false],
      [2, false],
    ]);
    ask(made, 'drop');
    expect(show(made).map(({ run }) => run)).toEqual([2, 2]);
  });

  test('of an unknown job: nothing, with an error', () => {
    const made = world(() => undefined);
    made.planner.observe(
      {
        type: 'outbox-requested',
        action: 'drop',
        choice: { job: 'nobody' },
        by: 'anna',
        request: 7,
      },
      made.time.now(),
    );
    const answers = made.planner.decide(made.time.now()).filter(({ type }) => type === 'answer');
    expect(answers).toMatchObject([{ request: 7, reply: { ok: false, code: 'no-such-job' } }]);
  });
});
