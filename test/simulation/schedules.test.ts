/** Schedules by a real calendar in virtual time: starts, what still goes on, what was missed, clocks that are stepped. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PersistentState } from '../../src/core/state/persistent-state.ts';
import { Planner } from '../../src/core/planner.ts';
import type { JobSchedule } from '../../src/core/model/schedule.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/core/lib/time.ts';
import type { Now } from '../../src/core/lib/time.ts';
import { openStore } from '../../src/store/store.ts';
import type { SqliteStore } from '../../src/store/store.ts';
import { createCalendar } from '../../src/system/calendar.ts';
import { memoryLog } from '../support/ports.ts';
import { definition, settings } from '../support/settings.ts';
import { FAST_DIRECTORY } from '../support/fast-directory.ts';

const NOON_MS = Date.UTC(2026, 10, 24, 12);
const calendar = createCalendar();

let directory: string;
let host: Host;

beforeEach(() => {
  directory = mkdtempSync(join(FAST_DIRECTORY, 'schedules-'));
});

afterEach(() => {
  host.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** A host with a real store: its agent comes and goes, its jobs end when the test ends them. */
class Host {
  wallMs = NOON_MS;
  bootMs = 1000;
  bootId = 'boot-1';
  readonly notes: { event: string; at: string; fields: Readonly<Record<string, unknown>> }[] = [];
  schedule: JobSchedule;
  #store: SqliteStore | undefined;
  #planner: Planner | undefined;

  constructor(schedule: Partial<JobSchedule> = {}) {
    this.schedule = { cron: '0 2 * * *', timezone: 'UTC', missedStart: 'skip', ...schedule };
    this.start();
  }

  start(): void {
    this.#store = openStore(directory, this.bootId, memoryLog());
    const state: PersistentState = this.#store.load(this.#now());
    this.#planner = new Planner(state, this.#settings(), this.#now(), () => 0.5, calendar);
    this.turn();
  }

  stop(): void {
    this.#store?.close();
    this.#store = undefined;
    this.#planner = undefined;
  }

  /** No agent runs for so long. */
  away(ms: number): void {
    this.stop();
    this.wallMs += ms;
    this.bootMs += ms;
    this.start();
  }

  reschedule(schedule: Partial<JobSchedule>): void {
    this.schedule = { ...this.schedule, ...schedule };
    this.#planner?.observe({ type: 'settings-changed', settings: this.#settings() }, this.#now());
    this.turn();
  }

  /** Turns when the planner wants to, and every ten seconds at the latest, as the inbox does. */
  pass(ms: number): void {
    const endMs = this.bootMs + ms;
    while (this.bootMs < endMs) {
      const wakeMs = this.#planner?.wakeAtMs() ?? Infinity;
      const nextMs = Math.min(Math.max(wakeMs, this.bootMs + 1), this.bootMs + HOUR_MS, endMs);
      this.wallMs += nextMs - this.bootMs;
      this.bootMs = nextMs;
      this.turn();
    }
  }

  turn(): void {
    const planner = this.#planner!;
    planner.observe({ type: 'time-passed' }, this.#now());
    this.#commit();
    for (const action of planner.decide(this.#now())) {
      if (action.type !== 'start-run') continue;
      const process = { pid: 1, bootId: this.bootId, startTicks: '1' };
      planner.observe({ type: 'run-started', run: action.run.id, process }, this.#now());
      this.#commit();
    }
  }

  /** The run that goes on ends well. */
  end(): void {
    const planner = this.#planner!;
    for (const run of planner.view().state.liveRuns.keys()) {
      planner.observe({ type: 'run-exited', run, exitCode: 0 }, this.#now());
    }
    this.turn();
  }

  started(): string[] {
    return this.notes.filter(({ event }) => event === 'job.starting').map(({ at }) => at);
  }

  entries(event: string): Readonly<Record<string, unknown>>[] {
    return this.notes.filter((note) => note.event === event).map(({ fields }) => fields);
  }

  nextStartAt(): string {
    return new Date(this.#planner!.view().schedules.due('nightly')!).toISOString();
  }

  #now(): Now {
    return { wallMs: this.wallMs, bootMs: this.bootMs };
  }

  #settings() {
    const { migrationHub, ...job } = definition('nightly', { schedule: this.schedule });
    expect(migrationHub).toBeDefined();
    return settings({ jobs: new Map([['nightly', job]]), migrationHub: undefined as never });
  }

  #commit(): void {
    const changes = this.#planner!.takeChanges(this.#now());
    this.#store!.commit(changes);
    for (const { event, at, fields } of changes.events) {
      this.notes.push({ event, at: new Date(at.wallMs).toISOString(), fields });
    }
  }
}

describe('a scheduled job', () => {
  test('starts at its time, to the millisecond, and again the next day', () => {
    host = new Host();
    expect(host.nextStartAt()).toBe('2026-11-25T02:00:00.000Z');
    for (let day = 0; day < 2; day++) {
      host.pass(DAY_MS);
      host.end();
    }
    expect(host.started()).toEqual(['2026-11-25T02:00:00.000Z', '2026-11-26T02:00:00.000Z']);
    expect(host.entries('run.missed')).toEqual([]);
  });

  test('is not started again while a run of it is live: the first skipped start is logged, the following are not', () => {
    host = new Host();
    host.pass(2 * DAY_MS);
    expect(host.started()).toHaveLength(1);
    expect(host.entries('run.skipped')).toEqual([{ reason: 'nightly is running already (run 1)' }]);
    host.end();
    host.pass(DAY_MS);
    expect(host.started()).toHaveLength(2);
  });

  test('a changed expression counts from now', () => {
    host = new Host();
    host.reschedule({ cron: '0 13 * * *' });
    expect(host.nextStartAt()).toBe('2026-11-24T13:00:00.000Z');
    host.away(2 * HOUR_MS);
    host.stop();
    host.schedule = { ...host.schedule, cron: '30 13 * * *' };
    host.start();
    // 13:30 had passed before anybody knew of it.
    expect(host.nextStartAt()).toBe('2026-11-25T13:30:00.000Z');
  });
});

describe('a start that was missed', () => {
  test('while the agent was down is logged once, and skipped', () => {
    host = new Host();
    host.away(3 * DAY_MS);
    host.pass(HOUR_MS);
    expect(host.started()).toEqual([]);
    expect(host.entries('run.missed')).toEqual([
      {
        dueAt: '2026-11-25T02:00:00.000Z',
        lateS: (3 * DAY_MS - 14 * HOUR_MS) / 1000,
        starts: 3,
        policy: 'skip',
      },
    ]);
    expect(host.nextStartAt()).toBe('2026-11-28T02:00:00.000Z');
    host.away(MINUTE_MS);
    expect(host.entries('run.missed')).toHaveLength(1);
  });

  test('is made up for once with `once`, however many there were, and by one agent only', () => {
    host = new Host({ missedStart: 'once' });
    host.away(3 * DAY_MS);
    expect(host.started()).toEqual(['2026-11-27T12:00:00.000Z']);
    host.end();
    host.away(MINUTE_MS);
    host.away(MINUTE_MS);
    expect(host.started()).toHaveLength(1);
    expect(host.entries('run.missed')).toHaveLength(1);
  });

  test('over a reboot of the host, by the wall clock', () => {
    host = new Host({ missedStart: 'once' });
    host.stop();
    host.wallMs += DAY_MS;
    host.bootMs = 500;
    host.bootId = 'boot-2';
    host.start();
    expect(host.started()).toEqual(['2026-11-25T12:00:00.000Z']);
  });

  test('while the host slept: the clocks go on, and the loop does not run', () => {
    host = new Host();
    host.wallMs += DAY_MS;
    host.bootMs += DAY_MS;
    host.turn();
    expect(host.entries('run.missed')).toMatchObject([{ starts: 1, policy: 'skip' }]);
    expect(host.started()).toEqual([]);
  });

  test('a restart of the agent over the minute misses nothing', () => {
    host = new Host();
    host.pass(14 * HOUR_MS - 10 * SECOND_MS);
    host.away(40 * SECOND_MS);
    expect(host.started()).toEqual(['2026-11-25T02:00:30.000Z']);
    expect(host.entries('run.missed')).toEqual([]);
  });

  test('of a schedule by seconds, half the way to the next start is late', () => {
    host = new Host({ cron: '*/10 * * * * *' });
    host.away(4 * SECOND_MS);
    host.pass(10 * SECOND_MS);
    host.end();
    expect(host.entries('run.missed')).toEqual([]);
    host.away(27 * SECOND_MS);
    expect(host.entries('run.missed')).toMatchObject([{ starts: 3 }]);
  });
});

describe('a clock that is stepped', () => {
  test('back over a start that was made does not bring it again', () => {
    host = new Host();
    host.pass(14 * HOUR_MS + MINUTE_MS);
    host.end();
    host.wallMs -= 10 * MINUTE_MS;
    host.turn();
    host.pass(HOUR_MS);
    expect(host.started()).toHaveLength(1);
    host.pass(DAY_MS);
    expect(host.started()).toHaveLength(2);
  });

  test('back by years does not put the schedule to sleep for years', () => {
    host = new Host();
    host.wallMs += 4 * 365 * DAY_MS;
    host.turn();
    expect(host.entries('run.missed')).toMatchObject([{ starts: 100 }]);
    host.wallMs -= 4 * 365 * DAY_MS;
    host.turn();
    expect(host.nextStartAt()).toBe('2026-11-25T02:00:00.000Z');
    host.pass(DAY_MS);
    expect(host.started()).toHaveLength(1);
  });
});

describe('the nights in which the clocks change', () => {
  test('the skipped hour has no start, the repeated one has one', () => {
    host = new Host({ cron: '30 2 * * *', timezone: 'Europe/Berlin' });
    const startedFrom = (at: string): string[] => {
      host.wallMs = Date.parse(at);
      host.turn();
      host.reschedule({});
      const before = host.started().length;
      for (let day = 0; day < 3; day++) {
        host.pass(DAY_MS);
        host.end();
      }
      return host.started().slice(before);
    };
    expect(startedFrom('2026-10-24T12:00:00Z')).toEqual([
      '2026-10-25T00:30:00.000Z',
      '2026-10-26T01:30:00.000Z',
      '2026-10-27T01:30:00.000Z',
    ]);
    expect(startedFrom('2027-03-27T12:00:00Z')).toEqual([
      '2027-03-29T00:30:00.000Z',
      '2027-03-30T00:30:00.000Z',
    ]);
  });
});

describe('clocks that change', () => {
  /** The starts from the moment on, with an agent that restarts every so often; each run ends within minutes. */
  function startsFrom(from: string, hours: number, restartEveryMs: number): string[] {
    host.away(Date.parse(from) - host.wallMs);
    const before = host.started().length;
    for (let passedMs = 0; passedMs < hours * HOUR_MS; passedMs += restartEveryMs) {
      host.pass(restartEveryMs - MINUTE_MS);
      host.end();
      host.away(MINUTE_MS);
      host.end();
    }
    return host.started().slice(before);
  }

  test.each([
    ['Europe/Berlin', '30 2 * * *', ['10-31T00:30', '11-01T01:30']],
    ['Antarctica/Troll', '15 1 * * *', ['10-30T23:15', '11-01T01:15']],
  ])('back, %s: the start of a repeated hour is made once', (timezone, cron, starts) => {
    host = new Host({ cron, timezone });
    // Restarts fall between the two passes; in 2027 the clocks go back on 31 October.
    const found = startsFrom('2027-10-30T13:00:00Z', 38, 25 * MINUTE_MS);
    expect(found.map((at) => at.slice(5, 16))).toEqual(starts);
    expect(host.entries('run.skipped')).toEqual([]);
  });

  test('forward, Berlin: the start of the skipped hour falls out, and is not called missed', () => {
    host = new Host({ cron: '30 2 * * *', timezone: 'Europe/Berlin' });
    host.reschedule({ missedStart: 'once' });
    const found = startsFrom('2027-03-27T13:00:00Z', 38, 25 * MINUTE_MS);
    expect(found.map((at) => at.slice(5, 16))).toEqual(['03-29T00:30']);
    expect(host.entries('run.missed').filter(({ dueAt }) => String(dueAt) > '2027-03-28')).toEqual(
      [],
    );
  });
});
