/**
 * What the parts of the planner share: the ledger, the settings, the service's clock and the dice.
 * Only the planner makes one.
 */
import { Item } from './call-queue.ts';
import { steadyPerSecond } from './token-bucket.ts';
import type { Operation } from '../model/call.ts';
import { ClockOffset } from './clock-offset.ts';
import { PendingSet } from '../lib/pending-set.ts';
import { hubTaskKey } from './reporter-keys.ts';
import { isFinalStatus, isPromised } from '../model/hub-task.ts';
import type { Run } from '../model/job.ts';
import { promisesMax } from './deadlines.ts';
import type { PersistentState } from '../state/ledger.ts';
import type { EventName, FieldsOf, NoOther } from '../model/timeline.ts';
import { Pacing } from './pacing.ts';
import type { Rate, Settings } from '../model/settings.ts';
import type { Reporter, ReporterEntry } from './reporter.ts';
import { HOUR_MS, MINUTE_MS, after } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';

/** A smaller change of the offset is noise, and not worth a row on disk. */
const OFFSET_STEP_MS = 1_000;
/** A feature that the account's policies do not allow is tried again so often: somebody has to grant it. */
const DISABLED_MS = HOUR_MS;
/** The answer to an older call says nothing of a stream that was made since; one made so lately is not made again. */
const STREAM_AGAIN_MS = 5 * MINUTE_MS;

export class Context {
  readonly state: PersistentState;
  readonly random: () => number;
  /** When this agent began. */
  readonly startedAt: Now;
  readonly offset = new ClockOffset();
  readonly pacing = new Pacing();
  settings: Settings;
  readonly #reporters = new Map<string, ReporterEntry>();
  readonly #touched = new PendingSet<ReporterEntry>();
  /** Hub tasks with a live run: how many share the budget. */
  liveHubTasks = 0;
  /** Live Hub tasks that a promise was made for. */
  promisedHubTasks = 0;
  /** Live Hub tasks that the budget has no promise for, longest waiting first. */
  readonly waitingHubTasks = new Set<string>();
  /** The region or the stream changed: every Hub task may have something to say, or nothing any more. */
  hubChanged = false;
  /** The disk refuses: what changed since is not kept. */
  isBehind = false;
  /** Runs that ended in this turn, or since the disk began to refuse. */
  readonly newlyEnded = new Set<string>();
  /** The agent is to end: every owner of a live task says one thing more (see farewell.ts). */
  stopRequestedAt: Now | undefined;
  /** When the host woke or its clock was stepped, and which pipeline tasks have not been heard of since. */
  wokeAt: Now | undefined;
  readonly unconfirmed = new Set<string>();
  /** A write was refused as if the region were wrong: ask again. */
  isRegionDoubtful = false;
  /** When the home region was last asked for and told; on the boot clock. */
  regionKnownAtMs = -Infinity;
  /** Why nothing can be told to the Hub at all, for `status`. */
  hubObstacle: string | undefined;
  /** Operations that lack a policy of their own, by when they are tried again. Everything else goes on. */
  readonly disabled = new Map<Operation, { readonly untilMs: number; readonly reason: string }>();
  #streamMadeAtMs = -Infinity;

  constructor(state: PersistentState, settings: Settings, random: () => number, startedAt: Now) {
    this.state = state;
    this.settings = settings;
    this.random = random;
    this.startedAt = startedAt;
  }

  /**
   * Whether everything is on disk by now. Where that changes, everybody looks again at what may be said.
   * True: it changed.
   */
  committed(isDurable: boolean): boolean {
    // Every turn: even an empty set gets a new table when it is cleared (see gathering.ts).
    if (isDurable && this.newlyEnded.size > 0) this.newlyEnded.clear();
    if (isDurable !== this.isBehind) return false;
    this.isBehind = !isDurable;
    this.touchAll();
    return true;
  }

  /** The run's end is not on disk: nothing may be told of it yet (P5), and its task is told as it was. */
  isEndHeld(run: string): boolean {
    return this.isBehind && this.newlyEnded.has(run);
  }

  /** The service's clock, as far as it is known. */
  serviceMs(now: Now): number {
    return now.wallMs + this.offset.ms;
  }

  /**
   * Keeps what is known of the service's clock, where it is other than what is kept. That it is right is worth keeping
   * too: the next agent sees by it that the host's clock was stepped while nobody looked.
   */
  saveOffset(now: Now): void {
    const { metadata: facts } = this.state;
    if (!this.offset.isKnown) return;
    if (facts.clock && Math.abs(this.offset.ms - facts.clock.offsetMs) < OFFSET_STEP_MS) return;
    facts.clock = { offsetMs: this.offset.ms, at: now };
    this.state.saveMetadata();
  }

  /** The service's clock is `byMs` later than was thought: so much earlier ends what was promised by it. */
  movePromises(byMs: number): void {
    for (const task of this.state.hubTasks.values()) {
      const { promise } = task;
      if (promise === undefined || isFinalStatus(promise)) continue;
      task.promise = { ...promise, until: after(promise.until, -byMs) };
      this.state.saveHubTask(task);
      this.touch(hubTaskKey(task.name));
    }
  }

  /** What an operation's budget really is: what its gate gives, as far as the service lets it through. */
  rateOf(operation: Operation): Rate {
    const rate = this.settings.rates[operation];
    const { speed, success } = this.pacing.of(operation);
    return { ...rate, perSecond: steadyPerSecond(rate) * speed * success };
  }

  /** True where one more promise can be kept. A task that must wait is told nothing, rather than something untrue. */
  hasRoomForPromise(): boolean {
    const hub = this.settings.migrationHub;
    if (hub === undefined) return false;
    return this.promisedHubTasks < promisesMax(hub, this.rateOf('NotifyMigrationTaskState'));
  }

  /** A promise has ended or the budget has grown: whoever has waited longest looks again. */
  offerPromise(): void {
    const [first] = this.waitingHubTasks;
    if (first !== undefined && this.hasRoomForPromise()) this.touch(first);
  }

  /** Where Migration Hub is to be called; `undefined`: not known yet. */
  hubRegion(): string | undefined {
    return this.settings.migrationHub?.region ?? this.state.metadata.homeRegion;
  }

  /** True when tasks can be told to the Hub: the region is known and the stream is there. */
  hubIsReady(): boolean {
    const region = this.hubRegion();
    const hub = this.settings.migrationHub;
    return (
      hub !== undefined &&
      region !== undefined &&
      (!hub.createStream || this.state.metadata.streams.includes(`${region}/${hub.stream}`))
    );
  }

  streamCreated(name: string, now: Now): void {
    const { metadata: facts } = this.state;
    facts.streams = [...new Set([...facts.streams, name])];
    this.#streamMadeAtMs = now.bootMs;
    this.state.saveMetadata();
    this.hubChanged = true;
  }

  /** The stream is not there, whatever the ledger says: it is made again, once. */
  streamMissing(now: Now): void {
    if (now.bootMs - this.#streamMadeAtMs < STREAM_AGAIN_MS) return;
    this.state.metadata.streams = [];
    this.state.saveMetadata();
    this.hubChanged = true;
  }

  /**
   * A write was refused, which the Hub does for a bad payload and for a wrong region alike. True: the region is the
   * right one, as was learnt at or after `sinceMs`. False: it is being asked for, and nothing can be concluded yet.
   */
  isRegionSure(sinceMs: number): boolean {
    if (this.settings.migrationHub?.region !== undefined) return true;
    if (this.regionKnownAtMs >= sinceMs) return true;
    if (!this.isRegionDoubtful) this.hubChanged = true;
    this.isRegionDoubtful = true;
    return false;
  }

  /** What GetHomeRegion answered. Where it has moved, nothing that was told in the old region stands in the new one. */
  regionAnswered(region: string, now: Now): void {
    const { metadata: facts, hubTasks } = this.state;
    this.isRegionDoubtful = false;
    this.regionKnownAtMs = now.bootMs;
    this.hubObstacle = undefined;
    if (facts.homeRegion === region) return;
    facts.homeRegion = region;
    this.state.saveMetadata();
    this.hubChanged = true;
    for (const task of hubTasks.values()) {
      if (!task.imported) continue;
      if (isPromised(task)) this.promisedHubTasks--;
      task.offered = undefined;
      task.imported = false;
      if (task.promise !== undefined && !isFinalStatus(task.promise)) delete task.promise;
      this.state.saveHubTask(task);
    }
    this.addEvent('hub.home_region', now, { region });
  }

  /** The account has no home region (any more): nothing is said to the Hub until it has one. */
  noHomeRegion(reason: string, now: Now): void {
    const { metadata: facts } = this.state;
    if (facts.homeRegion !== undefined) {
      delete facts.homeRegion;
      this.state.saveMetadata();
      this.hubChanged = true;
    }
    if (this.hubObstacle === undefined) this.addEvent('hub.no_home_region', now, { reason });
    this.hubObstacle = `Migration Hub has no home region (${reason}); set one, all reports wait`;
  }

  /** An operation lacks a policy: it is left out for an hour, and said aloud. */
  disable(operation: Operation, reason: string, now: Now): void {
    if ((this.disabled.get(operation)?.untilMs ?? 0) <= now.bootMs) {
      this.addEvent('hub.feature_disabled', now, { operation, reason });
    }
    this.disabled.set(operation, { untilMs: now.bootMs + DISABLED_MS, reason });
  }

  addEvent<Event extends EventName, Fields extends FieldsOf<Event>>(
    event: Event,
    now: Now,
    fields: Fields & NoOther<Fields, Event>,
    run?: Run,
  ): void {
    this.state.addEvent({
      event,
      at: now,
      ...(run === undefined ? {} : { job: run.job, run: run.id }),
      fields,
    });
  }

  /** Who speaks under this key now. */
  reporter(key: string): Reporter | undefined {
    return this.#reporters.get(key)?.owner;
  }

  /** Takes the place of whoever spoke under its key, and waits for the answer to the other's call. */
  addReporter(reporter: Reporter): void {
    const item = this.#reporters.get(reporter.key) ?? new Item<Reporter | undefined>(reporter);
    item.owner = reporter;
    this.#reporters.set(reporter.key, item);
    this.#touched.add(item);
  }

  removeReporter(key: string): void {
    const item = this.#reporters.get(key);
    if (item === undefined) return;
    item.owner = undefined;
    this.#touched.add(item);
    this.#reporters.delete(key);
  }

  /** The speaker's duty may have changed. */
  touch(key: string): void {
    const item = this.#reporters.get(key);
    if (item !== undefined) this.touchItem(item);
  }

  touchItem(item: ReporterEntry): void {
    this.#touched.add(item);
  }

  touchAll(): void {
    for (const item of this.#reporters.values()) this.#touched.add(item);
  }

  /** The speakers whose duty may have changed since the last call. */
  takeTouched(): Iterable<ReporterEntry> {
    return this.#touched.take();
  }
}
