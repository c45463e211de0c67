/**
 * Watches the two clocks. A jump between them is a step of the wall clock; turns that are far apart mean that the host
 * slept, or that the process stood still. After either nobody knows for sure how long the services have waited: every
 * live pipeline task is reported before anything else is said, and who lapsed meanwhile is told next, by deadline.
 */
import type { Context } from '../scheduling/context.ts';
import { isFinal } from '../model/job.ts';
import { isPending } from '../model/job.ts';
import { pipelineTaskKey } from '../scheduling/reporter-keys.ts';
import { SECOND_MS } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';

/** A step of the wall clock against the boot clock that is worth telling. */
const STEP_MS = 2 * SECOND_MS;
/** The loop turns every ten seconds at least; what is longer than three of these was no busy moment. */
const ASLEEP_MS = 30 * SECOND_MS;

export class ClockWatch {
  readonly #context: Context;
  #wallLessBootMs: number;
  #seenMs: number;

  /** Learns what an earlier agent knew of the service's clock. */
  constructor(context: Context, now: Now) {
    this.#context = context;
    this.#wallLessBootMs = now.wallMs - now.bootMs;
    this.#seenMs = now.bootMs;
    const { clock } = context.state.metadata;
    if (clock === undefined) return;
    const stepMs = this.#wallLessBootMs - (clock.at.wallMs - clock.at.bootMs);
    context.offset.restore(clock.offsetMs, stepMs);
  }

  /** What the wall clock shows more than the boot clock. */
  get wallLessBootMs(): number {
    return this.#wallLessBootMs;
  }

  /** Call before anything else of a turn. Returns by how much the wall clock was stepped; 0: it was not. */
  look(now: Now): number {
    const stepMs = now.wallMs - now.bootMs - this.#wallLessBootMs;
    const asleepMs = now.bootMs - this.#seenMs;
    this.#seenMs = now.bootMs;
    if (Math.abs(stepMs) >= STEP_MS) this.#stepped(stepMs, now);
    if (asleepMs >= ASLEEP_MS) {
      this.#context.addEvent('host.woke', now, { asleepS: Math.round(asleepMs / SECOND_MS) });
    }
    if (asleepMs >= ASLEEP_MS || Math.abs(stepMs) >= ASLEEP_MS) this.#askAgain(now);
    return Math.abs(stepMs) >= STEP_MS ? stepMs : 0;
  }

  #stepped(stepMs: number, now: Now): void {
    this.#wallLessBootMs += stepMs;
    this.#context.offset.stepped(stepMs);
    this.#context.saveOffset(now);
    this.#context.addEvent('clock.jumped', now, { stepS: Math.round(stepMs / SECOND_MS) });
  }

  #askAgain(now: Now): void {
    const { state: ledger, pacing, unconfirmed: unheard } = this.#context;
    unheard.clear();
    for (const { id, pipeline, state } of ledger.runs.values()) {
      const isLive = !isFinal(state) || pipeline?.delivery.state === 'pending';
      if (pipeline?.acceptedAt === undefined || !isLive || !isPending(pipeline.delivery)) continue;
      unheard.add(pipelineTaskKey(id));
      this.#context.touch(pipelineTaskKey(id));
    }
    this.#context.wokeAt = now;
    // What was in the way before is no reason to wait now.
    pacing.mended('unavailable', now.bootMs);
  }
}
