/**
 * What is around the planner or the agent, in virtual time and from one seed: gates that give calls at the configured
 * rate, a network that fails as configured, and the host with its processes (host-model.ts). It outlives every agent.
 */
import type { Call, Operation, Outcome } from '../../src/core/model/call.ts';
import type { Event } from '../../src/core/model/event.ts';
import type { Settings } from '../../src/core/model/settings.ts';
import { SECOND_MS } from '../../src/core/lib/time.ts';
import { HostModel } from './host-model.ts';
import type { JobModel } from './host-model.ts';
import type { ServiceModel } from './service-model.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface OutsideOptions {
  readonly settings: Settings;
  readonly jobs: JobModel;
  /** The part of the calls that fails; half of those after the service has carried them out. */
  readonly failing: number;
  /** The rate that the service allows, if it is less than configured. It throttles the rest. */
  readonly throttling?: Settings['rates'];
  /** The outcome of a call that does not reach the service. */
  readonly outcome?: (call: Call, bootMs: number) => Outcome | undefined;
  /** By how much the `Date` of an answer that this host gets is off. */
  readonly dateErrorMs?: () => number;
  /** True while this call cannot reach the service. */
  readonly isOut?: (call: Call, bootMs: number) => boolean;
}

/** The part of the rate that the real gate gives. */
export const GATE_PART = 0.99;
/** The reserve that the real gate keeps too, because calls bunch up on their way (src/aws/budget/gates.ts). */
const JITTER_S = 0.2;

export class Outside {
  readonly host: HostModel;
  /** True while the host sleeps: its gates sleep with it. */
  isAsleep: () => boolean = () => false;
  readonly #world: Readonly<{ time: VirtualTime; service: ServiceModel; random: () => number }>;
  readonly #options: OutsideOptions;
  readonly #post: (event: Event) => void;
  readonly #gates = new Map<Operation, GateModel>();
  /** Names the host to the service. */
  readonly #name: string;
  #life = 0;

  constructor(
    world: Readonly<{ time: VirtualTime; service: ServiceModel; random: () => number }>,
    options: OutsideOptions,
    post: (event: Event) => void,
    name = 'host',
  ) {
    this.#world = world;
    this.#options = options;
    this.#post = post;
    this.#name = name;
    this.host = new HostModel(world.time, options.jobs, post);
  }

  /** The agent died: its connections are closed, and the next one has no saved-up calls. Jobs go on. */
  disconnect(): void {
    this.#life++;
    this.#world.service.disconnect(this.#name);
    this.host.agentDied();
    for (const gate of this.#gates.values()) gate.empty();
  }

  gate(operation: Operation): GateModel {
    let gate = this.#gates.get(operation);
    if (gate === undefined) {
      const rate = this.#options.settings.rates[operation];
      const open = (slots: number): void => this.#post({ type: 'gate-opened', operation, slots });
      const isAsleep = (): boolean => this.isAsleep();
      gate = new GateModel(this.#world.time, rate.perSecond, rate.burst, open, isAsleep);
      this.#gates.set(operation, gate);
    }
    return gate;
  }

  /** Sends a call. `arrived` is called when it reaches the service, `settle` with what came back, for this agent only. */
  call(call: Call, settle: (outcome: Outcome) => void, arrived: () => void): void {
    const { random, service, time } = this.#world;
    const life = this.#life;
    const answer = (outcome: Outcome): void => {
      time.in(this.#latencyMs(), () => {
        if (life === this.#life) settle(this.#dated(outcome));
      });
    };
    const perform = (settled: (outcome: Outcome) => void): void =>
      service.perform(call, settled, this.#name);
    time.in(this.#latencyMs(), () => {
      const isLetIn = service.arrive(call);
      arrived();
      const isOut = this.#options.isOut?.(call, time.now().bootMs) ?? false;
      const isFailing = random() < this.#options.failing;
      const fixed = this.#options.outcome?.(call, time.now().bootMs);
      const failure = { kind: 'unavailable', reason: 'simulated' } as const;
      if (!isLetIn && this.#options.throttling !== undefined) {
        answer({ kind: 'throttled', reason: 'simulated' });
      } else if (fixed !== undefined) answer(fixed);
      else if (isOut) answer(failure);
      else if (!isFailing) perform(answer);
      else if (random() < 0.5 || call.operation === 'PollForTask') answer(failure);
      else perform(() => answer(failure));
    });
  }

  #dated(outcome: Outcome): Outcome {
    const { serverDateMs } = outcome;
    if (serverDateMs === undefined) return outcome;
    return { ...outcome, serverDateMs: serverDateMs + (this.#options.dateErrorMs?.() ?? 0) };
  }

  #latencyMs(): number {
    return 5 + this.#world.random() * 90;
  }
}

/** A gate as the port describes it: never more than its rate and burst, less the reserve for jitter. */
class GateModel {
  readonly #time: VirtualTime;
  readonly #perSecond: number;
  readonly #capacity: number;
  readonly #open: (slots: number) => void;
  readonly #isAsleep: () => boolean;
  #tokens: number;
  #atMs: number;
  #waiting = 0;
  #isWaking = false;

  constructor(
    time: VirtualTime,
    perSecond: number,
    burst: number,
    open: (slots: number) => void,
    isAsleep: () => boolean = () => false,
  ) {
    this.#isAsleep = isAsleep;
    this.#time = time;
    this.#perSecond = perSecond * GATE_PART;
    this.#capacity = Math.max(1, burst - Math.ceil(perSecond * JITTER_S));
    this.#open = open;
    this.#tokens = this.#capacity;
    this.#atMs = time.now().bootMs;
  }

  ask(slots: number): void {
    this.#waiting += slots;
    this.#give();
  }

  giveBack(slots: number): void {
    this.#tokens = Math.min(this.#capacity, this.#tokens + slots);
  }

  empty(): void {
    this.#tokens = 0;
    this.#atMs = this.#time.now().bootMs;
    this.#waiting = 0;
  }

  #give(): void {
    const nowMs = this.#time.now().bootMs;
    const earned = ((nowMs - this.#atMs) / SECOND_MS) * this.#perSecond;
    this.#tokens = Math.min(this.#capacity, this.#tokens + earned);
    this.#atMs = nowMs;
    const slots = this.#isAsleep() ? 0 : Math.min(this.#waiting, Math.floor(this.#tokens + 1e-9));
    if (slots > 0) {
      this.#tokens -= slots;
      this.#waiting -= slots;
      this.#open(slots);
    }
    if (this.#waiting > 0 && !this.#isWaking) {
      this.#isWaking = true;
      const fullInMs = Math.ceil(((1 - this.#tokens) / this.#perSecond) * SECOND_MS);
      this.#time.in(this.#isAsleep() ? SECOND_MS : fullInMs, () => {
        this.#isWaking = false;
        this.#give();
      });
    }
  }
}
