/**
 * The connection to Migration Hub: its region, its stream, and the operations that the account's policies do not allow.
 * It alone changes these three, and touches the reporters that depend on them.
 */
import { HOUR_MS, MINUTE_MS } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';
import type { Operation } from '../model/call.ts';
import { isFinalStatus } from '../model/hub-task.ts';
import type { SettingsHolder } from '../model/settings.ts';
import type { Reporters } from '../scheduling/reporters.ts';
import { HUB_SETUP_KEY } from '../scheduling/reporter-keys.ts';
import type { PersistentState } from '../state/persistent-state.ts';
import type { Timeline } from '../state/timeline.ts';

/** How often an operation without its policy is tried again: an administrator has to grant it first. */
const DISABLED_MS = HOUR_MS;
/** How long "stream not found" is ignored after the stream was created: the answer may be older than the stream. */
const STREAM_AGAIN_MS = 5 * MINUTE_MS;

/** An operation that lacks a policy of its own. */
interface Disabled {
  /** When it is tried again, on the boot clock. */
  readonly untilMs: number;
  readonly reason: string;
}

interface Parts {
  readonly state: PersistentState;
  readonly settings: SettingsHolder;
  readonly reporters: Reporters;
  readonly timeline: Timeline;
}

export class HubConnection {
  readonly #parts: Parts;
  readonly #disabled = new Map<Operation, Disabled>();
  #isRegionDoubtful = false;
  /** GetHomeRegion is called for the time that its answer shows. */
  #isTimeAsked = false;
  /** When GetHomeRegion last answered, on the boot clock. */
  #regionKnownAtMs = -Infinity;
  #obstacle: string | undefined;
  #streamMadeAtMs = -Infinity;
  /** The agent may not create this stream (`REGION/STREAM`), but it may exist: reports are tried. */
  #assumedStream: string | undefined;
  /** Why the stream could not be created, although it does not exist. */
  #streamObstacle: string | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** The region of Migration Hub; `undefined`: not known yet. */
  get region(): string | undefined {
    return (
      this.#parts.settings.current.migrationHub?.region ?? this.#parts.state.metadata.homeRegion
    );
  }

  /** A write was refused as if the region were wrong: GetHomeRegion is asked again. */
  get isRegionDoubtful(): boolean {
    return this.#isRegionDoubtful;
  }

  /** Why nothing can be reported to Migration Hub at all. */
  get obstacle(): string | undefined {
    return this.#obstacle ?? this.#streamObstacle;
  }

  get disabled(): ReadonlyMap<Operation, Disabled> {
    return this.#disabled;
  }

  /** True when tasks can be reported: the region is known and the stream exists. */
  get isReady(): boolean {
    const { region } = this;
    const hub = this.#parts.settings.current.migrationHub;
    return (
      hub !== undefined &&
      region !== undefined &&
      (!hub.createStream || this.#hasStream(`${region}/${hub.stream}`))
    );
  }

  /** CreateProgressUpdateStream is denied. The stream may exist all the same; whether it does, the next report shows. */
  streamDenied(name: string, reason: string): void {
    if (this.#streamObstacle === undefined) {
      this.#assumedStream = name;
      this.#parts.reporters.touchAll();
      return;
    }
    this.#streamObstacle = streamObstacle(name, reason);
  }

  streamCreated(name: string, now: Now): void {
    const { metadata } = this.#parts.state;
    metadata.streams = [...new Set([...metadata.streams, name])];
    this.#streamMadeAtMs = now.bootMs;
    this.#assumedStream = undefined;
    this.#streamObstacle = undefined;
    this.#changed();
  }

  /** The service does not know the stream: it is made again, once. */
  streamMissing(now: Now): void {
    if (now.bootMs - this.#streamMadeAtMs < STREAM_AGAIN_MS) return;
    this.#parts.state.metadata.streams = [];
    if (this.#assumedStream !== undefined) {
      this.#streamObstacle = streamObstacle(this.#assumedStream, 'it is denied');
      this.#assumedStream = undefined;
    }
    this.#changed();
  }

  /**
   * Migration Hub refuses a bad payload and a wrong region with the same error. True: the region is right, as an answer
   * at or after `sinceMs` has confirmed. False: GetHomeRegion is called, and nothing can be concluded yet.
   */
  confirmRegion(sinceMs: number): boolean {
    if (this.#parts.settings.current.migrationHub?.region !== undefined) return true;
    if (this.#regionKnownAtMs >= sinceMs) return true;
    if (!this.#isRegionDoubtful) this.#parts.reporters.touchAll();
    this.#isRegionDoubtful = true;
    return false;
  }

  /** Any answer shows the time, and no other call may be pending. */
  askTime(): void {
    if (this.#isTimeAsked || this.#parts.settings.current.migrationHub === undefined) return;
    this.#isTimeAsked = true;
    this.#parts.reporters.touch(HUB_SETUP_KEY);
  }

  get isTimeAsked(): boolean {
    return this.#isTimeAsked;
  }

  timeAnswered(): void {
    this.#isTimeAsked = false;
  }

  /** GetHomeRegion answered. If the region has moved, reports in the old one count for nothing in the new one. */
  regionAnswered(region: string, now: Now): void {
    const { state, timeline } = this.#parts;
    this.#regionConfirmed(now);
    this.#obstacle = undefined;
    if (state.metadata.homeRegion === region) return;
    state.metadata.homeRegion = region;
    this.#changed();
    for (const task of state.hubTasks.values()) {
      if (!task.imported) continue;
      task.offered = undefined;
      task.imported = false;
      if (task.promise !== undefined && !isFinalStatus(task.promise)) delete task.promise;
      state.saveHubTask(task);
    }
    timeline.add('hub.home_region', now, { region });
  }

  /** GetHomeRegion is not allowed: the region that was known before has to do. */
  regionUnavailable(now: Now): void {
    if (this.region !== undefined) this.#regionConfirmed(now);
  }

  /** The account has no home region (any more): nothing is reported to Migration Hub until it has one. */
  noHomeRegion(reason: string, now: Now): void {
    const { state, timeline } = this.#parts;
    if (state.metadata.homeRegion !== undefined) {
      delete state.metadata.homeRegion;
      this.#changed();
    }
    if (this.#obstacle === undefined) timeline.add('hub.no_home_region', now, { reason });
    this.#obstacle = `Migration Hub has no home region (${reason}); set one, all reports wait`;
  }

  /** GetHomeRegion answered that there is none: the question is settled for now. */
  homeRegionAbsent(reason: string, now: Now): void {
    this.#isRegionDoubtful = false;
    this.noHomeRegion(reason, now);
  }

  /** The operation lacks a policy: it is not called for an hour. */
  disable(operation: Operation, reason: string, now: Now): void {
    if (this.disabledUntilMs(operation) <= now.bootMs) {
      this.#parts.timeline.add('hub.feature_disabled', now, { operation, reason });
    }
    this.#disabled.set(operation, { untilMs: now.bootMs + DISABLED_MS, reason });
  }

  disabledUntilMs(operation: Operation): number {
    return this.#disabled.get(operation)?.untilMs ?? 0;
  }

  /** An operator may have granted what was missing. */
  enableAll(): void {
    this.#disabled.clear();
  }

  #hasStream(name: string): boolean {
    return this.#assumedStream === name || this.#parts.state.metadata.streams.includes(name);
  }

  #regionConfirmed(now: Now): void {
    this.#isRegionDoubtful = false;
    this.#regionKnownAtMs = now.bootMs;
  }

  #changed(): void {
    this.#parts.state.saveMetadata();
    this.#parts.reporters.touchAll();
  }
}

function streamObstacle(name: string, reason: string): string {
  return `the progress update stream ${name} does not exist, and CreateProgressUpdateStream fails: ${reason}; allow mgh:CreateProgressUpdateStream, or make the stream and set createStream: false`;
}
