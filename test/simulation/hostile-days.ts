/**
 * Days of a fleet on which several things go wrong at once, all from one seed: shims that die, processes that cannot be
 * seen, disks that refuse while jobs are started and canceled, graces longer than windows, reloads that rename, remove and
 * add jobs, jobs that share a Hub task, clocks that are decades off, schedules, tracked work, a home region that is lost.
 */
import type { Settings } from '../../src/core/model/settings.ts';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TrackedSource } from '../../src/core/model/job.ts';
import { defined } from '../../src/core/lib/defined.ts';
import { createCalendar } from '../../src/system/calendar.ts';
import { createRandom } from '../../src/system/random.ts';
import { AgentWorld } from '../support/agent-world.ts';
import { Judge } from '../support/judge/judge.ts';
import { polledTask } from '../support/polled-task.ts';
import { ServiceModel } from '../support/service-model.ts';
import { HUB, rates } from '../support/settings.ts';
import { VirtualTime } from '../support/virtual-time.ts';
import {
  DEAF,
  KEEP_RUNS_MS,
  OPERATED,
  PIPED,
  PIPED_RENAMED,
  SHARING,
  TRACKED,
  configuration,
  graceOf,
  multiplied,
  newJob,
} from './hostile-fleet.ts';
import { HostileIncidents } from './hostile-incidents.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const YEAR_MS = 365 * DAY_MS;
const REST_MS_MAX = 24 * HOUR_MS;
const START_WALL_MS = Date.UTC(2026, 0, 1);
/** The longest pause after credentials that were refused. */
const DENIED_PAUSE_MS = 5 * MINUTE_MS;

export interface HostileResult {
  readonly findings: readonly string[];
  readonly calls: number;
  readonly turns: number;
  readonly lives: number;
  readonly finals: number;
}

export async function liveThroughHostileDays(
  seed: number,
  days: number,
  hosts: number,
  directory: string,
  /** To see only whether a fault is found: with it, the rest of the days may never end. */
  until: 'end' | 'first finding' = 'end',
): Promise<HostileResult> {
  const fleet = new HostileDays(seed, days, hosts, directory, until === 'first finding');
  fleet.plan();
  const endMs = days * DAY_MS;
  let atMs = endMs;
  await fleet.runUntil(endMs);
  fleet.endSchedules();
  do await fleet.runUntil((atMs += HOUR_MS));
  while (!fleet.judge.isAtRest() && !fleet.isFound && atMs < endMs + REST_MS_MAX);
  // Every final report arrives, and names that nobody uses are forgotten.
  await fleet.runUntil(atMs + 2 * HOUR_MS + KEEP_RUNS_MS);
  for (const world of fleet.worlds) world.close();
  const findings = fleet.judge.close();
  const { calls, finals } = fleet.service.books;
  const sum = (of: (world: AgentWorld) => number): number =>
    fleet.worlds.map(of).reduce((a, b) => a + b, 0);
  return {
    ...{ findings, calls, turns: sum(({ turns }) => turns), lives: sum(({ lives }) => lives) },
    finals: [...finals.values()].flat().length,
  };
}

function withoutSchedules(settings: Settings): Settings {
  const jobs = [...settings.jobs].filter(([, { schedule }]) => schedule === undefined);
  return { ...settings, jobs: new Map(jobs) };
}

export class HostileDays {
  readonly time = new VirtualTime();
  readonly service: ServiceModel;
  readonly judge: Judge;
  readonly worlds: readonly AgentWorld[];
  readonly #random: () => number;
  readonly #endMs: number;
  readonly #incidents = new HostileIncidents(this);
  #outUntilMs = 0;
  #deniedUntilMs = 0;
  /** By host: until when its calls reach nobody, and how many answers still have a wild Date. */
  readonly cutOffUntilMs = new Map<string, number>();
  readonly wildAnswers = new Map<string, number>();
  #offered = 0;
  readonly attempts = new Map<string, string>();
  readonly #changed = new Map<AgentWorld, boolean>();
  #areSchedulesOver = false;
  readonly #stopsAtFirst: boolean;

  constructor(seed: number, days: number, hosts: number, directory: string, stopsAtFirst: boolean) {
    this.#stopsAtFirst = stopsAtFirst;
    const random = createRandom(seed + 1000);
    this.#random = random;
    this.#endMs = days * DAY_MS;
    const share = rates();
    this.service = new ServiceModel(this.time, multiplied(share, hosts));
    this.service.attemptsMax = 3;
    this.service.onRetry = () => undefined;
    this.judge = new Judge(this.time, this.service, KEEP_RUNS_MS);
    const { onRetry } = this.service;
    this.service.onRetry = (before, next) => {
      onRetry(before, next);
      for (const [job, attempt] of this.attempts) {
        if (attempt === before) this.attempts.set(job, next);
      }
    };
    this.worlds = Array.from({ length: hosts }, (_, i) => this.#world(seed, i, directory));
    for (const world of this.worlds) this.judge.add(world);
  }

  async runUntil(bootMs: number): Promise<void> {
    for (;;) {
      for (const world of this.worlds) await world.settle();
      const nextMs = this.time.nextMs();
      if (nextMs === undefined || nextMs > bootMs) break;
      if (this.isFound) return;
      this.time.moveTo(nextMs);
    }
    this.time.moveTo(bootMs);
    for (const world of this.worlds) await world.settle();
  }

  /** The rest is of no interest. */
  get isFound(): boolean {
    const hasFault = this.worlds.some(({ faults }) => faults.length > 0);
    return this.#stopsAtFirst && (hasFault || this.judge.findings.length > 0);
  }

  plan(): void {
    for (const world of this.worlds) {
      world.begin();
      this.#planHost(world);
    }
    for (const job of [...PIPED, PIPED_RENAMED]) this.#soon(() => this.offer(job));
    this.often(6, () => this.service.cancel(this.attempts.get(this.one(PIPED)) ?? ''));
    this.often(2, () => this.#deletePipeline());
    this.often(6, () => this.#outage(this.between(SECOND_MS, 45 * SECOND_MS)));
    this.often(3, () => this.#outage(this.excused(2 * MINUTE_MS, 2 * HOUR_MS)));
    this.often(1, () => this.#deny(this.excused(2 * MINUTE_MS, HOUR_MS)));
    this.often(1, () => this.#loseRegion());
    this.#incidents.planFleet();
  }

  /** Otherwise there is always work. */
  endSchedules(): void {
    this.#areSchedulesOver = true;
    for (const world of this.worlds) world.reload(withoutSchedules(world.settings));
  }

  #planHost(world: AgentWorld): void {
    for (const job of [...OPERATED, ...SHARING]) this.#soon(() => this.start(world, job));
    for (const [name, source] of TRACKED) this.#soon(() => this.#track(world, name, source));
    this.often(12, () => this.#cancel(world));
    this.often(16, () => this.#killShim(world));
    this.often(6, () => this.#goBlind(world, this.between(SECOND_MS, 3 * MINUTE_MS)));
    this.often(2, () => this.#goBlind(world, this.between(3 * MINUTE_MS, 20 * MINUTE_MS)));
    this.often(6, () => this.#fillDisk(world, this.between(10 * SECOND_MS, 15 * MINUTE_MS)));
    this.often(6, () => this.reload(world));
    this.often(24, () => world.kill(this.touches(), this.between(0, 5 * SECOND_MS)));
    this.often(2, () => world.kill(this.touches(), this.between(MINUTE_MS, 40 * MINUTE_MS)));
    this.often(2, () => world.stop(this.between(0, 10 * SECOND_MS)));
    this.often(2, () => world.reboot(this.between(10 * SECOND_MS, 45 * SECOND_MS)));
    this.often(2, () => this.#bootWithoutTime(world));
    this.often(2, () => this.#stepDecades(world));
    this.#incidents.planHost(world);
    if (this.worlds.length > 1) return;
    this.often(2, () => this.#sleep(world, this.between(SECOND_MS, 45 * SECOND_MS)));
    this.often(2, () => this.#sleep(world, this.excused(2 * MINUTE_MS, HOUR_MS)));
  }

  #world(seed: number, index: number, directory: string): AgentWorld {
    const name = `host-${index}`;
    const own = join(directory, name);
    mkdirSync(own);
    const random = this.#random;
    return new AgentWorld(seed * 10 + index, own, {
      ...{ name, time: this.time, service: this.service, failing: 0.05 },
      settings: configuration(name, false),
      calendar: createCalendar(() => 'UTC'),
      jobs: {
        durationMs: (run) => this.#durationMs(run.job),
        exitCode: () => (random() < 0.25 ? 23 : 0),
        progressEveryMs: 5 * MINUTE_MS,
        isDeaf: (run) => run.number % 3 === 0 || DEAF.includes(run.job),
        leavesForMs: (run) => (run.number % 4 === 1 ? this.between(MINUTE_MS, HOUR_MS) : 0),
        startsInMs: (run) => (run.number % 5 === 2 ? this.between(SECOND_MS, 10 * SECOND_MS) : 0),
      },
      isOut: (_call, bootMs) =>
        bootMs < Math.max(this.#outUntilMs, this.cutOffUntilMs.get(name) ?? 0),
      dateErrorMs: () => this.#dateErrorMs(name),
      outcome: (_call, bootMs) =>
        bootMs < this.#deniedUntilMs ? { kind: 'denied', reason: 'simulated' } : undefined,
    });
  }

  #durationMs(job: string): number {
    if (DEAF.includes(job)) return 3 * HOUR_MS;
    if (job.startsWith('once-')) return this.between(MINUTE_MS, 10 * MINUTE_MS);
    return this.between(MINUTE_MS, 3 * HOUR_MS);
  }

  #dateErrorMs(host: string): number {
    const left = this.wildAnswers.get(host) ?? 0;
    if (left === 0) return 0;
    this.wildAnswers.set(host, left - 1);
    return 10 * YEAR_MS;
  }

  start(world: AgentWorld, job: string): void {
    world.ask({ type: 'start', job }, (reply) => {
      if (reply.ok && reply.run !== undefined) this.judge.startPromised(world, reply.run);
      this.#later(3 * HOUR_MS, () => this.start(world, job));
    });
  }

  #track(world: AgentWorld, name: string, source: TrackedSource): void {
    const end = this.one(['completed', 'failed', 'gone'] as const);
    world.tracked.begin(name, this.between(10 * MINUTE_MS, 3 * HOUR_MS), end);
    const job = newJob(world.name, name, { command: [], tracked: source });
    world.ask({ type: 'track', definitions: [job] }, () => undefined);
    const again = (): void => {
      const isBusy = world.tracked.isRunning(name) || this.judge.isTracking(world, name);
      if (isBusy) this.#later(HOUR_MS, again);
      else this.#later(HOUR_MS, () => this.#track(world, name, source));
    };
    again();
  }

  /** The next task of an activity comes when the one before has ended. */
  offer(job: string): void {
    this.offerOnce(job);
    this.#later(HOUR_MS, () => this.offer(job));
  }

  offerOnce(job: string): void {
    const before = this.service.taskState(this.attempts.get(job) ?? '');
    if (before === 'waiting' || before === 'owned') return;
    const task = polledTask(job, 1, ++this.#offered);
    this.attempts.set(job, task.attemptId);
    this.judge.offered(task.attemptId);
    this.service.offer(task);
  }

  /** Unlike `start`, it is not started again later. */
  startOnce(world: AgentWorld, job: string): void {
    world.ask({ type: 'start', job }, (reply) => {
      if (reply.ok && reply.run !== undefined) this.judge.startPromised(world, reply.run);
    });
  }

  cancelOnce(world: AgentWorld, job: string, graceMs?: number): void {
    const defaultMs = Math.max(graceOf(job), 2 * HOUR_MS);
    world.ask({ type: 'cancel', job, by: 'the test', ...defined({ graceMs }) }, (reply) => {
      if (!reply.ok || reply.run === undefined) return;
      // A cancel without a grace that comes after another one changes nothing.
      this.judge.cancelPromised(world, reply.run, graceMs ?? defaultMs);
    });
  }

  #cancel(world: AgentWorld): void {
    const job = this.one([...OPERATED, ...SHARING, ...PIPED, 'copy-0-renamed']);
    const graceMs = this.one([undefined, 5 * SECOND_MS, 10 * MINUTE_MS, 2 * HOUR_MS]);
    this.cancelOnce(world, job, graceMs);
  }

  #killShim(world: AgentWorld): void {
    const live = world.host.live();
    if (live.length > 0) world.host.killShim(this.one(live));
  }

  #goBlind(world: AgentWorld, ms: number): void {
    world.host.goBlind(ms);
    world.tracked.goBlind(ms);
    this.judge.away(world, ms);
  }

  /** While it is full, jobs are started and canceled. */
  #fillDisk(world: AgentWorld, ms: number): void {
    world.isDiskFull = true;
    this.time.in(ms, () => (world.isDiskFull = false));
    const job = this.one([...OPERATED, ...SHARING]);
    this.time.in(this.between(0, ms), () => this.start(world, job));
    this.time.in(this.between(0, ms), () => this.cancelOnce(world, job, 5 * SECOND_MS));
    this.service.cancel(this.attempts.get(this.one(PIPED)) ?? '');
  }

  reload(world: AgentWorld): void {
    const isChanged = !(this.#changed.get(world) ?? false);
    this.#changed.set(world, isChanged);
    const settings = configuration(world.name, isChanged);
    world.reload(this.#areSchedulesOver ? withoutSchedules(settings) : settings);
    this.start(world, isChanged ? 'copy-0-renamed' : 'copy-0');
  }

  /** The host is back with its clock at the beginning of 1970, and learns the time later. */
  #bootWithoutTime(world: AgentWorld): void {
    world.reboot(this.between(10 * SECOND_MS, 45 * SECOND_MS));
    const shownMs = this.between(0, HOUR_MS);
    this.wrongClock(world, shownMs - (START_WALL_MS + this.time.now().bootMs));
  }

  #stepDecades(world: AgentWorld): void {
    this.wrongClock(world, this.one([-30, 30, 80]) * YEAR_MS);
  }

  wrongClock(world: AgentWorld, byMs: number): void {
    world.stepWall(byMs);
    this.time.in(this.between(SECOND_MS, 30 * MINUTE_MS), () => world.stepWall(-byMs));
  }

  #sleep(world: AgentWorld, ms: number): void {
    this.judge.away(world, ms);
    world.suspend(ms);
  }

  #deletePipeline(): void {
    this.service.forget(this.attempts.get(this.one(PIPED)) ?? '');
  }

  /** Afterwards another region is the home region: nothing that was reported before is known there. */
  #loseRegion(): void {
    const ms = this.excused(MINUTE_MS, HOUR_MS);
    this.service.setHomeRegion(undefined);
    this.time.in(ms, () => {
      this.service.setHomeRegion(this.one(['eu-central-1', 'us-west-2']));
      // Often an administrator makes the stream there, and the hosts may not.
      this.service.isStreamDenied = this.#random() < 0.5;
      if (this.service.isStreamDenied) this.service.makeStream(HUB.stream);
    });
  }

  #outage(ms: number): void {
    this.#outUntilMs = Math.max(this.#outUntilMs, this.time.now().bootMs + ms);
  }

  #deny(ms: number): void {
    this.#deniedUntilMs = Math.max(this.#deniedUntilMs, this.time.now().bootMs + ms);
    this.judge.excuse(ms + DENIED_PAUSE_MS);
  }

  touches(): number {
    return Math.floor(this.#random() * 40);
  }

  excused(fromMs: number, toMs: number): number {
    const ms = this.between(fromMs, toMs);
    this.judge.excuse(ms);
    return ms;
  }

  /** So many times a day on average, at any moment. */
  often(perDay: number, what: () => void): void {
    const count = Math.ceil((perDay * this.#endMs) / DAY_MS);
    for (let i = 0; i < count; i++) this.time.in(this.#random() * this.#endMs, () => what());
  }

  #soon(what: () => void): void {
    this.time.in(this.#random() * 10 * MINUTE_MS, what);
  }

  /** Within `ms`, unless the days are over by then. */
  #later(ms: number, what: () => void): void {
    const waitMs = this.#random() * ms;
    if (this.time.now().bootMs + waitMs < this.#endMs) this.time.in(waitMs, what);
  }

  between(from: number, to: number): number {
    return from + Math.floor(this.#random() * (to - from));
  }

  one<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.#random() * items.length)]!;
  }
}
