/** The outbox as it is shown: one entry for each pending report, what it says, and why it has not gone out. */
import { describe, expect, test } from 'vitest';
import { HOUR_MS, MINUTE_MS, after, iso } from '../../../src/core/lib/time.ts';
import type { FinalReport, HubLink, HubTask } from '../../../src/core/model/hub-task.ts';
import { isPendingForPipeline } from '../../../src/core/model/job.ts';
import type { Run } from '../../../src/core/model/job.ts';
import {
  oldestPendingMs,
  outbox,
  outboxOf,
  outboxSize,
} from '../../../src/core/operator/outbox.ts';
import { PersistentState } from '../../../src/core/state/persistent-state.ts';
import { Desk, REFUSED, START, UNAVAILABLE, aRun, aTask, failing } from '../../support/desk.ts';
import { PIPELINE, definition } from '../../support/settings.ts';
import { deskOf, leaseOf } from './outbox-desk.ts';

const STAMP_S = START.wallMs / 1000;

function report(run: string, over: Partial<FinalReport> = {}): FinalReport {
  return {
    run,
    kind: 'end',
    payload: { status: 'FAILED' },
    stampS: STAMP_S,
    since: START,
    ...over,
  };
}

const ended = (number: number, over: Partial<Run> = {}): Run =>
  aRun({ number, state: 'failed', endedAt: START, exitCode: 3, reason: 'exit code 3', ...over });

const shown = (desk: Desk) => {
  const entries = outbox(desk.planner.view(), desk.now);
  expect(outboxSize(desk.planner.view())).toBe(entries.length);
  return entries;
};

describe('a final report', () => {
  test('says what it contains, since when it waits, and nothing failed yet', () => {
    const desk = deskOf((state) => {
      state.recoverRun(ended(1));
      state.recoverHubTask(
        aTask({
          finalReports: [
            report('copy/1', { kind: 'opening', payload: { status: 'IN_PROGRESS' } }),
            report('copy/1', { payload: { status: 'FAILED', detail: 'failed: exit code 3' } }),
            report('copy/9'),
          ],
        }),
      );
    });
    const about = { job: 'copy', destination: 'migrationHub', task: 'copy' };
    const same = { operation: 'NotifyMigrationTaskState', attempts: 0, quarantined: false };
    expect(shown(desk)).toEqual([
      { ...about, run: 1, ...same, since: iso(START.wallMs), message: 'IN_PROGRESS (that it ran)' },
      {
        ...{ ...about, run: 1, ...same, since: iso(START.wallMs) },
        message: 'FAILED (failed: exit code 3)',
      },
      // Its run is no longer known.
      { ...about, ...same, since: iso(START.wallMs), message: 'FAILED' },
    ]);
  });

  test('that cannot be sent shows attempts, reason and next try; the one behind it has none of its own', () => {
    const desk = deskOf(
      (state) => {
        state.recoverRun(ended(1));
        state.recoverHubTask(
          aTask({ lastStampS: STAMP_S, finalReports: [report('copy/1'), report('copy/1')] }),
        );
      },
      failing('NotifyMigrationTaskState', UNAVAILABLE),
    );
    desk.pass(MINUTE_MS);
    const [first, second] = shown(desk);
    expect(first?.attempts).toBeGreaterThan(2);
    expect(second?.attempts).toBe(0);
    for (const entry of [first, second]) expect(entry?.lastError).toBe('ECONNREFUSED');
    expect(Date.parse(first?.nextTryAt ?? '')).toBeGreaterThan(desk.now.wallMs);
    expect(Date.parse(first?.nextTryAt ?? '')).toBeLessThan(desk.now.wallMs + MINUTE_MS);
  });

  test('of a task that is not imported waits for that', () => {
    const desk = deskOf(
      (state) => {
        state.recoverRun(ended(1));
        state.recoverHubTask(aTask({ imported: false, finalReports: [report('copy/1')] }));
      },
      failing('ImportMigrationTask', { kind: 'denied', reason: 'AccessDeniedException' }),
    );
    expect(shown(desk)[0]).toMatchObject({ attempts: 1, lastError: 'AccessDeniedException' });
  });

  test('behind another one of such a task waits for that as well', () => {
    const desk = deskOf(
      (state) => {
        state.recoverRun(ended(1));
        const finalReports = [report('copy/1'), report('copy/1')];
        state.recoverHubTask(aTask({ imported: false, finalReports }));
      },
      failing('ImportMigrationTask', { kind: 'denied', reason: 'AccessDeniedException' }),
    );
    expect(shown(desk)[1]).toMatchObject({ attempts: 0, lastError: 'AccessDeniedException' });
  });
});

test('while the region is not known, that is the reason', () => {
  const state = new PersistentState();
  state.recoverRun(ended(1));
  state.recoverHubTask(aTask({ finalReports: [report('copy/1')] }));
  state.recoverRun(ended(2, { pipeline: leaseOf({ state: 'pending' }) }));
  const desk = new Desk({
    ...{ state, settings: { dataPipeline: PIPELINE } },
    answers: (call) =>
      call.operation === 'GetHomeRegion' ? { kind: 'denied', reason: 'no mgh' } : undefined,
  });
  expect(shown(desk).map(({ operation, lastError }) => [operation, lastError])).toEqual([
    ['NotifyMigrationTaskState', 'no mgh'],
    ['SetTaskStatus', undefined],
  ]);
});

describe('the reason that is shown is the nearest one', () => {
  test('while the stream cannot be made, that is the reason', () => {
    const state = new PersistentState();
    state.metadata = { streams: [], homeRegion: 'eu-central-1' };
    state.recoverRun(ended(1));
    state.recoverHubTask(aTask({ finalReports: [report('copy/1')] }));
    const unavailable = { kind: 'unavailable', reason: 'ECONNREFUSED' } as const;
    const desk = new Desk({ state, answers: failing('CreateProgressUpdateStream', unavailable) });
    desk.pass(MINUTE_MS);
    expect(shown(desk)[0]).toMatchObject({ attempts: 0, lastError: 'ECONNREFUSED' });
  });

  test('a disabled operation shows until when it is not called', () => {
    const desk = deskOf(
      (state) => {
        state.recoverRun(ended(1));
        const links: HubLink[] = [
          { operation: 'AssociateDiscoveredResource', configurationId: 'd-1' },
        ];
        state.recoverHubTask(aTask({ links }));
      },
      failing('AssociateDiscoveredResource', { kind: 'disabled', reason: 'no Discovery role' }),
    );
    desk.pass(1_000);
    const [entry] = shown(desk);
    expect(entry?.lastError).toBe('no Discovery role');
    const untilMs = desk.planner.view().hub.disabledUntilMs('AssociateDiscoveredResource');
    expect(entry?.nextTryAt).toBe(iso(desk.now.wallMs + untilMs - desk.now.bootMs));
  });
});

describe('a link', () => {
  const links: [HubLink, string][] = [
    [
      {
        operation: 'PutResourceAttributes',
        attributes: [
          { type: 'FQDN', value: 'a.example.com' },
          { type: 'IPV4_ADDRESS', value: '10.0.0.1' },
        ],
      },
      'FQDN=a.example.com, IPV4_ADDRESS=10.0.0.1',
    ],
    [{ operation: 'AssociateDiscoveredResource', configurationId: 'd-1' }, 'd-1'],
    [{ operation: 'AssociateSourceResource', name: 'db' }, 'db'],
    [{ operation: 'AssociateCreatedArtifact', artifact: 'arn:a' }, 'arn:a'],
    [
      { operation: 'NotifyApplicationState', application: 'app', status: 'COMPLETED' },
      'app COMPLETED',
    ],
  ];

  test.each(links)('%j reads %s', (link, message) => {
    const desk = deskOf((state) => {
      state.recoverRun(ended(4));
      state.recoverHubTask(aTask({ links: [link], finalReports: [report('copy/4')] }));
    });
    expect(shown(desk).at(-1)).toMatchObject({ run: 4, operation: link.operation, message });
  });

  test('that lacks a policy shows when it is tried again', () => {
    const desk = deskOf(
      (state) => {
        state.recoverHubTask(
          aTask({ links: [{ operation: 'AssociateDiscoveredResource', configurationId: 'd-1' }] }),
        );
      },
      failing('AssociateDiscoveredResource', { kind: 'disabled', reason: 'no role' }),
    );
    expect(shown(desk)[0]).toMatchObject({
      ...{ attempts: 0, lastError: 'no role', job: 'copy' },
      nextTryAt: iso(desk.now.wallMs + HOUR_MS),
    });
  });
});

describe('what was refused for good', () => {
  test('is first, with its reason; a report’s age is its own, a link’s when it was refused', () => {
    const at = after(START, MINUTE_MS);
    const desk = deskOf((state) => {
      state.recoverRun(ended(1));
      state.recoverHubTask(
        aTask({
          finalReports: [report('copy/1')],
          quarantine: [
            { run: 'copy/1', report: report('copy/1'), reason: 'bad', at },
            {
              ...{ run: 'copy/1', reason: 'worse', at },
              link: { operation: 'AssociateCreatedArtifact', artifact: 'arn:a' },
            },
          ],
        }),
      );
    });
    expect(shown(desk).slice(0, 2)).toMatchObject([
      {
        ...{ operation: 'NotifyMigrationTaskState', message: 'FAILED', lastError: 'bad' },
        ...{ since: iso(START.wallMs), attempts: 0, quarantined: true, run: 1 },
      },
      {
        ...{ operation: 'AssociateCreatedArtifact', message: 'arn:a', lastError: 'worse' },
        ...{ since: iso(at.wallMs), quarantined: true },
      },
    ]);
  });

  test('the state of a running job is shown while it is refused', () => {
    const desk = new Desk({
      jobs: [definition('copy')],
      answers: failing('NotifyMigrationTaskState', REFUSED),
    });
    expect(outbox(desk.planner.view(), desk.now)).toEqual([]);
    desk.start('copy');
    expect(outbox(desk.planner.view(), desk.now)).toMatchObject([
      { job: 'copy', run: 1, message: 'the state of the running job', quarantined: true },
    ]);
  });
});

describe('a pipeline task', () => {
  test('shows its final status, and whether it was refused', () => {
    const desk = deskOf((state) => {
      state.recoverRun(ended(1, { pipeline: leaseOf({ state: 'pending' }) }));
      const refused = { state: 'refused', reason: 'x', isRetained: true } as const;
      const { endedAt, ...run } = ended(2, { pipeline: leaseOf(refused) });
      expect(endedAt).toBeDefined();
      state.recoverRun({ ...run, requestedAt: after(START, -MINUTE_MS) });
    });
    const same = { destination: 'dataPipeline', operation: 'SetTaskStatus', task: 'task-1' };
    expect(shown(desk)).toMatchObject([
      {
        ...{ ...same, run: 1, quarantined: false, since: iso(START.wallMs) },
        message: 'FAILED (failed: exit code 3)',
      },
      { ...same, run: 2, quarantined: true, since: iso(START.wallMs - MINUTE_MS) },
    ]);
  });

  test.each<[Partial<Run>, boolean]>([
    [{ pipeline: leaseOf({ state: 'pending' }) }, true],
    [{ pipeline: leaseOf({ state: 'pending' }), state: 'running' }, false],
    [{ pipeline: leaseOf({ state: 'delivered', at: START }) }, false],
    [{}, false],
  ])('%j is pending: %s', (over, expected) => {
    expect(isPendingForPipeline(ended(1, over))).toBe(expected);
  });
});

test('of one job only its own entries', () => {
  const desk = deskOf((state) => {
    state.recoverRun(ended(1, { hub: { task: 'copy', delivery: { state: 'pending' } } }));
    state.recoverRun(ended(2, { hub: { task: 'copy', delivery: { state: 'pending' } } }));
    state.recoverRun(
      ended(1, {
        ...{ job: 'other', id: 'other/1', pipeline: leaseOf({ state: 'pending' }) },
        hub: { task: 'copy', delivery: { state: 'pending' } },
      }),
    );
    state.recoverHubTask(aTask({ finalReports: [report('copy/1'), report('other/1')] }));
  });
  const of = (job: string) =>
    outboxOf(desk.planner.view(), job, desk.now).map((entry) => [entry.job, entry.destination]);
  expect(of('copy')).toEqual([['copy', 'migrationHub']]);
  expect(of('other')).toEqual([
    ['other', 'migrationHub'],
    ['other', 'dataPipeline'],
  ]);
  expect(of('nobody')).toEqual([]);
});

test('the age of the outbox is that of its oldest final report, of either destination', () => {
  const hub = { ...report('copy/1'), since: after(START, 5_000) };
  const at = (fill: (state: PersistentState) => void) =>
    oldestPendingMs(deskOf(fill).planner.view());
  expect(at(() => undefined)).toBeUndefined();
  const withHub = (state: PersistentState): void => {
    state.recoverHubTask(aTask({ finalReports: [hub, report('copy/1')] }));
  };
  expect(at(withHub)).toBe(START.bootMs + 5_000);
  const withBoth = (endedMs: number) => (state: PersistentState) => {
    withHub(state);
    const endedAt = after(START, endedMs);
    state.recoverRun(ended(1, { pipeline: leaseOf({ state: 'pending' }), endedAt }));
    state.recoverRun(ended(2, { endedAt: START }));
  };
  expect(at(withBoth(4_000))).toBe(START.bootMs + 4_000);
  expect(at(withBoth(6_000))).toBe(START.bootMs + 5_000);
});

describe('a link belongs to', () => {
  const link: HubLink = { operation: 'AssociateCreatedArtifact', artifact: 'arn:a' };
  const promise = {
    ...{ run: 'copy/2', payload: { status: 'COMPLETED' as const }, madeAt: START, nextUpdateS: 1 },
    until: START,
  };
  const owner = (over: Partial<HubTask>): number | undefined => {
    const desk = deskOf((state) => {
      for (const number of [1, 2, 3]) state.recoverRun(ended(number));
      state.recoverHubTask(aTask({ links: [link], ...over }));
    });
    return shown(desk).find(({ operation }) => operation === link.operation)?.run;
  };

  test.each<[string, Partial<HubTask>, number | undefined]>([
    ['the run that has the task', { run: 'copy/3', promise, finalReports: [report('copy/1')] }, 3],
    ['else the one that was reported last', { promise, finalReports: [report('copy/1')] }, 2],
    ['else the one whose report is pending', { finalReports: [report('copy/1')] }, 1],
    ['else none', {}, undefined],
  ])('%s', (_whose, over, run) => {
    expect(owner(over)).toBe(run);
  });
});

test('the state of a running job is shown only while nothing of an earlier run is pending', () => {
  const desk = new Desk({
    jobs: [definition('copy')],
    answers: failing('NotifyMigrationTaskState', REFUSED),
  });
  desk.start('copy');
  const states = () =>
    outbox(desk.planner.view(), desk.now).filter(({ message }) =>
      message.startsWith('the state of'),
    );
  expect(states()).toHaveLength(1);
  const task = desk.task('copy');
  task.finalReports.push(report('copy/0'));
  expect(states()).toEqual([]);
  task.finalReports.pop();
  task.run = 'copy/9';
  expect(states()).toEqual([]);
  delete task.run;
  expect(states()).toEqual([]);
});

test('a pipeline task is pending since its run ended', () => {
  const endedAt = after(START, 5_000);
  const desk = deskOf((state) => {
    state.recoverRun(ended(1, { pipeline: leaseOf({ state: 'pending' }), endedAt }));
  });
  expect(shown(desk)[0]?.since).toBe(iso(endedAt.wallMs));
});
