/**
 * How an operation is doing: how many calls may be in flight, when it is paused and why, and how long a
 * speaker waits before it repeats itself. The gate holds the published limit; this holds what experience adds.
 *
 *   throttled    the service's own word (RetryAfterSeconds, Retry-After) or 1 s, 2 s, 4 s … 60 s; then at 0.7 of the
 *                rate, and a little more with each accepted call, until it is the configured one again
 *   unavailable  up to 0.5 s, 1 s, 2 s … 30 s, one call at a time until one is accepted
 *   denied       30 s, 60 s … 5 min: credentials do not come back faster for being asked
 */
import type { Operation, Outcome } from '../model/call.ts';
import { MINUTE_MS, SECOND_MS } from '../lib/time.ts';

const IN_FLIGHT_MAX = 32;

interface Ladder {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** Failures of the way to the service: what is said is not to blame, and the operation pauses. */
type Trouble = 'throttled' | 'unavailable' | 'denied' | 'no-home-region';

const LADDERS: Readonly<Record<Trouble, Ladder>> = {
  throttled: { firstMs: SECOND_MS, maxMs: MINUTE_MS },
  unavailable: { firstMs: SECOND_MS / 2, maxMs: 30 * SECOND_MS },
  denied: { firstMs: 30 * SECOND_MS, maxMs: 5 * MINUTE_MS },
  'no-home-region': { firstMs: MINUTE_MS, maxMs: 5 * MINUTE_MS },
};

/** After a throttle the rate is this part of what it was (multiplicative decrease) … */
const SLOW_DOWN = 0.7;
/** … never less than this part of the configured one … */
const SPEED_MIN = 1 / 16;
/** … and each accepted call gives back this part of the configured one (additive increase). */
const SPEED_UP = 1 / 100;

/**
 * How much one call weighs in what is known of the success: the last few hundred count, so that luck does not; at first
 * each counts for more, as if ten had gone well before. A promise that was made cannot be taken back.
 */
const SUCCESS_WEIGHT_MIN = 1 / 400;
const SUCCESSES_TO_BEGIN = 10;
/** An outage says nothing of the time after it. */
const SUCCESS_MIN = 1 / 2;

export interface OperationHealth {
  /** Failures since the last accepted call. */
  problems: number;
  pausedUntilMs: number;
  /** The part of the configured rate that the service lets through, as far as experience goes: 1 is all of it. */
  speed: number;
  /** The part of the calls that got through lately: what fails must be said again, and costs budget twice. */
  success: number;
  because?: string;
  /** What kind the last trouble was. */
  trouble?: Trouble;
  inFlight: number;
  accepted: number;
  throttled: number;
  failed: number;
}

/** What a settled call changed, for the log. */
export type PaceChange = 'failing' | 'recovered' | undefined;

/** Failures in a row before an operation counts as failing: a single one is everyday. */
const TROUBLES_TO_TELL = 3;

export class Pacing {
  readonly #paces = new Map<Operation, OperationHealth>();

  of(operation: Operation): OperationHealth {
    let pace = this.#paces.get(operation);
    if (pace === undefined) {
      pace = {
        problems: 0,
        pausedUntilMs: 0,
        speed: 1,
        success: 1,
        inFlight: 0,
        accepted: 0,
        throttled: 0,
        failed: 0,
      };
      this.#paces.set(operation, pace);
    }
    return pace;
  }

  all(): Iterable<[Operation, OperationHealth]> {
    return this.#paces;
  }

  /** How the last call of the operation failed, if none has succeeded since. */
  failureOf(operation: Operation): string | undefined {
    return this.#paces.get(operation)?.because;
  }

  /** How many more calls may be begun now. After a failure one goes ahead to see. */
  room(operation: Operation, nowMs: number): number {
    const pace = this.of(operation);
    if (nowMs < pace.pausedUntilMs) return 0;
    if (pace.problems > 0) return 1 - pace.inFlight;
    const room = IN_FLIGHT_MAX - pace.inFlight;
    // At a lowered rate each call waits for its gap.
    return pace.speed < 1 ? Math.min(1, room) : room;
  }

  /** A call begins: at a lowered rate the next one waits. `perSecond` is the configured rate. */
  began(operation: Operation, nowMs: number, perSecond: number): void {
    const pace = this.of(operation);
    pace.inFlight++;
    if (pace.speed >= 1) return;
    const gapMs = SECOND_MS / (perSecond * pace.speed);
    pace.pausedUntilMs = Math.max(pace.pausedUntilMs, nowMs + gapMs);
  }

  settled(operation: Operation, outcome: Outcome, nowMs: number, random: () => number): PaceChange {
    const pace = this.of(operation);
    const got = outcome.kind === 'unavailable' || outcome.kind === 'throttled' ? 0 : 1;
    const settled = pace.accepted + pace.throttled + pace.failed;
    const weight = Math.max(SUCCESS_WEIGHT_MIN, 1 / (settled + SUCCESSES_TO_BEGIN));
    pace.success = Math.max(SUCCESS_MIN, pace.success + (got - pace.success) * weight);
    switch (outcome.kind) {
      case 'accepted':
      case 'refused':
      case 'missing':
      case 'gone':
      case 'disabled': {
        // The service answered: whatever is wrong is wrong with the payload, not with the way.
        const wasFailing = pace.problems >= TROUBLES_TO_TELL;
        if (wasFailing) this.#lookAgain(pace.trouble, nowMs, random);
        // A pause after trouble is over; the gap of a lowered rate is not.
        if (pace.problems > 0 && pace.speed >= 1) pace.pausedUntilMs = 0;
        pace.problems = 0;
        delete pace.because;
        if (outcome.kind === 'accepted') {
          pace.accepted++;
          pace.speed = Math.min(1, pace.speed + SPEED_UP);
        } else {
          pace.failed++;
        }
        return wasFailing ? 'recovered' : undefined;
      }
      case 'throttled':
      case 'unavailable':
      case 'denied':
      case 'no-home-region': {
        if (outcome.kind === 'throttled') {
          pace.throttled++;
          // Calls that were under way together are one lesson, not many.
          if (pace.problems === 0) pace.speed = Math.max(SPEED_MIN, pace.speed * SLOW_DOWN);
        } else {
          pace.failed++;
        }
        const ladder = LADDERS[outcome.kind];
        const stepMs = Math.min(ladder.firstMs * 2 ** Math.min(pace.problems, 20), ladder.maxMs);
        // Full jitter for an outage, so that a fleet does not come back at one moment; at least half of
        // the step where the service has spoken.
        const waitMs =
          outcome.kind === 'unavailable' ? stepMs * random() : stepMs * (0.5 + random() / 2);
        pace.trouble = outcome.kind;
        const saidMs = outcome.kind === 'throttled' ? (outcome.retryAfterMs ?? 0) : 0;
        pace.pausedUntilMs = Math.max(pace.pausedUntilMs, nowMs + Math.max(waitMs, saidMs));
        pace.because = outcome.reason;
        pace.problems++;
        return pace.problems === TROUBLES_TO_TELL ? 'failing' : undefined;
      }
    }
  }

  /** The cause may have been removed: pauses for this kind of failure end. */
  recovered(trouble: Trouble, nowMs: number): void {
    for (const pace of this.#paces.values()) {
      if (pace.problems > 0 && pace.trouble === trouble) pace.pausedUntilMs = nowMs;
    }
  }

  /**
   * One operation is back after an outage, or has credentials again: the others may be, and each sends one call ahead
   * to see. What the service has said of its own (slow down) is not cut short.
   */
  #lookAgain(recoveredFrom: Trouble | undefined, nowMs: number, random: () => number): void {
    for (const pace of this.#paces.values()) {
      const isAlike = pace.trouble === 'unavailable' || pace.trouble === recoveredFrom;
      if (pace.problems === 0 || !isAlike || pace.trouble === 'throttled') continue;
      pace.pausedUntilMs = Math.min(pace.pausedUntilMs, nowMs + SECOND_MS * random());
    }
  }
}

/**
 * How long one speaker waits before it repeats a call that failed: 1 s, 2 s, 4 s … 30 s with jitter, but never
 * more than a quarter of the slack it has, so that several tries fit before the deadline.
 */
export function retryDelayMs(attempts: number, slackMs: number, random: () => number): number {
  const stepMs = Math.min(SECOND_MS * 2 ** Math.min(attempts - 1, 10), 30 * SECOND_MS);
  const boundMs = Math.max(SECOND_MS, slackMs / 4);
  return Math.min(stepMs, boundMs) * (0.5 + random() / 2);
}
