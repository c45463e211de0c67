/** The services' clock, as far as it is known. The offset is kept on disk for the next agent. */
import { DAY_MS, SECOND_MS, isBelievable } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';
import type { PersistentState } from '../state/persistent-state.ts';
import type { Timeline } from '../state/timeline.ts';
import { ClockOffset } from './clock-offset.ts';

/** A smaller change of the offset is noise, and not worth a row on disk. */
const SAVE_STEP_MS = SECOND_MS;
/** A change of the offset that is worth an event. */
const EVENT_STEP_MS = 2 * SECOND_MS;

export class ServiceClock {
  readonly #state: PersistentState;
  readonly #timeline: Timeline;
  readonly #offset = new ClockOffset();
  #isConfirmed = false;

  /** Takes over what an earlier agent learned. */
  constructor({ state, timeline }: { state: PersistentState; timeline: Timeline }, now: Now) {
    this.#state = state;
    this.#timeline = timeline;
    const { clock } = state.metadata;
    if (clock === undefined) return;
    const stepMs = now.wallMs - now.bootMs - (clock.at.wallMs - clock.at.bootMs);
    this.#offset.restore(clock.offsetMs, stepMs);
  }

  /** True if this agent or an earlier one has seen a Date header. */
  get isKnown(): boolean {
    return this.#offset.isKnown;
  }

  /** The services' clock less this host's. */
  get offsetMs(): number {
    return this.#offset.ms;
  }

  /** True if this agent has seen a Date header. */
  get isConfirmed(): boolean {
    return this.#isConfirmed;
  }

  /** False: no report may be stamped by this clock, since the stamps of a task never go back. */
  isBelieved(now: Now): boolean {
    return !this.#offset.isDoubtful && isBelievable(this.nowMs(now));
  }

  /** False: no schedule starts a job by the host's clock. */
  isHostBelieved(now: Now): boolean {
    return isBelievable(now.wallMs) && !this.#offset.isDoubtful;
  }

  /** True if the services' clock and the host's differ by less than a day. */
  get isHostRight(): boolean {
    return this.#isConfirmed && Math.abs(this.#offset.ms) < DAY_MS;
  }

  nowMs(now: Now): number {
    return now.wallMs + this.#offset.ms;
  }

  /** Learns from the Date header of an answer. Returns by how much the clock moved, if that matters; else 0. */
  learn(serverDateMs: number, sentAt: Now, now: Now): number {
    const beforeMs = this.#offset.ms;
    this.#offset.learn(serverDateMs, sentAt, now);
    this.#isConfirmed = true;
    this.#save(now);
    const movedMs = this.#offset.ms - beforeMs;
    if (Math.abs(movedMs) < EVENT_STEP_MS) return 0;
    const offsetS = Math.round(this.#offset.ms / SECOND_MS);
    this.#timeline.add('clock.offset', now, { offsetS });
    return movedMs;
  }

  /** The host's wall clock was stepped. */
  hostStepped(stepMs: number, now: Now): void {
    this.#offset.stepped(stepMs);
    this.#save(now);
  }

  /** An offset of zero is saved too: by it the next agent sees that the host's clock was stepped while no agent ran. */
  #save(now: Now): void {
    const { metadata } = this.#state;
    if (!this.#offset.isKnown) return;
    if (metadata.clock && Math.abs(this.#offset.ms - metadata.clock.offsetMs) < SAVE_STEP_MS)
      return;
    metadata.clock = { offsetMs: this.#offset.ms, at: now };
    this.#state.saveMetadata();
  }
}
