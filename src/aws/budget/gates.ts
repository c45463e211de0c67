/**
 * The gates: how many calls of each operation may be made now, so that no window of any length ever holds more than
 * `burst + perSecond * t` calls as the service sees them (P6). The planner decides which call is made.
 *
 * A single host spends its own budgets (host-budget.ts). A host of a fleet takes calls from the pool in Redis, and spends its
 * own budgets only while Redis is unreachable (fleet.ts).
 */
import type { Operation } from '../../core/model/call.ts';
import type { Rate } from '../../core/model/settings.ts';
import type { Gates, Post } from '../../ports.ts';
import type { Fleet } from './fleet.ts';
import { HostBudget } from './host-budget.ts';

/** What a gate needs of a fleet. */
export type FleetPool = Pick<
  Fleet,
  'state' | 'onChange' | 'take' | 'giveBack' | 'status' | 'problems' | 'close'
>;

export type Rates = Readonly<Record<Operation, Rate>>;

export interface GatesOptions {
  /** This host's budgets: in a fleet its part of each. */
  readonly rates: Rates;
  readonly post: Post;
  /** Never falls; counts suspended time if the host has such a clock. */
  readonly monotonicMs: () => number;
  /** What each bucket holds at the start: the saved level plus what was earned since. */
  readonly levels?: ReadonlyMap<Operation, number>;
  /**
   * True if an earlier agent ran here. If it saved no levels it crashed, perhaps right after spending a whole burst, so
   * every bucket starts empty.
   */
  readonly persisted?: boolean;
  /** Closed with the gates. */
  readonly fleet?: FleetPool;
}

export interface AdjustableGates extends Gates {
  /** Applies new rates. A bucket keeps its level, up to its new capacity. */
  setRates(rates: Rates): void;
}

export function createGates(options: GatesOptions): AdjustableGates {
  const { fleet } = options;
  const gates = new Map<Operation, Gate>();
  for (const operation of Object.keys(options.rates) as Operation[]) {
    gates.set(operation, new Gate(operation, options));
  }
  const gateOf = (operation: Operation): Gate => {
    const gate = gates.get(operation);
    if (gate === undefined) throw new Error(`no rate is known for ${operation}`);
    return gate;
  };
  if (fleet !== undefined) {
    fleet.onChange = () => {
      for (const gate of gates.values()) gate.fleetChanged();
    };
  }
  return {
    ask: (operation, slots) => gateOf(operation).ask(slots),
    giveBack: (operation, slots) => gateOf(operation).giveBack(slots),
    levels: () => new Map([...gates].map(([operation, gate]) => [operation, gate.level()])),
    fleet: () => fleet?.status(),
    problems: () => fleet?.problems() ?? [],
    setRates: (rates) => {
      for (const [operation, gate] of gates) gate.setRate(rates[operation]);
    },
    close: async () => {
      await Promise.all([...[...gates.values()].map((gate) => gate.close()), fleet?.close()]);
    },
  };
}

/** Node fires a timer of more than 2^31 ms at once, so a slow bucket is checked again after this time. */
const PAUSE_MS_MAX = 60_000;

class Gate {
  readonly #operation: Operation;
  readonly #post: Post;
  readonly #fleet: FleetPool | undefined;
  /** In a fleet: this host's guaranteed share, which it also spends while it is alone. */
  readonly #host: HostBudget;
  #wanted = 0;
  #serving = false;
  #closed = false;
  #wake: (() => void) | undefined;

  constructor(operation: Operation, options: GatesOptions) {
    this.#operation = operation;
    this.#post = options.post;
    this.#fleet = options.fleet;
    this.#host = new HostBudget({
      rate: options.rates[operation],
      level: firstLevel(operation, options),
      monotonicMs: options.monotonicMs,
      fault: (error) => this.#fault(error),
    });
  }

  ask(slots: number): void {
    if (this.#closed || slots <= 0) return;
    this.#wanted += slots;
    if (this.#serving) return;
    this.#serving = true;
    this.#serve().catch((error: unknown) => this.#fault(error));
  }

  giveBack(slots: number): void {
    if (this.#closed || slots <= 0) return;
    if (this.#fleet === undefined || this.#fleet.state === 'alone') this.#host.giveBack(slots);
    else this.#fleet.giveBack(this.#operation, slots);
    this.#wake?.();
  }

  setRate(rate: Rate): void {
    this.#host.setRate(rate);
    this.#wake?.();
  }

  /** A host that goes alone starts with nothing: until now its burst was in the pool. */
  fleetChanged(): void {
    if (this.#fleet?.state === 'alone') this.#host.empty();
    this.#wake?.();
  }

  /** Calls that this host's own budget allows at once. In a fleet the next agent starts with none. */
  level(): number {
    return this.#fleet === undefined ? this.#host.level() : 0;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#wake?.();
    await this.#host.close();
  }

  /** Serves the requests, in parts as large as the budget allows. */
  async #serve(): Promise<void> {
    while (this.#wanted > 0) {
      const { slots, waitMs } = await this.#take();
      if (this.#closed) return;
      if (slots === 0) {
        await this.#pause(waitMs);
        continue;
      }
      this.#wanted -= slots;
      this.#post({ type: 'gate-opened', operation: this.#operation, slots });
    }
    this.#serving = false;
  }

  async #take(): Promise<{ slots: number; waitMs: number }> {
    switch (this.#fleet?.state) {
      case 'waiting':
        return { slots: 0, waitMs: PAUSE_MS_MAX };
      case 'joined': {
        const guaranteed = Math.floor(this.#host.level());
        const taken = await this.#fleet.take(this.#operation, this.#wanted, guaranteed);
        this.#host.spend(taken.slots);
        return taken;
      }
      case 'alone':
      case undefined: {
        const slots = await this.#host.take(this.#wanted);
        return { slots, waitMs: this.#host.worthwhileInMs() };
      }
    }
  }

  /** Waits until the time has passed or something has changed. */
  async #pause(waitMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, Math.min(waitMs, PAUSE_MS_MAX));
      // Waiting for budget must not keep the process alive.
      timer.unref();
    });
    this.#wake = undefined;
    clearTimeout(timer);
  }

  /** Closing rejects waiting jobs of bottleneck. Any other error is a bug, and ends the process. */
  #fault(error: unknown): void {
    if (this.#closed) return;
    queueMicrotask(() => {
      throw error;
    });
  }
}

function firstLevel(operation: Operation, options: GatesOptions): number {
  if (options.fleet !== undefined) return 0;
  if (options.levels !== undefined) return Math.max(0, options.levels.get(operation) ?? 0);
  return options.persisted === true ? 0 : Infinity;
}
