/** Clocks that nobody should believe: a dead battery, a date of decades ahead, a first answer that is years off. */
import { describe, expect, test } from 'vitest';
import type { NotifyCall } from '../../src/core/model/call.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/core/lib/time.ts';
import { defined } from '../../src/core/lib/defined.ts';
import type { Settings } from '../../src/core/model/settings.ts';
import { problems } from '../../src/core/operator/health.ts';
import { createCalendar } from '../../src/system/calendar.ts';
import { HUB, definition, settings } from '../support/settings.ts';
import { World } from '../support/world.ts';
import type { WorldOptions } from '../support/world.ts';

const YEAR_MS = 365 * DAY_MS;

class Clocks extends World {
  constructor(over: Partial<WorldOptions> = {}, schedule = false, more: Partial<Settings> = {}) {
    const cron = { cron: '0 2 * * *', timezone: 'UTC', missedStart: 'once' } as const;
    super({
      seed: 2,
      failing: 0,
      settings: settings({
        jobs: new Map([['copy', definition('copy', schedule ? { schedule: cron } : {})]]),
        ...more,
      }),
      jobs: { durationMs: () => HOUR_MS, exitCode: () => 0, progressEveryMs: MINUTE_MS },
      calendar: createCalendar(),
      ...over,
    });
    this.calls = [];
  }

  pass(ms: number): void {
    this.runUntil(this.time.now().bootMs + ms);
  }

  start(): void {
    this.post({ type: 'start-requested', job: 'copy', origin: 'operator' });
  }

  /** How far each stamp was from the truth. */
  stampErrorsMs(): number[] {
    return (this.calls ?? []).flatMap(({ call, atMs }) =>
      call.operation === 'NotifyMigrationTaskState'
        ? [Math.abs(stampMs(call) - (this.time.trueMs() - this.time.now().bootMs + atMs))]
        : [],
    );
  }

  events(): string[] {
    return this.notes.map(({ event }) => event);
  }
}

function stampMs({ stampS }: NotifyCall): number {
  return stampS * SECOND_MS;
}

const WRONG = [-56 * YEAR_MS, 100 * YEAR_MS, 10 * YEAR_MS, -5 * YEAR_MS];

describe('stamps', () => {
  test.each(WRONG)('a host that is %i ms off stamps nothing before it knows better', (wrongMs) => {
    const world = new Clocks();
    world.time.stepWall(wrongMs);
    world.crash();
    world.start();
    world.pass(2 * HOUR_MS);
    const errors = world.stampErrorsMs();
    expect(errors.length).toBeGreaterThan(5);
    expect(Math.max(...errors)).toBeLessThan(MINUTE_MS);
    expect(world.service.close()).toMatchObject({ staleMs: 0, stampsNotRising: 0 });
  });

  test.each(WRONG)(
    'a host that is rebooted into a clock that is %i ms off, in the middle of a job',
    (wrongMs) => {
      const world = new Clocks();
      world.start();
      world.pass(20 * MINUTE_MS);
      world.time.stepWall(wrongMs);
      delete world.state.metadata.clock;
      world.crash();
      world.pass(2 * HOUR_MS);
      expect(Math.max(...world.stampErrorsMs())).toBeLessThan(MINUTE_MS);
      expect(world.service.close()).toMatchObject({ staleMs: 0, stampsNotRising: 0 });
    },
  );

  test('one answer whose Date is years off, before all others, moves no stamp', () => {
    let isFirst = true;
    const world = new Clocks({
      outcome: (call) => {
        if (!isFirst || call.operation !== 'GetHomeRegion') return undefined;
        isFirst = false;
        const serverDateMs = Date.UTC(2036, 0, 1);
        return { kind: 'accepted', answer: { homeRegion: 'us-west-2' }, serverDateMs };
      },
    });
    world.start();
    world.pass(2 * HOUR_MS);
    expect(isFirst).toBe(false);
    const errors = world.stampErrorsMs();
    expect(errors.length).toBeGreaterThan(5);
    expect(Math.max(...errors)).toBeLessThan(MINUTE_MS);
  });

  test('the end of a run that was made in 1970 is stamped anew when the time is known', () => {
    const world = new Clocks({ isOut: (_call, bootMs) => bootMs < 3 * HOUR_MS });
    world.time.stepWall(-56 * YEAR_MS);
    world.crash();
    world.start();
    world.pass(2 * HOUR_MS);
    expect(world.state.runs.get('copy/1')?.state).toBe('succeeded');
    world.pass(2 * HOUR_MS);
    expect(world.state.hubTasks.get('copy')?.promise?.payload.status).toBe('COMPLETED');
    const stampS = world.state.hubTasks.get('copy')?.lastStampS ?? 0;
    const endedMs = world.time.trueMs() - world.time.now().bootMs + HOUR_MS;
    expect(Math.abs(stampS * SECOND_MS - endedMs)).toBeLessThan(MINUTE_MS);
  });
});

describe('schedules', () => {
  test('a boot in 1970, put right later, makes up for nothing that was not missed', () => {
    const world = new Clocks({}, true);
    world.pass(HOUR_MS);
    world.time.stepWall(-56 * YEAR_MS);
    world.crash();
    world.pass(10 * MINUTE_MS);
    world.time.stepWall(56 * YEAR_MS);
    world.pass(10 * MINUTE_MS);
    expect(world.events()).not.toContain('run.missed');
    expect(world.state.runs.size).toBe(0);
    world.pass(2 * HOUR_MS);
    expect(world.state.runs.size).toBe(1);
  });

  test('a boot decades ahead starts nothing and calls nothing missed', () => {
    const world = new Clocks({}, true);
    world.pass(HOUR_MS);
    world.time.stepWall(20 * YEAR_MS);
    world.crash();
    world.pass(10 * MINUTE_MS);
    expect(world.events()).not.toContain('run.missed');
    expect(world.state.runs.size).toBe(0);
    world.time.stepWall(-20 * YEAR_MS);
    world.pass(2 * HOUR_MS);
    expect(world.state.runs.size).toBe(1);
  });

  test.each([HOUR_MS, 10 * MINUTE_MS])(
    'one wild Date, and no answer for %i ms around the start: the job starts on time by the host’s clock',
    (outMs) => {
      const dueMs = 2 * HOUR_MS;
      let wild = 0;
      const world = new Clocks(
        {
          isOut: (_call, bootMs) => Math.abs(bootMs - dueMs) < outMs / 2 && bootMs > HOUR_MS,
          outcome: (call, bootMs) => {
            if (bootMs > HOUR_MS || wild++ > 0 || call.operation !== 'GetHomeRegion')
              return { kind: 'unavailable', reason: 'test' };
            const serverDateMs = Date.UTC(2056, 0, 1);
            return { kind: 'accepted', answer: { homeRegion: 'us-west-2' }, serverDateMs };
          },
        },
        true,
      );
      // The planner asks for the region with its first report.
      world.post({ type: 'job-submitted', definition: definition('other') });
      world.pass(dueMs + 30 * SECOND_MS);
      const [run] = [...world.state.runs.values()].filter(({ job }) => job === 'copy');
      expect(world.planner.view().clock.isDoubtful).toBe(true);
      expect(run?.requestedAt.bootMs).toBeLessThan(dueMs + 30 * SECOND_MS);
      expect(world.events()).not.toContain('run.missed');
    },
  );

  test.each([30, -5])(
    'a boot that is %i years off while no service answers starts nothing, and says why',
    (years) => {
      const world = new Clocks({ isOut: (_call, bootMs) => bootMs > HOUR_MS }, true);
      world.start();
      world.pass(90 * MINUTE_MS);
      const { clock } = world.state.metadata;
      expect(clock).toBeDefined();
      world.time.stepWall(years * YEAR_MS);
      // As after a reboot: how far the clock was moved meanwhile cannot be seen.
      const now = world.time.now();
      const at = clock?.at ?? now;
      const bootMs = now.bootMs - (now.wallMs - at.wallMs);
      world.state.metadata.clock = { offsetMs: 0, at: { wallMs: at.wallMs, bootMs } };
      world.crash();
      const runs = world.state.runs.size;
      world.pass(3 * DAY_MS);
      expect(world.state.runs.size).toBe(runs);
      expect(world.events()).not.toContain('run.missed');
      expect(problems(world.planner.view(), world.time.now()).join()).toContain(
        'scheduled starts wait: the clock of this host shows 20',
      );
      // Put right, it is believed at once, although no service answers yet.
      world.time.stepWall(-years * YEAR_MS);
      world.pass(DAY_MS);
      expect(world.state.runs.size).toBe(runs + 1);
      expect(problems(world.planner.view(), world.time.now()).join()).not.toContain(
        'scheduled starts',
      );
    },
  );

  test('a host that was off for months asks for the time before it makes up for a start, with a configured region too', () => {
    for (const region of [undefined, 'eu-central-1']) {
      const migrationHub = { ...HUB, ...defined({ region }) };
      const world = new Clocks({}, true, { migrationHub });
      world.start();
      world.pass(90 * MINUTE_MS);
      expect(world.state.metadata.clock).toBeDefined();
      world.crash();
      world.time.moveTo(world.time.now().bootMs + 100 * DAY_MS);
      const runs = world.state.runs.size;
      world.crash();
      world.calls = [];
      world.pass(MINUTE_MS);
      expect(world.calls.map(({ call }) => call.operation)).toContain('GetHomeRegion');
      expect(world.events().filter((event) => event === 'run.missed')).toHaveLength(1);
      expect(world.state.runs.size).toBe(runs + 1);
    }
  });

  test('a start that was missed while no agent ran is made up for, once the time is confirmed', () => {
    const world = new Clocks({}, true);
    world.pass(HOUR_MS);
    world.sleep(3 * HOUR_MS);
    world.crash();
    world.pass(MINUTE_MS);
    expect(world.events()).toContain('run.missed');
    expect(world.state.runs.size).toBe(1);
  });
});
