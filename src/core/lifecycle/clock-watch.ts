/**
 * Watches the two clocks. A jump between them is a step of the wall clock. Turns that are far apart mean that the host
 * slept, or that the process was stopped. The services may then have waited for long: every live pipeline task is
 * reported before anything else, and overdue reports follow by deadline.
 */
import { SECOND_MS } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';
import { isFinal, isPending } from '../model/job.ts';
import type { Run } from '../model/job.ts';
import type { Pacing } from '../scheduling/pacing.ts';
import { pipelineTaskKey } from '../scheduling/reporter-keys.ts';
import type { Reporters } from '../scheduling/reporters.ts';
import type { ResumeHold } from '../scheduling/resume-hold.ts';
import type { ServiceClock } from '../scheduling/service-clock.ts';
import type { PersistentState } from '../state/persistent-state.ts';
import type { Timeline } from '../state/timeline.ts';

/** A smaller step of the wall clock against the boot clock is noise. */
const STEP_MS = 2 * SECOND_MS;
/** The loop turns every ten seconds at least; three times that long was no busy moment. */
const ASLEEP_MS = 30 * SECOND_MS;

interface Parts {
  readonly state: PersistentState;
  readonly clock: ServiceClock;
  readonly pacing: Pacing;
  readonly reporters: Reporters;
  readonly resumeHold: ResumeHold;
  readonly timeline: Timeline;
}

export class ClockWatch {
  readonly #parts: Parts;
  #wallLessBootMs: number;
  #lastTurnMs: number;

  constructor(parts: Parts, now: Now) {
    this.#parts = parts;
    this.#wallLessBootMs = now.wallMs - now.bootMs;
    this.#lastTurnMs = now.bootMs;
  }

  /** The wall clock less the boot clock. */
  get wallLessBootMs(): number {
    return this.#wallLessBootMs;
  }

  /** Call before anything else of a turn. Returns by how much the wall clock was stepped; 0: it was not. */
  check(now: Now): number {
    const { timeline } = this.#parts;
    const stepMs = now.wallMs - now.bootMs - this.#wallLessBootMs;
    const asleepMs = now.bootMs - this.#lastTurnMs;
    this.#lastTurnMs = now.bootMs;
    const isStep = Math.abs(stepMs) >= STEP_MS;
    if (isStep) this.#stepped(stepMs, now);
    if (asleepMs >= ASLEEP_MS) {
      timeline.add('host.woke', now, { asleepS: Math.round(asleepMs / SECOND_MS) });
    }
    if (asleepMs >= ASLEEP_MS || Math.abs(stepMs) >= ASLEEP_MS) this.#resumed(now);
    return isStep ? stepMs : 0;
  }

  #stepped(stepMs: number, now: Now): void {
    this.#wallLessBootMs += stepMs;
    this.#parts.clock.hostStepped(stepMs, now);
    this.#parts.timeline.add('clock.jumped', now, { stepS: Math.round(stepMs / SECOND_MS) });
  }

  #resumed(now: Now): void {
    const { pacing, reporters, resumeHold, state } = this.#parts;
    const keys = [...state.runs.values()].filter(isOwned).map(({ id }) => pipelineTaskKey(id));
    resumeHold.begin(keys, now);
    for (const key of keys) reporters.touch(key);
    // What failed before is no reason to wait now.
    pacing.recovered('unavailable', now.bootMs);
  }
}

/** A run whose pipeline task may still be this host's, and has something to report. */
function isOwned({ pipeline, state }: Run): boolean {
  if (pipeline?.acceptedAt === undefined || !isPending(pipeline.delivery)) return false;
  return !isFinal(state) || pipeline.delivery.state === 'pending';
}
