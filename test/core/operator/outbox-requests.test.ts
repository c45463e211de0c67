/** What `outbox retry` and `outbox drop` do: to which entries, in which order, with what reply. */
import { describe, expect, test } from 'vitest';
import { HOUR_MS, MINUTE_MS, after } from '../../../src/core/lib/time.ts';
import type { FinalReport, Quarantined } from '../../../src/core/model/hub-task.ts';
import type { Delivery, Run } from '../../../src/core/model/job.ts';
import type { OutboxChoice } from '../../../src/core/model/outbox.ts';
import type { PersistentState } from '../../../src/core/state/persistent-state.ts';
import type { Desk } from '../../support/desk.ts';
import { START, UNAVAILABLE, aRun, aTask, accepted } from '../../support/desk.ts';
import { deskOf, leaseOf } from './outbox-desk.ts';

const STAMP_S = START.wallMs / 1000;
const REFUSED: Delivery = { state: 'refused', reason: 'ValidationException', isRetained: true };

function report(run: string, stampS: number, kind: FinalReport['kind'] = 'end'): FinalReport {
  return { run, kind, payload: { status: 'FAILED', detail: run }, stampS, since: START };
}

function quarantined(run: string, stampS: number): Quarantined {
  return { run, report: report(run, stampS), reason: 'ValidationException', at: START };
}

const REFUSAL = { kind: 'refused', reason: 'ValidationException' } as const;

const ended = (number: number, over: Partial<Run> = {}): Run =>
  aRun({ number, state: 'failed', endedAt: START, ...over });

function ask(desk: Desk, action: 'retry' | 'drop', choice: OutboxChoice = {}): string {
  const event = { type: 'outbox-requested', action, choice, by: 'anna', request: 1 } as const;
  return desk.post(event)?.message ?? 'no reply';
}

test('a job that nobody knows is refused; one that has never run is not', () => {
  const desk = deskOf(() => undefined);
  expect(ask(desk, 'retry', { job: 'nobody' })).toBe('there is no job "nobody"');
  expect(desk.replies.at(-1)).toMatchObject({ ok: false, code: 'no-such-job' });
  expect(ask(desk, 'retry', { job: 'copy' })).toBe('0 reports are tried now');
  const forgotten = deskOf((state) => state.recoverRun(ended(1, { job: 'gone', id: 'gone/1' })));
  expect(ask(forgotten, 'drop', { job: 'gone' })).toBe('0 reports dropped');
});

describe('retry', () => {
  test('a refused report takes its place among the pending ones by its stamp', () => {
    const desk = deskOf((state) => {
      for (const number of [1, 2, 3]) {
        state.recoverRun(ended(number, { hub: { task: 'copy', delivery: REFUSED } }));
      }
      const finalReports = [report('copy/2', STAMP_S + 20)];
      const quarantine = [quarantined('copy/3', STAMP_S + 30), quarantined('copy/1', STAMP_S + 10)];
      state.recoverHubTask(aTask({ finalReports, quarantine, lastStampS: STAMP_S + 30 }));
    });
    expect(ask(desk, 'retry')).toBe('3 reports are tried now');
    expect(desk.task('copy').finalReports.map(({ run }) => run)).toEqual([
      ...['copy/1', 'copy/2', 'copy/3'],
    ]);
    expect(desk.task('copy').quarantine).toBeUndefined();
    // Whoever waits for the delivery waits again.
    expect(desk.state.runs.get('copy/1')?.hub?.delivery).toEqual({ state: 'pending' });
  });

  test('only what is chosen: a job, a destination', () => {
    const fill = (state: PersistentState): void => {
      state.recoverRun(ended(1, { hub: { task: 'copy', delivery: REFUSED } }));
      state.recoverRun(ended(1, { job: 'other', id: 'other/1', pipeline: leaseOf(REFUSED) }));
      state.recoverHubTask(aTask({ quarantine: [quarantined('copy/1', STAMP_S)] }));
    };
    const delivery = (desk: Desk) => [
      desk.state.runs.get('copy/1')?.hub?.delivery.state,
      desk.state.runs.get('other/1')?.pipeline?.delivery.state,
    ];
    const choices: [OutboxChoice, string[]][] = [
      [{ job: 'copy' }, ['pending', 'refused']],
      [{ job: 'other' }, ['refused', 'pending']],
      [{ destination: 'migrationHub' }, ['pending', 'refused']],
      [{ destination: 'dataPipeline' }, ['refused', 'pending']],
      [{}, ['pending', 'pending']],
    ];
    for (const [choice, states] of choices) {
      const desk = deskOf(fill);
      const message = ask(desk, 'retry', choice);
      expect(delivery(desk), JSON.stringify(choice)).toEqual(states);
      const count = states.filter((state) => state === 'pending').length;
      expect(message).toBe(count === 1 ? '1 report is tried now' : '2 reports are tried now');
    }
  });

  test('a refused report that later ones have overtaken stays, and the reply says so', () => {
    const promise = (run: string, status: 'IN_PROGRESS' | 'FAILED', atMs: number) => ({
      ...{ run, payload: { status }, nextUpdateS: 300 },
      ...{ madeAt: after(START, atMs), until: after(START, atMs + 300_000) },
    });
    const cases: [ReturnType<typeof promise>, boolean][] = [
      [promise('copy/1', 'FAILED', -1), true],
      [promise('copy/1', 'IN_PROGRESS', 1), false],
      [promise('copy/2', 'IN_PROGRESS', -1), false],
      [promise('copy/2', 'IN_PROGRESS', 0), true],
    ];
    for (const [made, isLate] of cases) {
      const desk = deskOf((state) => {
        state.recoverRun(ended(1, { hub: { task: 'copy', delivery: REFUSED } }));
        state.recoverHubTask(
          aTask({ promise: made, quarantine: [quarantined('copy/1', STAMP_S)] }),
        );
      });
      const message = ask(desk, 'retry');
      expect(desk.task('copy').quarantine?.length ?? 0, JSON.stringify(made)).toBe(isLate ? 1 : 0);
      expect(message).toBe(
        isLate
          ? '0 reports are tried now; 1 cannot be sent any more, for later ones have been: outbox drop discards them'
          : '1 report is tried now',
      );
    }
  });

  test('a refused link is tried again, and never too late', () => {
    const link = { operation: 'AssociateCreatedArtifact', artifact: 'arn:a' } as const;
    const desk = deskOf((state) => {
      const quarantine = [{ run: 'copy/1', link, reason: 'x', at: START }];
      const promise = {
        ...{ run: 'copy/2', payload: { status: 'COMPLETED' as const }, nextUpdateS: 300 },
        ...{ madeAt: START, until: after(START, 300_000) },
      };
      state.recoverRun(ended(1));
      state.recoverHubTask(aTask({ quarantine, promise }));
    });
    expect(ask(desk, 'retry')).toBe('1 report is tried now');
    expect(desk.task('copy').links).toEqual([link]);
  });

  test('a final status of a pipeline task that waits is sent at once, whole', () => {
    const desk = deskOf(
      (state) => state.recoverRun(ended(1, { pipeline: leaseOf({ state: 'pending' }) })),
      (call) => (call.operation === 'SetTaskStatus' ? REFUSAL : accepted(call)),
    );
    desk.pass(MINUTE_MS);
    const count = desk.callsOf('SetTaskStatus').length;
    expect(desk.state.runs.get('copy/1')?.pipeline?.delivery.state).toBe('refused');
    desk.answers = accepted;
    expect(ask(desk, 'retry', { job: 'copy' })).toBe('1 report is tried now');
    expect(desk.replies.at(-1)?.ok).toBe(true);
    expect(desk.callsOf('SetTaskStatus')).toHaveLength(count + 1);
    expect(desk.callsOf('SetTaskStatus').at(-1)).toMatchObject({ errorId: 'JobNotStarted' });
    expect(desk.state.runs.get('copy/1')?.pipeline?.delivery.state).toBe('delivered');
  });

  test('a refused opening leaves the run’s delivery as it is; so does a report of a run without a task', () => {
    const desk = deskOf((state) => {
      const delivered: Delivery = { state: 'delivered', at: START };
      state.recoverRun(ended(1, { hub: { task: 'copy', delivery: delivered } }));
      state.recoverRun(ended(2));
      const opening = report('copy/1', STAMP_S, 'opening');
      const quarantine = [
        { ...quarantined('copy/1', STAMP_S), report: opening },
        quarantined('copy/2', STAMP_S),
      ];
      state.recoverHubTask(aTask({ quarantine, lastStampS: STAMP_S }));
    });
    expect(ask(desk, 'retry')).toBe('2 reports are tried now');
    expect(desk.state.runs.get('copy/1')?.hub?.delivery.state).toBe('delivered');
    expect(desk.state.runs.get('copy/2')).not.toHaveProperty('hub');
  });

  test('after a permission was granted the call is made at once, whether it was denied or disabled', () => {
    let isGranted = false;
    const desk = deskOf(
      (state) => {
        state.recoverRun(ended(1, { hub: { task: 'copy', delivery: { state: 'pending' } } }));
        const links = [
          { operation: 'AssociateDiscoveredResource', configurationId: 'd-server-1' } as const,
        ];
        state.recoverHubTask(
          aTask({ finalReports: [report('copy/1', STAMP_S)], links, lastStampS: STAMP_S }),
        );
      },
      (call) => {
        if (isGranted) return accepted(call);
        if (call.operation === 'NotifyMigrationTaskState') {
          return { kind: 'denied', reason: 'AccessDeniedException' };
        }
        if (call.operation !== 'AssociateDiscoveredResource') return accepted(call);
        return { kind: 'disabled', reason: 'no Discovery role' };
      },
    );
    desk.pass(MINUTE_MS / 6);
    isGranted = true;
    desk.calls.length = 0;
    ask(desk, 'retry');
    const made = desk.calls.map(({ operation }) => operation);
    expect(made).toContain('NotifyMigrationTaskState');
    expect(made).toContain('AssociateDiscoveredResource');
    expect(desk.state.runs.get('copy/1')?.hub?.delivery.state).toBe('delivered');
  });

  test('an outage is probed at once; a pause that the service asked for stays', () => {
    const pauses = (outcome: typeof UNAVAILABLE): boolean => {
      const desk = deskOf(
        (state) => {
          state.recoverRun(ended(1, { hub: { task: 'copy', delivery: { state: 'pending' } } }));
          const finalReports = [report('copy/1', STAMP_S)];
          state.recoverHubTask(aTask({ finalReports, lastStampS: STAMP_S }));
        },
        (call) => (call.operation === 'NotifyMigrationTaskState' ? outcome : accepted(call)),
      );
      desk.pass(MINUTE_MS);
      const before = desk.callsOf('NotifyMigrationTaskState').length;
      ask(desk, 'retry');
      return desk.callsOf('NotifyMigrationTaskState').length > before;
    };
    expect(pauses(UNAVAILABLE)).toBe(true);
    const reason = 'ThrottlingException';
    expect(pauses({ kind: 'throttled', reason, retryAfterMs: HOUR_MS })).toBe(false);
  });
});

describe('drop', () => {
  test('without a job only what was refused goes; what is merely pending stays', () => {
    const desk = deskOf((state) => {
      state.recoverRun(ended(1, { pipeline: leaseOf({ state: 'pending' }) }));
      state.recoverRun(ended(2, { pipeline: leaseOf(REFUSED) }));
      state.recoverRun(ended(3, { hub: { task: 'copy', delivery: REFUSED } }));
      state.recoverHubTask(
        aTask({
          finalReports: [report('copy/1', STAMP_S)],
          quarantine: [quarantined('copy/3', STAMP_S)],
          links: [{ operation: 'AssociateCreatedArtifact', artifact: 'arn:a' }],
        }),
      );
    });
    expect(ask(desk, 'drop')).toBe('2 reports dropped');
    expect(desk.state.runs.get('copy/1')?.pipeline?.delivery).toEqual({ state: 'pending' });
    const dropped = { state: 'withheld', reason: 'dropped from the outbox by anna' };
    expect(desk.state.runs.get('copy/2')?.pipeline?.delivery).toEqual(dropped);
    expect(desk.state.runs.get('copy/3')?.hub?.delivery).toEqual(dropped);
    expect(desk.task('copy')).toMatchObject({ finalReports: [{ run: 'copy/1' }] });
    expect(desk.task('copy').links).toHaveLength(1);
    expect(desk.task('copy').quarantine).toBeUndefined();
  });

  test('with a job all that its ended runs have pending, and nothing of another job', () => {
    const desk = deskOf((state) => {
      state.recoverRun(
        ended(1, {
          hub: { task: 'copy', delivery: { state: 'pending' } },
          pipeline: leaseOf({ state: 'pending' }),
        }),
      );
      state.recoverRun(
        ended(1, {
          ...{ job: 'other', id: 'other/1' },
          hub: { task: 'copy', delivery: { state: 'pending' } },
        }),
      );
      state.recoverHubTask(
        aTask({
          finalReports: [
            report('copy/1', STAMP_S, 'opening'),
            report('copy/1', STAMP_S + 1),
            report('other/1', STAMP_S + 2),
          ],
          links: [{ operation: 'AssociateCreatedArtifact', artifact: 'arn:a' }],
        }),
      );
    });
    expect(ask(desk, 'drop', { job: 'copy' })).toBe('4 reports dropped');
    expect(desk.task('copy')).toMatchObject({ finalReports: [{ run: 'other/1' }], links: [] });
    expect(desk.state.runs.get('copy/1')).toMatchObject({
      hub: { delivery: { state: 'withheld' } },
      pipeline: { delivery: { state: 'withheld' } },
    });
    expect(desk.state.runs.get('other/1')?.hub?.delivery).toEqual({ state: 'pending' });
    const events = desk.events.filter(({ event }) => event === 'report.dropped');
    expect(events.map(({ job, fields }) => [job, fields])).toEqual([
      ['copy', { to: 'migrationHub', operation: 'NotifyMigrationTaskState', by: 'anna' }],
      ['copy', { to: 'migrationHub', operation: 'NotifyMigrationTaskState', by: 'anna' }],
      ['copy', { to: 'migrationHub', operation: 'AssociateCreatedArtifact', by: 'anna' }],
      ['copy', { to: 'dataPipeline', operation: 'SetTaskStatus', by: 'anna' }],
    ]);
  });

  test('a refused link is named with its operation, and of its own run, whatever the task is of now', () => {
    const link = { operation: 'AssociateCreatedArtifact', artifact: 'arn:a' } as const;
    const desk = deskOf((state) => {
      state.recoverRun(ended(1));
      state.recoverRun(ended(2));
      const quarantine = [{ run: 'copy/1', link, reason: 'x', at: START }];
      state.recoverHubTask(aTask({ quarantine, finalReports: [report('copy/2', STAMP_S)] }));
    });
    expect(ask(desk, 'drop')).toBe('1 report dropped');
    expect(desk.replies.at(-1)?.ok).toBe(true);
    const events = desk.events.filter(({ event }) => event === 'report.dropped');
    expect(events.map(({ run, fields }) => [run, fields])).toEqual([
      ['copy/1', { to: 'migrationHub', operation: 'AssociateCreatedArtifact', by: 'anna' }],
    ]);
    expect(desk.task('copy')).not.toHaveProperty('quarantine');
  });

  test('links go with the run that the task is of: the live one, the last promised, the first that waits', () => {
    const link = { operation: 'AssociateCreatedArtifact', artifact: 'arn:a' } as const;
    const promise = {
      ...{ run: 'other/1', payload: { status: 'IN_PROGRESS' as const }, nextUpdateS: 300 },
      ...{ madeAt: START, until: after(START, 300_000) },
    };
    const owners: [string, Parameters<typeof aTask>[0]][] = [
      ['other', { run: 'other/1', finalReports: [report('copy/1', STAMP_S)] }],
      ['other', { promise, finalReports: [report('copy/1', STAMP_S)] }],
      ['copy', { finalReports: [report('copy/1', STAMP_S), report('other/1', STAMP_S + 1)] }],
    ];
    for (const [job, over] of owners) {
      const desk = deskOf((state) => {
        state.recoverRun(ended(1));
        state.recoverRun(ended(1, { job: 'other', id: 'other/1' }));
        state.recoverHubTask(aTask({ ...over, links: [link], lastStampS: STAMP_S + 1 }));
      });
      const others = job === 'copy' ? 'other' : 'copy';
      ask(desk, 'drop', { job: others });
      expect(desk.task('copy').links, JSON.stringify(over)).toEqual([link]);
      ask(desk, 'drop', { job });
      expect(desk.task('copy').links).toEqual([]);
    }
  });

  test('a dropped opening leaves the run’s delivery as it is', () => {
    const desk = deskOf((state) => {
      state.recoverRun(ended(1, { hub: { task: 'copy', delivery: { state: 'pending' } } }));
      const refused = { ...quarantined('copy/1', STAMP_S), report: report('copy/1', 1, 'opening') };
      state.recoverHubTask(aTask({ quarantine: [refused] }));
    });
    expect(ask(desk, 'drop')).toBe('1 report dropped');
    expect(desk.state.runs.get('copy/1')?.hub?.delivery).toEqual({ state: 'pending' });
  });
});
