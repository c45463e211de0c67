/**
 * The host's clocks. The only file that reads them.
 *
 * `performance.now()` is fine-grained but stands still while the host is suspended (CLOCK_MONOTONIC);
 * `os.uptime()` counts that time (CLOCK_BOOTTIME) in steps of 10 ms. The boot clock is the first, corrected by the
 * second whenever they part by more than its grain.
 */
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import type { Now } from '../core/lib/time.ts';
import type { Clock } from '../ports.ts';

/** More than uptime's grain and a busy moment between two readings; less than any real suspend. */
const DRIFT_MS_MAX = 200;
/** Node fires a timer at once when it is set for longer than 2^31 ms; nobody here sleeps that long. */
const SLEEP_MS_MAX = 60_000;

export function createClock(): Clock {
  const bootId = readBootId();
  let offsetMs = uptime() * 1000 - performance.now();

  function now(): Now {
    const monotonicMs = performance.now();
    const uptimeMs = uptime() * 1000;
    const behindMs = uptimeMs - (monotonicMs + offsetMs);
    if (Math.abs(behindMs) > DRIFT_MS_MAX) offsetMs += behindMs;
    return { wallMs: Date.now(), bootMs: monotonicMs + offsetMs };
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
    // No Linux /proc: without the boot's name every restart is taken for a reboot, the safe side.
    return `unknown-${Date.now()}`;
  }
}
