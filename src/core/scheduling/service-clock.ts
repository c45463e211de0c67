/** The services' clock, as far as it is known. The offset is kept on disk for the next agent. */
import { DAY_MS, HOUR_MS, SECOND_MS, isBelievable } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';
import type { PersistentState } from '../state/persistent-state.ts';
import type { Timeline } from '../state/timeline.ts';
import { ClockOffset } from './clock-offset.ts';

/** A smaller change of the offset is noise, and not worth a row on disk. */
const SAVE_STEP_MS = SECOND_MS;
/** Scheduled starts wait so long for more answers: less than a start may be late. */
const DOUBT_MS_MAX = 20 * SECOND_MS;
/** What is known of the time is written again after so long, so that it is never much older than the last answer. */
const SAVE_EVERY_MS = DAY_MS;
/** A host that is off for longer, with no answer afterwards, is as rare as a clock that is wrong by so little is harmless. */
const UNCONFIRMED_MS_MAX = 30 * DAY_MS;
/** A change of the offset that is worth an event. */
const EVENT_STEP_MS = 2 * SECOND_MS;

export class ServiceClock {
  readonly #state: PersistentState;
  readonly #timeline: Timeline;
  readonly #offset = new ClockOffset();
  #isConfirmed = false;
  /** The last time that an earlier agent knew of the services' clock: it is later now. Absent: none ever had an answer. */
  readonly #lastKnownMs: number | undefined;
  /** When the answers began to differ by far from the host's clock, on the boot clock. */
  #doubtSinceMs = Infinity;

  /** Takes over what an earlier agent learned. */
  constructor({ state, timeline }: { state: PersistentState; timeline: Timeline }, now: Now) {
    this.#state = state;
    this.#timeline = timeline;
    const { clock } = state.metadata;
    if (clock === undefined) return;
    this.#lastKnownMs = clock.at.wallMs + clock.offsetMs;
    const stepMs = now.wallMs - now.bootMs - (clock.at.wallMs - clock.at.bootMs);
    // The host's clock may have been set while the host was off. What no longer fits is worth nothing.
    if (this.#isPlausible(now.wallMs + clock.offsetMs - stepMs)) {
      this.#offset.restore(clock.offsetMs, stepMs);
    }
  }

  /** The services' clock less this host's. */
  get offsetMs(): number {
    return this.#offset.ms;
  }

  /** True if this agent has seen a Date header that shows a possible time. */
  get isConfirmed(): boolean {
    return this.#isConfirmed;
  }

  /** False: no report may be stamped by this clock, since the stamps of a task never go back. */
  isBelieved(now: Now): boolean {
    return !this.#offset.isDoubtful && isBelievable(this.nowMs(now));
  }

  /**
   * True if the time is not only possible: an answer has shown it to this agent, or it is near the last one that an earlier
   * agent saw. A host without any answer so far has nothing to compare its clock with.
   */
  isVouchedFor(now: Now): boolean {
    if (this.#isConfirmed && !this.isDoubtful) return true;
    return isBelievable(this.nowMs(now)) && this.#isPlausible(this.nowMs(now));
  }

  /**
   * False: no schedule starts a job by the host's clock. One wild Date does not hold starts for as long as the services are
   * away afterwards: without further answers, the host's clock is the only one.
   */
  isHostBelieved(now: Now): boolean {
    if (!isBelievable(now.wallMs)) return false;
    return !this.isDoubtful || now.bootMs - this.#doubtSinceMs >= DOUBT_MS_MAX;
  }

  /** True while a few answers differ from the host's clock by far. */
  get isDoubtful(): boolean {
    return this.#offset.isDoubtful;
  }

  /** True if the services' clock, as this agent or an earlier one has seen it, is a day or more from the host's. */
  get isHostWrong(): boolean {
    return Math.abs(this.#offset.ms) >= DAY_MS;
  }

  nowMs(now: Now): number {
    return now.wallMs + this.#offset.ms;
  }

  /** Learns from the Date header of an answer. Returns by how much the clock moved, if that matters; else 0. */
  learn(serverDateMs: number, sentAt: Now, now: Now): number {
    const beforeMs = this.#offset.ms;
    if (!this.#offset.learn(serverDateMs, sentAt, now)) return 0;
    this.#isConfirmed = true;
    if (!this.isDoubtful) this.#doubtSinceMs = Infinity;
    else if (this.#doubtSinceMs === Infinity) this.#doubtSinceMs = now.bootMs;
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

  #isPlausible(serviceMs: number): boolean {
    if (this.#lastKnownMs === undefined) return true;
    const sinceMs = serviceMs - this.#lastKnownMs;
    return sinceMs > -HOUR_MS && sinceMs < UNCONFIRMED_MS_MAX;
  }

  /** An offset of zero is saved too: by it the next agent sees that the host's clock was stepped while no agent ran. */
  #save(now: Now): void {
    const { metadata } = this.#state;
    if (!this.#offset.isKnown || this.isDoubtful) return;
    if (metadata.clock !== undefined) {
      const { at, offsetMs } = metadata.clock;
      const isFresh = !this.#isConfirmed || now.bootMs - at.bootMs < SAVE_EVERY_MS;
      if (isFresh && Math.abs(this.#offset.ms - offsetMs) < SAVE_STEP_MS) return;
    }
    metadata.clock = { offsetMs: this.#offset.ms, at: now };
    this.#state.saveMetadata();
  }
}
