/**
 * Schedules: when a job is due next, and what happens with a start that was missed because the agent was down, the host
 * slept or the clock was stepped. Due times are on disk, so that a later agent sees what was missed.
 */
import { defined } from '../lib/defined.ts';
import type { JobSchedule, ScheduleRecord } from '../model/schedule.ts';
import { hasDestination } from '../model/settings.ts';
import type { SettingsHolder } from '../model/settings.ts';
import type { HubConnection } from '../hub/connection.ts';
import type { ServiceClock } from '../scheduling/service-clock.ts';
import type { PersistentState } from '../state/persistent-state.ts';
import type { JobDefinition } from '../model/job.ts';
import type { RunRequests } from './requests.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS, iso } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';

/** Evaluates cron expressions. Pure: the same answer for the same moment. */
export interface Calendar {
  /** The first start after `afterMs` (ms since 1970); undefined: there is none. */
  nextStartMs(schedule: JobSchedule, afterMs: number): number | undefined;
}

/** For a planner without schedules. */
export const EMPTY_CALENDAR: Calendar = { nextStartMs: () => undefined };

/** A start that is late by less than this, and by less than half the way to the next one, is not missed. */
const LATE_MS_MAX = MINUTE_MS;
/** A clock that is set back by more than this was wrong before: due times by that clock are dropped. */
const SET_BACK_MS_MAX = HOUR_MS;
/** Missed starts are counted up to this number. */
const COUNTED_MAX = 100;

const WRONG_CLOCK = "the start seems missed, but the host's clock may be off by a day or more";

type ScheduledJob = JobDefinition & { readonly schedule: JobSchedule };

/** A start that seems missed waits so long for an answer with the service's clock. */
const CONFIRM_MS = 20 * SECOND_MS;

interface Parts {
  readonly clock: ServiceClock;
  readonly hub: HubConnection;
  readonly state: PersistentState;
  readonly settings: SettingsHolder;
}

export class Schedules {
  readonly #parts: Parts;
  readonly #requests: RunRequests;
  readonly #calendar: Calendar;
  readonly #startedAt: Now;
  #nextMs = Infinity;
  /** The clock was not believed when the starts were planned last. */
  #isUnplanned = false;
  /** The starts were planned by a clock that was known to be wrong. */
  #isPlannedWrong = false;

  constructor(parts: Parts, requests: RunRequests, calendar: Calendar, now: Now) {
    this.#parts = parts;
    this.#requests = requests;
    this.#calendar = calendar;
    this.#startedAt = now;
    this.plan(now);
  }

  /** By the wall clock; Infinity: nothing is scheduled. */
  get nextMs(): number {
    return this.#nextMs;
  }

  /** When each job starts next, ms since 1970. */
  due(job: string): number | undefined {
    return this.#parts.state.metadata.schedules?.[job]?.dueMs;
  }

  /** Computes all due times again: after the agent's start, a change of settings, or a clock that was set back. */
  plan(now: Now): void {
    this.#isUnplanned = !this.#isClockBelieved(now);
    if (this.#isUnplanned) {
      this.#nextMs = Infinity;
      return;
    }
    this.#isPlannedWrong = this.#parts.clock.isHostWrong;
    const before = this.#parts.state.metadata.schedules ?? {};
    const after: Record<string, ScheduleRecord> = {};
    for (const { name, schedule } of this.#jobs()) {
      const record = this.#planned(schedule, before[name], now);
      if (record !== undefined) after[name] = record;
    }
    this.#keep(after, JSON.stringify(before) !== JSON.stringify(after));
  }

  timePassed(now: Now): void {
    if (!this.#isClockBelieved(now)) {
      this.#holdAll();
      return;
    }
    if (this.#isUnplanned || this.#isPlannedWrong !== this.#parts.clock.isHostWrong) this.plan(now);
    if (now.wallMs < this.#nextMs) return;
    let isHeld = false;
    let isChanged = false;
    const records = { ...this.#parts.state.metadata.schedules };
    for (const job of this.#jobs()) {
      const record = records[job.name];
      if (record === undefined || record.dueMs > now.wallMs) continue;
      const isMissed = this.#isMissed(job.schedule, record.dueMs, now);
      if (isMissed && !this.#isConfirmed(now)) {
        isHeld = true;
        continue;
      }
      isChanged = true;
      if (isMissed && this.#mayBeWrong) this.#notMissed(job.name, now);
      else this.#isDue(job, record.dueMs, now);
      const next = this.#record(job.schedule, now.wallMs, now.wallMs);
      if (next === undefined) Reflect.deleteProperty(records, job.name);
      else records[job.name] = next;
    }
    this.#keep(records, isChanged);
    if (isHeld) this.#nextMs = now.wallMs + SECOND_MS;
  }

  /** True while jobs wait for a time that can be believed. */
  get isHeld(): boolean {
    return this.#isUnplanned && this.#jobs().length > 0;
  }

  /** Nothing starts by a clock that no service has confirmed, and that is far from what was known: it may be decades off. */
  #isClockBelieved(now: Now): boolean {
    const { clock } = this.#parts;
    return (
      clock.isHostBelieved(now) &&
      (!hasDestination(this.#parts.settings.current) || clock.isVouchedFor(now))
    );
  }

  get #mayBeWrong(): boolean {
    const { clock } = this.#parts;
    return clock.isHostWrong || clock.isDoubtful;
  }

  /** By the services' clock nothing was missed. It is worth an event if that clock is not sure. */
  #notMissed(job: string, now: Now): void {
    const { clock } = this.#parts;
    if (!clock.isConfirmed || clock.isDoubtful) this.skipped(job, WRONG_CLOCK, now);
  }

  #holdAll(): void {
    this.#isUnplanned = true;
    this.#nextMs = Infinity;
    const { clock } = this.#parts;
    const isKnown = clock.isConfirmed && !clock.isDoubtful;
    // Without a job no other call is pending whose answer could show the time.
    if (!isKnown && this.#jobs().length > 0) this.#parts.hub.askTime();
  }

  #isDue(job: ScheduledJob, dueMs: number, now: Now): void {
    const { name, schedule } = job;
    const lateMs = now.wallMs - dueMs;
    if (this.#isMissed(schedule, dueMs, now)) {
      this.#parts.state.addEvent({
        event: 'run.missed',
        at: now,
        job: name,
        fields: {
          dueAt: iso(dueMs),
          lateS: Math.round(lateMs / SECOND_MS),
          starts: this.#count(schedule, dueMs, now),
          policy: schedule.missedStart,
        },
      });
      if (schedule.missedStart === 'skip') return;
    }
    const reply = this.#requests.start(name, 'schedule', now);
    if (!reply.ok) this.skipped(name, reply.message, now);
  }

  #isMissed(schedule: JobSchedule, dueMs: number, now: Now): boolean {
    const afterwardsMs = this.#calendar.nextStartMs(schedule, dueMs) ?? Infinity;
    const patienceMs = Math.min(LATE_MS_MAX, (afterwardsMs - dueMs) / 2);
    return now.wallMs - dueMs > patienceMs;
  }

  /** True if a start may be called missed: the service has confirmed the clock, or no service is configured. */
  #isConfirmed(now: Now): boolean {
    if (this.#parts.clock.isConfirmed || !hasDestination(this.#parts.settings.current)) return true;
    // Any answer shows the time. Without a job no other call is pending.
    this.#parts.hub.confirmRegion(this.#startedAt.bootMs);
    return now.bootMs - this.#startedAt.bootMs >= CONFIRM_MS;
  }

  /** Records that a scheduled start was skipped, for example because the last run has not ended. */
  skipped(job: string, reason: string, now: Now): void {
    this.#parts.state.addEvent({ event: 'run.skipped', at: now, job, fields: { reason } });
  }

  /** How many starts were missed, this one included. */
  #count(schedule: JobSchedule, dueMs: number, now: Now): number {
    let count = 0;
    let atMs: number | undefined = dueMs;
    while (atMs !== undefined && atMs <= now.wallMs && count < COUNTED_MAX) {
      count++;
      atMs = this.#calendar.nextStartMs(schedule, atMs);
    }
    return count;
  }

  #planned(
    schedule: JobSchedule,
    known: ScheduleRecord | undefined,
    now: Now,
  ): ScheduleRecord | undefined {
    const fresh = this.#record(schedule, now.wallMs, undefined);
    if (known?.cron !== schedule.cron || known.timezone !== schedule.timezone) return fresh;
    if (this.#isPlannedWrong) return { ...this.#unlessSetBack(known, fresh), isByWrongClock: true };
    // The clock was put right: a start that was due by the wrong one was not missed.
    return known.isByWrongClock === true ? fresh : this.#unlessSetBack(known, fresh);
  }

  #unlessSetBack(known: ScheduleRecord, fresh: ScheduleRecord | undefined): ScheduleRecord {
    if (fresh === undefined || fresh.dueMs >= known.dueMs) return known;
    // The clock was set back. If it was by an hour at most, starts of that time are not repeated.
    const { doneMs } = known;
    const isRepeated =
      doneMs !== undefined && fresh.dueMs <= doneMs && doneMs - fresh.dueMs <= SET_BACK_MS_MAX;
    return isRepeated ? known : fresh;
  }

  #record(
    schedule: JobSchedule,
    afterMs: number,
    doneMs: number | undefined,
  ): ScheduleRecord | undefined {
    const dueMs = this.#calendar.nextStartMs(schedule, afterMs);
    if (dueMs === undefined) return undefined;
    const { cron, timezone } = schedule;
    const isByWrongClock = this.#parts.clock.isHostWrong || undefined;
    return { cron, dueMs, ...defined({ timezone, doneMs, isByWrongClock }) };
  }

  #keep(records: Record<string, ScheduleRecord>, isChanged: boolean): void {
    this.#nextMs = Math.min(Infinity, ...Object.values(records).map(({ dueMs }) => dueMs));
    if (!isChanged) return;
    this.#parts.state.metadata.schedules = records;
    this.#parts.state.saveMetadata();
  }

  #jobs(): ScheduledJob[] {
    return [...this.#parts.settings.current.jobs.values()].filter(
      (job): job is ScheduledJob => job.schedule !== undefined,
    );
  }
}
