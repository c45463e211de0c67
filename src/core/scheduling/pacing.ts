/**
 * The health of an operation: how many calls may be in flight, when it is paused and why, and how long a reporter waits
 * before it repeats a call. The gate keeps the published limit; this file adapts to how the service answers.
 *
 *   throttled    for as long as the service says (RetryAfterSeconds, Retry-After) or 1 s, 2 s, 4 s … 60 s; then at 0.7 of
 *                the rate, and a little more with each accepted call, until it is the configured one again
 *   unavailable  up to 0.5 s, 1 s, 2 s … 30 s, one call at a time until one is accepted
 *   denied       30 s, 60 s … 5 min: somebody has to fix the credentials or permissions first
 */
import { MINUTE_MS, SECOND_MS } from '../lib/time.ts';
import type { Operation, Outcome } from '../model/call.ts';

/**
 * Calls of an operation in flight: a second's worth, since the budget of a second is used up only if as many calls are in
 * flight as its answers take seconds. Each call has a connection of its own, and a process 1,024 descriptors at least.
 */
const IN_FLIGHT_MIN = 32;
const IN_FLIGHT_MAX = 256;

/** Doubles from the first to the longest pause. */
interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** Failures that are not caused by the payload: the whole operation pauses. */
type Failure = 'throttled' | 'unavailable' | 'denied' | 'no-home-region';

const BACKOFFS: Readonly<Record<Failure, Backoff>> = {
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
 * The weight of one call in the success rate: the last few hundred calls count, so that chance does not move it. The
 * first calls weigh more, as if ten calls had succeeded before.
 */
const SUCCESS_WEIGHT_MIN = 1 / 400;
const SUCCESSES_TO_BEGIN = 10;
/** An outage must not shrink the budget afterwards. */
const SUCCESS_MIN = 1 / 2;

export interface OperationHealth {
  /** Failures since the last accepted call. */
  problems: number;
  pausedUntilMs: number;
  /** The part of the configured rate that the service accepts, as observed: 1 is all of it. */
  speed: number;
  /** The part of recent calls that succeeded: a failed call is repeated and uses the budget twice. */
  success: number;
  because?: string;
  lastFailure?: Failure;
  inFlight: number;
  accepted: number;
  throttled: number;
  failed: number;
}

/** How a settled call changed the operation's health, for the log. */
type HealthChange = 'failing' | 'recovered' | undefined;

/** Failures in a row before an operation counts as failing: one or two are everyday. */
const FAILING_FROM = 3;
/** These do not end by themselves: somebody has to fix credentials, permissions or the account. The first one counts. */
const PERMANENT: ReadonlySet<Failure> = new Set<Failure>(['denied', 'no-home-region']);

/** True if an operator should know: the operation's calls fail, and it is not a passing fault. */
export function isFailing({ problems, lastFailure }: OperationHealth): boolean {
  if (problems === 0 || lastFailure === undefined) return false;
  return PERMANENT.has(lastFailure) || problems >= FAILING_FROM;
}

export class Pacing {
  readonly #healths = new Map<Operation, OperationHealth>();

  of(operation: Operation): OperationHealth {
    let health = this.#healths.get(operation);
    if (health === undefined) {
      health = {
        problems: 0,
        pausedUntilMs: 0,
        speed: 1,
        success: 1,
        inFlight: 0,
        accepted: 0,
        throttled: 0,
        failed: 0,
      };
      this.#healths.set(operation, health);
    }
    return health;
  }

  all(): Iterable<[Operation, OperationHealth]> {
    return this.#healths;
  }

  /** How the last call of the operation failed, if none has succeeded since. */
  failureOf(operation: Operation): string | undefined {
    return this.#healths.get(operation)?.because;
  }

  /** How many more calls may begin now. After a failure it is one, as a probe. */
  room(operation: Operation, nowMs: number, perSecond: number): number {
    const health = this.of(operation);
    if (nowMs < health.pausedUntilMs) return 0;
    if (health.problems > 0) return 1 - health.inFlight;
    const inFlightMax = Math.min(IN_FLIGHT_MAX, Math.max(IN_FLIGHT_MIN, Math.ceil(perSecond)));
    const room = inFlightMax - health.inFlight;
    // At a lowered rate each call waits for its gap.
    return health.speed < 1 ? Math.min(1, room) : room;
  }

  /** Records that a call begins. At a lowered rate the next one has to wait. `perSecond` is the configured rate. */
  began(operation: Operation, nowMs: number, perSecond: number): void {
    const health = this.of(operation);
    health.inFlight++;
    if (health.speed >= 1) return;
    const gapMs = SECOND_MS / (perSecond * health.speed);
    health.pausedUntilMs = Math.max(health.pausedUntilMs, nowMs + gapMs);
  }

  settled(
    operation: Operation,
    outcome: Outcome,
    nowMs: number,
    random: () => number,
  ): HealthChange {
    const health = this.of(operation);
    const { kind } = outcome;
    const hasSucceeded = kind === 'unavailable' || kind === 'throttled' ? 0 : 1;
    const settled = health.accepted + health.throttled + health.failed;
    const weight = Math.max(SUCCESS_WEIGHT_MIN, 1 / (settled + SUCCESSES_TO_BEGIN));
    const success = health.success + (hasSucceeded - health.success) * weight;
    health.success = Math.max(SUCCESS_MIN, success);
    switch (kind) {
      case 'accepted':
      case 'refused':
      case 'missing':
      case 'gone':
      case 'disabled':
        return this.#answered(health, kind === 'accepted', nowMs, random);
      case 'throttled':
        return failed(health, kind, outcome.reason, nowMs, random, outcome.retryAfterMs);
      case 'unavailable':
      case 'denied':
      case 'no-home-region':
        return failed(health, kind, outcome.reason, nowMs, random);
    }
  }

  /** Ends all pauses for this kind of failure, since its cause may have been removed. */
  recovered(failure: Failure, nowMs: number): void {
    for (const health of this.#healths.values()) {
      if (health.problems > 0 && health.lastFailure === failure) health.pausedUntilMs = nowMs;
    }
  }

  /** The service answered. If the call was rejected, its payload is to blame and not the way to the service. */
  #answered(
    health: OperationHealth,
    isAccepted: boolean,
    nowMs: number,
    random: () => number,
  ): HealthChange {
    const wasFailing = isFailing(health);
    if (wasFailing) this.#tryOthers(health.lastFailure, nowMs, random);
    // A pause after a failure is over; the gap of a lowered rate is not.
    if (health.problems > 0 && health.speed >= 1) health.pausedUntilMs = 0;
    health.problems = 0;
    delete health.because;
    if (isAccepted) {
      health.accepted++;
      health.speed = Math.min(1, health.speed + SPEED_UP);
    } else {
      health.failed++;
    }
    return wasFailing ? 'recovered' : undefined;
  }

  /**
   * One operation works again after an outage or with new credentials. Others may, too: each sends one call to find out.
   * A pause that the service asked for (throttling) is not cut short.
   */
  #tryOthers(recoveredFrom: Failure | undefined, nowMs: number, random: () => number): void {
    for (const health of this.#healths.values()) {
      const { lastFailure, problems } = health;
      if (problems === 0 || lastFailure === 'throttled') continue;
      if (lastFailure !== 'unavailable' && lastFailure !== recoveredFrom) continue;
      health.pausedUntilMs = Math.min(health.pausedUntilMs, nowMs + SECOND_MS * random());
    }
  }
}

/** Records a failure of the connection, a denial or a throttle. */
function failed(
  health: OperationHealth,
  failure: Failure,
  reason: string,
  nowMs: number,
  random: () => number,
  retryAfterMs = 0,
): HealthChange {
  if (failure === 'throttled') {
    health.throttled++;
    // Throttled calls that were in flight together slow the operation down once.
    if (health.problems === 0) health.speed = Math.max(SPEED_MIN, health.speed * SLOW_DOWN);
  } else {
    health.failed++;
  }
  const wasFailing = isFailing(health);
  const { firstMs, maxMs } = BACKOFFS[failure];
  const stepMs = Math.min(firstMs * 2 ** Math.min(health.problems, 20), maxMs);
  // Full jitter after an outage, so that the agents of a fleet do not all call at one moment; at least half of the step
  // if the service answered.
  const waitMs = failure === 'unavailable' ? stepMs * random() : stepMs * (0.5 + random() / 2);
  health.lastFailure = failure;
  health.pausedUntilMs = Math.max(health.pausedUntilMs, nowMs + Math.max(waitMs, retryAfterMs));
  health.because = reason;
  health.problems++;
  return isFailing(health) && !wasFailing ? 'failing' : undefined;
}

/**
 * How long one reporter waits before it repeats a call that failed: 1 s, 2 s, 4 s … 30 s with jitter, but never
 * more than a quarter of its slack, so that several attempts fit before the deadline.
 */
export function retryDelayMs(attempts: number, slackMs: number, random: () => number): number {
  const stepMs = Math.min(SECOND_MS * 2 ** Math.min(attempts - 1, 10), 30 * SECOND_MS);
  const boundMs = Math.max(SECOND_MS, slackMs / 4);
  return Math.min(stepMs, boundMs) * (0.5 + random() / 2);
}
