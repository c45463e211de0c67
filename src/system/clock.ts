/**
 * The host's clocks. The only file that reads them.
 *
 * `performance.now()` is fine-grained but stands still while the host is suspended (CLOCK_MONOTONIC);
 * `os.uptime()` counts that time (CLOCK_BOOTTIME) in steps of 10 ms. The boot clock is the first, corrected by the
 * second if they differ by more than its grain.
 */
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import type { Now } from '../core/lib/time.ts';
import type { Clock } from '../ports.ts';

/** More than uptime's grain and a busy moment between two readings; less than any real suspend. */
const DRIFT_MS_MAX = 200;
/** `os.uptime()` reads a file of /proc. It is asked again after so long, or as soon as the wall clock shows a jump. */
const UPTIME_EVERY_MS = 1_000;
/** NTP slews the wall clock by 0.5 ms a second at most; a suspend or a step moves it by more than this. */
const WALL_JUMP_MS = 20;
/** Node fires a timer of more than 2^31 ms at once, so no timer is set for longer than this. */
const SLEEP_MS_MAX = 60_000;

/** The three clocks of the host, in milliseconds. */
export interface Readings {
  readonly monotonicMs: () => number;
  readonly uptimeMs: () => number;
  readonly wallMs: () => number;
}

const HOST: Readings = {
  monotonicMs: () => performance.now(),
  uptimeMs: () => uptime() * 1000,
  wallMs: () => Date.now(),
};

export function createClock(host: Readings = HOST): Clock {
  const bootId = readBootId();
  let readAtMs = -Infinity;
  let wallAheadMs = 0;
  let offsetMs = host.uptimeMs() - host.monotonicMs();

  function now(): Now {
    const monotonicMs = host.monotonicMs();
    const wallMs = host.wallMs();
    const hasJumped = Math.abs(wallMs - monotonicMs - wallAheadMs) > WALL_JUMP_MS;
    if (hasJumped || monotonicMs - readAtMs >= UPTIME_EVERY_MS) {
      readAtMs = monotonicMs;
      wallAheadMs = wallMs - monotonicMs;
      const behindMs = host.uptimeMs() - (monotonicMs + offsetMs);
      if (Math.abs(behindMs) > DRIFT_MS_MAX) offsetMs += behindMs;
    }
    return { wallMs, bootMs: monotonicMs + offsetMs };
  }

  return {
    bootId,
    now,
    wakeAt(bootMs, wake) {
      const waitMs = Math.min(Math.max(0, bootMs - now().bootMs), SLEEP_MS_MAX);
      const timer = setTimeout(wake, Math.ceil(waitMs));
      return () => clearTimeout(timer);
    },
  };
}

function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    // Without Linux's /proc the boot has no name, so each restart counts as a reboot, which is safe.
    return `unknown-${Date.now()}`;
  }
}
