/** When a job starts by its schedule, what of a start that was missed, and what a clock that was set does. */
import { describe, expect, test } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, iso } from '../../../src/core/lib/time.ts';
import type { Now } from '../../../src/core/lib/time.ts';
import type { JobDefinition } from '../../../src/core/model/job.ts';
import type { JobSchedule } from '../../../src/core/model/schedule.ts';
import { EMPTY_CALENDAR } from '../../../src/core/runs/schedules.ts';
import type { Calendar } from '../../../src/core/runs/schedules.ts';
import { PersistentState } from '../../../src/core/state/persistent-state.ts';
import { Desk, START, accepted } from '../../support/desk.ts';
import { definition, settings } from '../../support/settings.ts';

const HOURLY: JobSchedule = { cron: 'hourly', missedStart: 'skip' };
/** The expressions of these tests: at each full hour, each full minute, or never. */
const CALENDAR: Calendar = {
  nextStartMs({ cron }, afterMs) {
    const everyMs = { hourly: HOUR_MS, minutely: MINUTE_MS }[cron];
    return everyMs === undefined ? undefined : (Math.floor(afterMs / everyMs) + 1) * everyMs;
  },
};
const NEXT_HOUR_MS = START.wallMs + HOUR_MS;

function job(schedule: Partial<JobSchedule> = {}, name = 'copy'): JobDefinition {
  return definition(name, { schedule: { ...HOURLY, ...schedule } });
}

function deskOf(
  schedule: Partial<JobSchedule> = {},
  more: { state?: PersistentState; now?: Now } = {},
): Desk {
  return new Desk({ jobs: [job(schedule)], calendar: CALENDAR, ...more });
}

/** A day with these runs: each job ends a second after its start. */
function passWithRuns(desk: Desk, ms: number): void {
  const endMs = desk.now.bootMs + ms;
  while (desk.now.bootMs < endMs) {
    desk.pass(Math.min(SECOND_MS * 30, endMs - desk.now.bootMs));
    for (const run of [...desk.state.liveRuns.values()]) desk.exit(run);
  }
}

const starts = (desk: Desk): number => desk.actionsOf('start-run').length;
const named = (desk: Desk, name: string) =>
  desk.events.filter(({ event }) => event === name).map(({ fields }) => fields);
/** The same agent, so much later at once: the host slept. */
function sleep(desk: Desk, ms: number, wallMs = ms): void {
  desk.now = { wallMs: desk.now.wallMs + wallMs, bootMs: desk.now.bootMs + ms };
  desk.post({ type: 'time-passed' });
}
/** Another agent on the same state. */
function next(desk: Desk, ms: number, schedule: Partial<JobSchedule> = {}): Desk {
  const now = { wallMs: desk.now.wallMs + ms, bootMs: desk.now.bootMs + ms };
  return deskOf(schedule, { state: desk.state, now });
}

describe('a schedule', () => {
  test('starts its job at its time, and again at the next', () => {
    const desk = deskOf();
    expect(desk.planner.view().schedules.due('copy')).toBe(NEXT_HOUR_MS);
    desk.pass(HOUR_MS - 1);
    expect(starts(desk)).toBe(0);
    desk.pass(1);
    expect(starts(desk)).toBe(1);
    expect(desk.runOf('copy').origin).toBe('schedule');
    desk.exit(desk.runOf('copy'));
    passWithRuns(desk, 2 * HOUR_MS);
    expect(starts(desk)).toBe(3);
    expect(desk.state.metadata.schedules).toEqual({
      copy: {
        ...{ cron: 'hourly', dueMs: NEXT_HOUR_MS + 3 * HOUR_MS },
        doneMs: NEXT_HOUR_MS + 2 * HOUR_MS,
      },
    });
  });

  test('that names no time starts nothing; a job without one neither', () => {
    const desk = new Desk({
      jobs: [job({ cron: 'never' }), definition('plain')],
      calendar: CALENDAR,
    });
    passWithRuns(desk, DAY_MS);
    expect([starts(desk), desk.planner.view().schedules.due('copy')]).toEqual([0, undefined]);
    const none = new Desk({ jobs: [job()], calendar: EMPTY_CALENDAR });
    expect(none.planner.view().schedules.nextMs).toBe(Infinity);
  });

  test('waits for no run that still goes on: the start is skipped, with the reason', () => {
    const desk = deskOf();
    desk.pass(2 * HOUR_MS);
    expect(starts(desk)).toBe(1);
    expect(named(desk, 'run.skipped')).toEqual([{ reason: 'copy is starting already (run 1)' }]);
  });

  test('of each job is its own', () => {
    const desk = new Desk({
      jobs: [job(), job({ cron: 'minutely' }, 'often')],
      calendar: CALENDAR,
    });
    desk.pass(MINUTE_MS);
    expect(desk.actionsOf('start-run').map(({ run }) => run.job)).toEqual(['often']);
    expect(desk.planner.view().schedules.nextMs).toBe(START.wallMs + 2 * MINUTE_MS);
  });
});

describe('the next agent', () => {
  test('keeps the time that was due', () => {
    const desk = deskOf();
    const later = next(desk, 10 * MINUTE_MS);
    expect(later.planner.view().schedules.due('copy')).toBe(NEXT_HOUR_MS);
    later.pass(50 * MINUTE_MS);
    expect(starts(later)).toBe(1);
  });

  test('plans anew if the expression or its time zone has changed', () => {
    const desk = deskOf();
    const changed = next(desk, 0, { cron: 'minutely' });
    expect(changed.planner.view().schedules.due('copy')).toBe(START.wallMs + MINUTE_MS);
    const late = next(deskOf(), 90 * MINUTE_MS, { timezone: 'Europe/Berlin' });
    expect(late.planner.view().schedules.due('copy')).toBe(START.wallMs + 2 * HOUR_MS);
    expect(named(late, 'run.missed')).toEqual([]);
    expect(late.state.metadata.schedules?.['copy']).toMatchObject({ timezone: 'Europe/Berlin' });
  });

  test('forgets the schedule of a job that has none any more', () => {
    const desk = deskOf();
    const jobs = new Map([['copy', definition('copy')]]);
    desk.post({ type: 'settings-changed', settings: settings({ jobs }) });
    expect(desk.state.metadata.schedules).toEqual({});
    desk.post({
      type: 'settings-changed',
      settings: settings({ jobs: new Map([['copy', job()]]) }),
    });
    expect(desk.planner.view().schedules.due('copy')).toBe(NEXT_HOUR_MS);
  });
});

describe('a start that is late', () => {
  test('by a minute is no missed one', () => {
    const desk = deskOf();
    sleep(desk, HOUR_MS + MINUTE_MS);
    expect([starts(desk), named(desk, 'run.missed')]).toEqual([1, []]);
  });

  test('by less than half the way to the next, if that is less', () => {
    const late = (ms: number): number => {
      const desk = deskOf({ cron: 'minutely' });
      sleep(desk, MINUTE_MS + ms);
      return named(desk, 'run.missed').length;
    };
    expect([late(30_000), late(30_001)]).toEqual([0, 1]);
  });

  test('by more is missed: it is recorded, counted, and made up for only if the job says so', () => {
    for (const missedStart of ['skip', 'once'] as const) {
      const desk = deskOf({ missedStart });
      sleep(desk, 3 * HOUR_MS + MINUTE_MS + 1);
      const missed = { dueAt: iso(NEXT_HOUR_MS), lateS: 7_260, starts: 3, policy: missedStart };
      expect(named(desk, 'run.missed')).toEqual([missed]);
      expect(starts(desk)).toBe(missedStart === 'once' ? 1 : 0);
      expect(desk.planner.view().schedules.due('copy')).toBe(START.wallMs + 4 * HOUR_MS);
    }
  });

  test('is counted up to a hundred', () => {
    const desk = deskOf({ cron: 'minutely' });
    sleep(desk, 7 * HOUR_MS);
    expect(named(desk, 'run.missed')).toMatchObject([{ starts: 100 }]);
  });

  test('while no agent ran, is judged once the service’s clock is known, or after twenty seconds', () => {
    const state = deskOf().state;
    const now = { wallMs: START.wallMs + 5 * HOUR_MS, bootMs: START.bootMs + 5 * HOUR_MS };
    const waiting = new Desk({
      jobs: [job()],
      calendar: CALENDAR,
      state,
      now,
      answers: () => undefined,
    });
    waiting.pass(19_000);
    expect(named(waiting, 'run.missed')).toEqual([]);
    // It asks a question whose answer shows the time.
    expect(waiting.callsOf('GetHomeRegion')).toHaveLength(1);
    waiting.pass(2_000);
    expect(named(waiting, 'run.missed')).toHaveLength(1);
    const answered = new Desk({
      jobs: [job()],
      calendar: CALENDAR,
      state: deskOf().state,
      now,
      answers: accepted,
    });
    answered.pass(2_000);
    expect(named(answered, 'run.missed')).toHaveLength(1);
  });

  test('without a service to ask is judged at once', () => {
    const { migrationHub, ...alone } = settings({ jobs: new Map([['copy', job()]]) });
    expect(migrationHub).toBeDefined();
    const desk = new Desk({ jobs: [job()], calendar: CALENDAR });
    desk.post({ type: 'settings-changed', settings: alone });
    sleep(desk, 5 * HOUR_MS);
    expect(named(desk, 'run.missed')).toHaveLength(1);
  });
});

describe('a clock that is set back', () => {
  test('within the hour repeats no start', () => {
    const desk = deskOf();
    desk.pass(HOUR_MS);
    desk.exit(desk.runOf('copy'));
    sleep(desk, 0, -10 * MINUTE_MS);
    passWithRuns(desk, 20 * MINUTE_MS);
    expect(starts(desk)).toBe(1);
    expect(desk.planner.view().schedules.due('copy')).toBe(START.wallMs + 2 * HOUR_MS);
  });

  test('by more was wrong before: the times by that clock are dropped', () => {
    const desk = deskOf();
    sleep(desk, 1_000, 10 * HOUR_MS + 1_000);
    passWithRuns(desk, 5_000);
    sleep(desk, 0, -10 * HOUR_MS);
    expect(desk.planner.view().schedules.due('copy')).toBe(NEXT_HOUR_MS);
  });
});

describe('an impossible clock', () => {
  const IN_1970: Now = { wallMs: 60_000, bootMs: START.bootMs };

  test('starts nothing, and plans nothing', () => {
    const desk = deskOf({}, { now: IN_1970 });
    expect(desk.planner.view().schedules.nextMs).toBe(Infinity);
    passWithRuns(desk, 3 * HOUR_MS);
    expect([starts(desk), desk.state.metadata.schedules]).toEqual([0, undefined]);
  });

  test('that is put right plans from there', () => {
    const desk = deskOf({}, { now: IN_1970 });
    sleep(desk, 1_000, START.wallMs);
    expect(desk.planner.view().schedules.due('copy')).toBe(NEXT_HOUR_MS);
    expect([starts(desk), named(desk, 'run.missed')]).toEqual([0, []]);
  });

  test('that comes in between starts nothing by it', () => {
    const desk = deskOf();
    sleep(desk, 0, 60_000 - START.wallMs);
    expect(desk.planner.view().schedules.nextMs).toBe(Infinity);
    sleep(desk, 0, START.wallMs - 60_000);
    desk.pass(HOUR_MS);
    expect(starts(desk)).toBe(1);
  });
});

describe('a clock that the service contradicts', () => {
  /** The service was seen two days ahead of the host; nothing answers now. */
  const wrong = (schedules?: PersistentState['metadata']['schedules']): Desk => {
    const state = new PersistentState();
    state.metadata = { streams: [], clock: { offsetMs: 2 * DAY_MS, at: START } };
    if (schedules !== undefined) state.metadata.schedules = schedules;
    return new Desk({ jobs: [job()], calendar: CALENDAR, state, answers: () => undefined });
  };

  test('marks the times that are planned by it, also those that were known', () => {
    const planned = { cron: 'hourly', dueMs: NEXT_HOUR_MS, isByWrongClock: true };
    expect(wrong().state.metadata.schedules).toEqual({ copy: planned });
    const known = { cron: 'hourly', dueMs: NEXT_HOUR_MS };
    expect(wrong({ copy: known }).state.metadata.schedules).toEqual({ copy: planned });
  });

  test('has missed nothing: what was skipped is recorded, and not made up for', () => {
    const desk = wrong();
    sleep(desk, 5 * HOUR_MS);
    desk.pass(MINUTE_MS);
    expect([named(desk, 'run.missed'), starts(desk)]).toEqual([[], 0]);
    expect(named(desk, 'run.skipped')).toHaveLength(1);
    expect(desk.planner.view().schedules.due('copy')).toBe(START.wallMs + 6 * HOUR_MS);
  });
});

test('a start that was missed is recorded with how late it is, and how many there were', () => {
  const desk = deskOf();
  sleep(desk, 3 * HOUR_MS + 600_600);
  expect(named(desk, 'run.missed')).toEqual([
    { dueAt: iso(NEXT_HOUR_MS), lateS: 2 * 3600 + 601, starts: 3, policy: 'skip' },
  ]);
});

describe('while no time can be believed', () => {
  const IN_1970: Now = { wallMs: 60_000, bootMs: START.bootMs };
  const isHeld = (desk: Desk): boolean => desk.planner.view().schedules.isHeld;

  test('starts wait, if there are any', () => {
    expect(isHeld(deskOf({}, { now: IN_1970 }))).toBe(true);
    expect(isHeld(deskOf())).toBe(false);
    expect(isHeld(new Desk({ jobs: [definition('plain')], now: IN_1970 }))).toBe(false);
  });

  test('a service is asked for the time, unless it is known', () => {
    const asked = (jobs: JobDefinition[]): number => {
      const state = new PersistentState();
      state.metadata = { streams: ['eu-central-1/test-stream'], homeRegion: 'eu-central-1' };
      const desk = new Desk({ jobs, calendar: CALENDAR, state, now: IN_1970, answers: none });
      desk.pass(1_000);
      return desk.callsOf('GetHomeRegion').length;
    };
    const none = () => undefined;
    expect([asked([job()]), asked([definition('plain')])]).toEqual([1, 0]);
    const known = deskOf();
    const before = known.callsOf('GetHomeRegion').length;
    sleep(known, 0, 60_000 - START.wallMs);
    known.pass(5_000);
    expect(known.callsOf('GetHomeRegion')).toHaveLength(before);
  });
});
