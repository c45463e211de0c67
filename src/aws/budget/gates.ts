/**
 * The gates: how many calls of each operation may be made now, so that no window of any length ever holds more than
 * `burst + perSecond * t` calls as the service sees them (P6). Who makes which call is the planner's business.
 *
 * A host on its own spends its budgets (host-budget.ts). In a fleet that shares them through Redis it takes calls from
 * the pool there, and only while Redis is away from its own (fleet.ts).
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
  /** Never falls; counts suspended time where the host can tell. */
  readonly monotonicMs: () => number;
  /** What each bucket holds at the start: what was saved, and what has been earned since. */
  readonly levels?: ReadonlyMap<Operation, number>;
  /**
   * True: an earlier agent ran here. Without its levels it crashed, perhaps a moment after it spent the
   * whole burst, so every bucket begins empty.
   */
  readonly persisted?: boolean;
  /** Closed with the gates. */
  readonly fleet?: FleetPool;
}

export interface AdjustableGates extends Gates {
  /** New rates from now on; what is in a bucket stays, as far as the new bucket holds it. */
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

/** Node fires timers of more than 2^31 ms at once; a slow bucket is looked at again after this long. */
const PAUSE_MS_MAX = 60_000;

class Gate {
  readonly #operation: Operation;
  readonly #post: Post;
  readonly #fleet: FleetPool | undefined;
  /** In a fleet: what this host has by right of its share, and spends by itself while it is alone. */
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

  /** Whoever begins to spend by himself begins with nothing: the pool has held the burst until now. */
  fleetChanged(): void {
    if (this.#fleet?.state === 'alone') this.#host.empty();
    this.#wake?.();
  }

  /** Calls that could be made at once by this host's own budget. In a fleet the next agent begins with none. */
  level(): number {
    return this.#fleet === undefined ? this.#host.level() : 0;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#wake?.();
    await this.#host.close();
  }

  /** Answers what was asked, in parts as large as the budget allows. */
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
        const right = Math.floor(this.#host.level());
        const taken = await this.#fleet.take(this.#operation, this.#wanted, right);
        this.#host.spend(taken.slots);
        return taken;
      }
      case 'alone':
      case undefined: {
        const slots = await this.#host.take(this.#wanted);
        return { slots, waitMs: this.#host.readyInMs() };
      }
    }
  }

  /** Until the time has passed or something has changed. */
  async #pause(waitMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, Math.min(waitMs, PAUSE_MS_MAX));
      // Waiting for budget is no reason to keep a process alive that has nothing else to do.
      timer.unref();
    });
    this.#wake = undefined;
    clearTimeout(timer);
  }

  /** Closing drops the jobs that wait; everything else is a fault of ours and ends the process. */
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
