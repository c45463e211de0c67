/**
 * Days of an agent: work that comes and ends, and everything that goes wrong meanwhile, all from one seed. Rough days
 * hold only what a perfect scheduler can bear; stormy ones also outages, sleeps and absences longer than any slack.
 */
import type { Operation } from '../../src/core/model/call.ts';
import { HUB_OPERATIONS, PIPELINE_OPERATIONS } from '../../src/core/model/call.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/core/lib/time.ts';
import { createRandom } from '../../src/system/random.ts';
import { AgentChecker } from '../support/agent-checker.ts';
import { AgentWorld } from '../support/agent-world.ts';
import { polledTask } from '../support/polled-task.ts';
import { PIPELINE, definition, settings } from '../support/settings.ts';

export type Weather = 'rough' | 'stormy';

/** By then whoever ran when the days end is done, also who was handed out once more after an outage. */
const REST_MS_MAX = 12 * HOUR_MS;
/** Of the answers of a service that throttles, however slowly it is called. */
const THROTTLED_PART = 0.1;
const FAILING = 0.05;
/** The longest pause after AWS rejected the credentials (src/core/scheduling/pacing.ts). */
const DENIED_PAUSE_MS = 5 * MINUTE_MS;

const names = (kind: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${kind}-${i}`);
const OPERATED = names('copy', 10);
const PIPED = names('activity', 8);
const BURST = names('burst', 10);
const TRACKED = names('tracked', 6);

export interface Tale {
  readonly findings: readonly string[];
  readonly calls: number;
  readonly turns: number;
  readonly lives: number;
  readonly finalReports: number;
}

/** Lives through the days on a store in `directory`. `trace` gets every call of a port. */
export async function liveThrough(
  seed: number,
  weather: Weather,
  days: number,
  directory: string,
  trace?: string[],
): Promise<Tale> {
  const story = new AgentDays(seed, directory, days);
  story.world.trace = trace;
  story.plan(weather);
  const { checker, world } = story;
  world.begin();
  const endMs = days * DAY_MS;
  let atMs = endMs;
  do await world.runUntil((atMs += HOUR_MS));
  while (!checker.isAtRest() && atMs < endMs + REST_MS_MAX);
  // Every report arrives.
  await world.runUntil(atMs + HOUR_MS);
  world.close();
  const findings = checker.close();
  const finalReports = [...world.service.books.finals.values()].flat().length;
  const { calls } = world.service.books;
  return { findings, calls, turns: world.turns, lives: world.lives, finalReports };
}

class AgentDays {
  readonly world: AgentWorld;
  readonly checker: AgentChecker;
  readonly #random: () => number;
  readonly #endMs: number;
  #outUntilMs = 0;
  #deniedUntilMs = 0;
  #throttled: { readonly operation: Operation; readonly untilMs: number } | undefined;
  #offered = 0;
  readonly #attempts = new Map<string, string>();

  constructor(seed: number, directory: string, days: number) {
    const random = createRandom(seed + 1000);
    this.#random = random;
    this.#endMs = days * DAY_MS;
    const jobs = [...OPERATED, ...PIPED, ...BURST].map((name) => [name, definition(name)] as const);
    this.world = new AgentWorld(seed, directory, {
      failing: FAILING,
      settings: settings({
        jobs: new Map(jobs),
        dataPipeline: {
          ...PIPELINE,
          concurrency: PIPED.length,
          activities: PIPED.map((job) => ({ match: { name: job }, job })),
        },
      }),
      jobs: {
        durationMs: () => this.#between(MINUTE_MS, 3 * HOUR_MS),
        exitCode: () => (random() < 0.2 ? 23 : 0),
        progressEveryMs: 5 * MINUTE_MS,
        isDeaf: (run) => run.number % 3 === 0,
      },
      isOut: (_call, bootMs) => bootMs < this.#outUntilMs,
      outcome: ({ operation }, bootMs) => {
        if (bootMs < this.#deniedUntilMs) return { kind: 'denied', reason: 'simulated' };
        const isThrottled =
          this.#throttled?.operation === operation && bootMs < this.#throttled.untilMs;
        if (!isThrottled || random() >= THROTTLED_PART) return undefined;
        return { kind: 'throttled', reason: 'simulated' };
      },
    });
    this.checker = new AgentChecker(this.world);
  }

  plan(weather: Weather): void {
    const { world } = this;
    for (const job of OPERATED) this.#soon(() => this.#start(job, true));
    for (const job of PIPED) this.#soon(() => this.#offer(job));
    for (const job of TRACKED) this.#soon(() => this.#track(job));

    this.#often(6, () => BURST.forEach((job) => this.#start(job, false)));
    this.#often(4, () => this.#cancelStarted());
    this.#often(4, () => world.service.cancel(this.#attempts.get(this.#one(PIPED)) ?? ''));
    this.#often(6, () => this.#throttle(this.#between(MINUTE_MS, 20 * MINUTE_MS)));
    this.#often(8, () => this.#outage(this.#between(SECOND_MS, 45 * SECOND_MS)));
    this.#often(4, () => world.time.stepWall(this.#between(-3 * HOUR_MS, 3 * HOUR_MS)));
    this.#often(4, () => world.time.stepWall(this.#between(-5 * SECOND_MS, 5 * SECOND_MS)));
    this.#often(4, () => world.suspend(this.#between(SECOND_MS, 45 * SECOND_MS)));
    this.#often(3, () => this.#fillDisk(this.#between(SECOND_MS, 20 * MINUTE_MS)));
    this.#often(30, () => this.#kill(this.#between(0, 5 * SECOND_MS)));
    this.#often(2, () => world.stop(this.#between(0, 10 * SECOND_MS)));
    this.#often(2, () => world.reboot(this.#between(10 * SECOND_MS, 45 * SECOND_MS)));
    if (weather === 'rough') return;

    this.#often(3, () => this.#outage(this.#excused(2 * MINUTE_MS, 3 * HOUR_MS)));
    this.#often(1, () => this.#deny(this.#excused(2 * MINUTE_MS, 2 * HOUR_MS)));
    this.#often(2, () => world.suspend(this.#excused(MINUTE_MS, 2 * HOUR_MS)));
    this.#often(2, () => this.#kill(this.#between(MINUTE_MS, 40 * MINUTE_MS)));
  }

  #start(job: string, isAgain: boolean): void {
    this.world.ask({ type: 'start', job }, (reply) => {
      if (reply.ok && reply.run !== undefined) this.checker.promised(reply.run);
      if (isAgain) this.#later(4 * HOUR_MS, () => this.#start(job, true));
    });
  }

  /** The next task of an activity comes when the one before has ended. */
  #offer(job: string): void {
    const before = this.world.service.taskState(this.#attempts.get(job) ?? '');
    if (before !== 'waiting' && before !== 'owned') {
      const task = polledTask(job, 1, ++this.#offered);
      this.#attempts.set(job, task.attemptId);
      this.checker.offered(task.attemptId);
      this.world.service.offer(task);
    }
    this.#later(HOUR_MS, () => this.#offer(job));
  }

  #track(name: string): void {
    const tracked = definition(name, { command: [], tracked: { by: 'report' } });
    this.world.ask({ type: 'track', definitions: [tracked] }, () => this.#report(name, 0));
  }

  /** Answered once, whatever happened: a report that an agent accepted before it died is answered as a conflict. */
  #report(name: string, percent: number): void {
    const isEnd = percent >= 100 || this.#random() < 0.05;
    const status = percent >= 100 ? 'completed' : 'failed';
    const report = isEnd ? ({ name, status } as const) : { name, percent };
    if (isEnd) this.checker.ended(name, status === 'completed' ? 'COMPLETED' : 'FAILED');
    this.world.ask({ type: 'report', reports: [report] }, () => {
      const next = percent + this.#between(0, 20);
      if (isEnd) this.#later(2 * HOUR_MS, () => this.#track(name));
      else this.world.time.in(this.#between(0, 20 * MINUTE_MS), () => this.#report(name, next));
    });
  }

  #cancelStarted(): void {
    const job = this.#one([...OPERATED, ...BURST]);
    this.world.ask({ type: 'cancel', job, by: 'the test' }, () => undefined);
  }

  #throttle(ms: number): void {
    const operation = this.#one([...HUB_OPERATIONS, ...PIPELINE_OPERATIONS]);
    this.#throttled = { operation, untilMs: this.world.time.now().bootMs + ms };
  }

  #outage(ms: number): void {
    this.#outUntilMs = Math.max(this.#outUntilMs, this.world.time.now().bootMs + ms);
  }

  /** The credentials are no good: the agent looks again every five minutes at the latest. */
  #deny(ms: number): void {
    this.#deniedUntilMs = Math.max(this.#deniedUntilMs, this.world.time.now().bootMs + ms);
    this.checker.excuse(ms + DENIED_PAUSE_MS);
  }

  #fillDisk(ms: number): void {
    this.world.isDiskFull = true;
    this.world.time.in(ms, () => (this.world.isDiskFull = false));
  }

  #kill(downMs: number): void {
    this.world.kill(Math.floor(this.#random() * 40), downMs);
  }

  #excused(fromMs: number, toMs: number): number {
    const ms = this.#between(fromMs, toMs);
    this.checker.excuse(ms);
    return ms;
  }

  /** So many times a day on average, at any moment. */
  #often(perDay: number, what: () => void): void {
    const count = Math.ceil((perDay * this.#endMs) / DAY_MS);
    for (let i = 0; i < count; i++) this.world.time.in(this.#random() * this.#endMs, () => what());
  }

  #soon(what: () => void): void {
    this.world.time.in(this.#random() * 10 * MINUTE_MS, what);
  }

  /** Within `ms`, unless the days are over by then. */
  #later(ms: number, what: () => void): void {
    const waitMs = this.#random() * ms;
    if (this.world.time.now().bootMs + waitMs < this.#endMs) this.world.time.in(waitMs, what);
  }

  #between(from: number, to: number): number {
    return from + Math.floor(this.#random() * (to - from));
  }

  #one<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.#random() * items.length)]!;
  }
}
