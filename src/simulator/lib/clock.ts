/**
 * The simulator's only source of time: a clock that may run faster than the host's. Everything else gets the time as
 * an argument, so that a virtual clock can replace this one.
 */
/* eslint-disable no-restricted-globals -- the one file of the simulator that reads the host's clock and sets its timers */

export interface SimulatorClock {
  /** Simulated time, in milliseconds since 1970. */
  now(): number;
  /** Calls `wake` once, `delayMs` of simulated time from now. Returns a function that cancels it. */
  after(delayMs: number, wake: () => void): () => void;
}

/** setTimeout fires at once if the delay is over 2^31 - 1 ms. Longer delays are made of steps of this length. */
const TIMER_MS_MAX = 2_000_000_000;

/** Simulated time starts at the host's wall time, or at `notBefore` if that is later, and runs `speed` times as fast. */
export function createClock(speed = 1, notBefore = 0): SimulatorClock {
  const startedAt = Math.max(Date.now(), notBefore);
  const startedMono = performance.now();
  const now = (): number => startedAt + (performance.now() - startedMono) * speed;

  return {
    now,
    after(delayMs, wake) {
      const wakeAt = now() + delayMs;
      let timer: NodeJS.Timeout;
      const arm = (): void => {
        const realMs = Math.min(Math.max((wakeAt - now()) / speed, 0), TIMER_MS_MAX);
        timer = setTimeout(() => (now() + 0.5 >= wakeAt ? wake() : arm()), Math.ceil(realMs));
      };
      arm();
      return () => {
        clearTimeout(timer);
      };
    },
  };
}

/** For a page or a log: `2026-08-24T10:00:00.000Z`. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** Data Pipeline writes its times in UTC, whole seconds, without a zone (see the PollForTask sample). */
export function pipelineTime(ms: number): string {
  return isoTime(ms).slice(0, 19);
}

/** Reads a time of Data Pipeline. Undefined if the text is not one. */
export function parsePipelineTime(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$/.test(text)) return undefined;
  const ms = Date.parse(`${text}Z`);
  return Number.isNaN(ms) ? undefined : ms;
}

/** For the HTTP `Date` header. */
export function httpDate(ms: number): string {
  return new Date(ms).toUTCString();
}
