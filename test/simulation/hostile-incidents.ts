/**
 * Coincidences that chance alone brings about too seldom: each incident makes its own, on a job of its own where it needs an
 * idle one, and several a day hit every host in the middle of everything else that goes wrong (hostile-days.ts).
 */
import type { AgentWorld } from '../support/agent-world.ts';
import type { HostileDays } from './hostile-days.ts';
import {
  CANCELED,
  FENCED,
  ON_FULL_DISK,
  PIPED_RENAMED,
  REMAPPED,
  newJob,
} from './hostile-fleet.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const YEAR_MS = 365 * 24 * 60 * MINUTE_MS;

export class HostileIncidents {
  readonly #days: HostileDays;
  #submitted = 0;

  constructor(days: HostileDays) {
    this.#days = days;
  }

  planFleet(): void {
    const days = this.#days;
    days.often(6, () => this.#fenceWhileCanceling());
    // On another host the earlier attempt may still run: no host can know that.
    if (days.worlds.length === 1) days.often(8, () => this.#rerunAfterReload());
    days.often(12, () => this.#renameWhileWanted());
  }

  planHost(world: AgentWorld): void {
    const days = this.#days;
    for (const job of ON_FULL_DISK) days.often(8, () => this.#cancelOnFullDisk(world, job));
    days.often(6, () => this.#cancelTwice(world));
    days.often(6, () => this.#wildFirstAnswer(world));
    days.often(4, () => this.#rebootDecadesOff(world));
    days.often(4, () => this.#terminate(world));
    days.often(40, () => this.#submit(world));
    days.often(4, () => this.#endOnFullDisk(world));
    days.often(8, () => this.#dieOnFullDisk(world));
    days.often(8, () => this.#damageRow(world));
    days.often(60, () => world.look());
  }

  /** A start is held by the disk, and canceled before the disk has room again. */
  #cancelOnFullDisk(world: AgentWorld, job: string): void {
    const { time } = this.#days;
    if (world.isDiskFull) return;
    world.isDiskFull = true;
    time.in(SECOND_MS, () => this.#days.startOnce(world, job));
    const cancelMs = this.#days.between(2 * SECOND_MS, MINUTE_MS);
    time.in(cancelMs, () => this.#days.cancelOnce(world, job, 5 * SECOND_MS));
    time.in(this.#days.between(30 * SECOND_MS, 3 * MINUTE_MS), () => (world.isDiskFull = false));
  }

  /** Runs end while the disk refuses, and the agent dies soon after it takes changes again. */
  #endOnFullDisk(world: AgentWorld): void {
    const { time } = this.#days;
    if (world.isDiskFull) return;
    world.isDiskFull = true;
    for (const run of world.host.live().slice(0, 3)) world.host.endProgram(run);
    const fullMs = this.#days.between(10 * SECOND_MS, 2 * MINUTE_MS);
    time.in(fullMs, () => (world.isDiskFull = false));
    time.in(fullMs + this.#days.between(6 * SECOND_MS, 20 * SECOND_MS), () =>
      world.kill(this.#days.touches(), SECOND_MS),
    );
  }

  /** An operator cancels with a grace longer than the window, and then no report is accepted for a whole window. */
  #fenceWhileCanceling(): void {
    const { cutOffUntilMs, service, time, worlds } = this.#days;
    this.#days.offerOnce(FENCED);
    time.in(3 * MINUTE_MS, () => {
      if (service.taskState(this.#days.attempts.get(FENCED) ?? '') !== 'owned') return;
      for (const world of worlds) {
        this.#days.cancelOnce(world, FENCED);
        const ms = this.#days.excused(17 * MINUTE_MS, 25 * MINUTE_MS);
        cutOffUntilMs.set(world.name, time.now().bootMs + ms);
      }
    });
  }

  #cancelTwice(world: AgentWorld): void {
    const { time } = this.#days;
    this.#days.startOnce(world, CANCELED);
    time.in(MINUTE_MS, () => this.#days.cancelOnce(world, CANCELED));
    const againMs = this.#days.between(2 * MINUTE_MS, 10 * MINUTE_MS);
    time.in(againMs, () => this.#days.cancelOnce(world, CANCELED, 5 * SECOND_MS));
  }

  /** An activity is mapped to another job, and its next attempt comes while the one before still runs. */
  #rerunAfterReload(): void {
    const { service, time, worlds } = this.#days;
    this.#days.offerOnce(REMAPPED);
    for (const world of worlds) time.in(2 * MINUTE_MS, () => this.#days.reload(world));
    time.in(3 * MINUTE_MS, () => service.rerun(this.#days.attempts.get(REMAPPED) ?? ''));
  }

  /** A job runs, a reload gives it another name, and a task wants it under that name. */
  #renameWhileWanted(): void {
    const { time, worlds } = this.#days;
    for (const world of worlds) {
      const name = (): string => (world.settings.jobs.has('copy-0') ? 'copy-0' : 'copy-0-renamed');
      this.#days.startOnce(world, name());
      time.in(MINUTE_MS, () => this.#days.reload(world));
    }
    time.in(2 * MINUTE_MS, () => this.#days.offerOnce(PIPED_RENAMED));
  }

  /** The disk is full for longer than a promise lasts, and the agent dies meanwhile. */
  #dieOnFullDisk(world: AgentWorld): void {
    const { time } = this.#days;
    if (world.isDiskFull) return;
    world.isDiskFull = true;
    const fullMs = this.#days.between(6 * MINUTE_MS, 12 * MINUTE_MS);
    time.in(fullMs - MINUTE_MS, () => world.kill(this.#days.touches(), SECOND_MS));
    time.in(fullMs, () => (world.isDiskFull = false));
  }

  /** A row of a run that nobody needs any more turns out to be damaged at the next start. */
  #damageRow(world: AgentWorld): void {
    world.kill(0, SECOND_MS);
    this.#days.time.in(SECOND_MS / 2, () => {
      const run = this.#days.judge.settledRun(world);
      if (run === undefined || !world.isAway()) return;
      world.damageRow(run);
      this.#days.judge.damaged(world, run);
    });
  }

  /** The first answer that the next agent gets is ten years off. */
  #wildFirstAnswer(world: AgentWorld): void {
    world.kill(0, SECOND_MS);
    this.#days.time.in(SECOND_MS / 2, () => this.#days.wildAnswers.set(world.name, 1));
  }

  /** The host comes back with a clock that shows another year, which is a possible one. */
  #rebootDecadesOff(world: AgentWorld): void {
    world.reboot(this.#days.between(10 * SECOND_MS, 45 * SECOND_MS));
    this.#days.wrongClock(world, this.#days.one([-5, 30]) * YEAR_MS);
  }

  /** The service asks the task runner to terminate, an operator wants to go on, and later starts the agent again. */
  #terminate(world: AgentWorld): void {
    world.downMs = 10 * SECOND_MS;
    this.#days.service.terminate(world.name);
    for (let minute = 5; minute <= 20; minute += 5) {
      this.#days.time.in(minute * MINUTE_MS, () => world.ask({ type: 'resume' }, () => undefined));
    }
  }

  /** A name that never comes back. */
  #submit(world: AgentWorld): void {
    const definition = newJob(world.name, `once-${++this.#submitted}`);
    world.ask({ type: 'submit', definition }, (reply) => {
      if (reply.ok && reply.run !== undefined) this.#days.judge.startPromised(world, reply.run);
    });
  }
}
