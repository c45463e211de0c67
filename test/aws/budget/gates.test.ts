/**
 * The gates: no window of any length holds more than the rate allows (P6), nothing starves, and none of
 * bottleneck's known faults shows. Timers are faked, since bottleneck takes no clock.
 */
import Bottleneck from 'bottleneck';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createLimiter, stopLimiter } from '../../../src/aws/budget/bottleneck-guards.ts';
import { createGates } from '../../../src/aws/budget/gates.ts';
import type { AdjustableGates, FleetPool, Rates } from '../../../src/aws/budget/gates.ts';
import { HostBudget } from '../../../src/aws/budget/host-budget.ts';
import { bucketOf } from '../../../src/core/scheduling/token-bucket.ts';
import { HUB_OPERATIONS, PIPELINE_OPERATIONS } from '../../../src/core/model/call.ts';
import type { Operation } from '../../../src/core/model/call.ts';
import type { Rate } from '../../../src/core/model/settings.ts';

const NOTIFY = 'NotifyMigrationTaskState';
const POLL = 'PollForTask';

interface Given {
  readonly atMs: number;
  readonly operation: Operation;
  readonly slots: number;
}

interface Bench {
  readonly gates: AdjustableGates;
  readonly given: Given[];
  readonly total: (operation?: Operation) => number;
}

const opened: AdjustableGates[] = [];

function bench(
  rate: Rate,
  state: {
    levels?: ReadonlyMap<Operation, number>;
    persisted?: boolean;
    fleet?: FleetPool;
  } = {},
): Bench {
  const given: Given[] = [];
  const gates = createGates({
    rates: everywhere(rate),
    monotonicMs: () => performance.now(),
    post: (event) => {
      if (event.type !== 'gate-opened') throw new Error(`a gate posted ${event.type}`);
      given.push({ atMs: performance.now(), operation: event.operation, slots: event.slots });
    },
    ...state,
  });
  opened.push(gates);
  const total = (operation: Operation = NOTIFY): number =>
    given.filter((one) => one.operation === operation).reduce((sum, one) => sum + one.slots, 0);
  return { gates, given, total };
}

function everywhere(rate: Rate): Rates {
  return Object.fromEntries(
    [...HUB_OPERATIONS, ...PIPELINE_OPERATIONS].map((operation) => [operation, rate]),
  ) as unknown as Rates;
}

/** The most that any window holds beyond what it may, each call seen up to `jitterMs` late. */
function excess(given: readonly Given[], rate: Rate, jitterMs: (index: number) => number): number {
  const seen = given
    .flatMap(({ atMs, slots }) => Array.from({ length: slots }, () => atMs))
    .map((atMs, index) => atMs + jitterMs(index))
    .sort((a, b) => a - b);
  let worst = -Infinity;
  seen.forEach((fromMs, first) => {
    for (let last = first; last < seen.length; last++) {
      const allowed = rate.burst + (rate.perSecond * (seen[last]! - fromMs)) / 1000;
      worst = Math.max(worst, last - first + 1 - allowed);
    }
  });
  return worst;
}

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
  });
});

afterEach(async () => {
  const closing = Promise.all(opened.splice(0).map((gates) => gates.close()));
  await vi.advanceTimersByTimeAsync(1000);
  await closing;
  vi.useRealTimers();
});

describe('a gate', () => {
  test('gives available calls at once and in one part, and the rest as they become available', async () => {
    const { gates, given, total } = bench({ perSecond: 10, burst: 100 });
    gates.ask(NOTIFY, 120);
    await vi.advanceTimersByTimeAsync(50);
    expect(given).toMatchObject([{ operation: NOTIFY, slots: 90 }]);
    await vi.advanceTimersByTimeAsync(2000);
    expect(total()).toBeGreaterThanOrEqual(108);
    expect(total()).toBeLessThanOrEqual(110);
    await vi.advanceTimersByTimeAsync(2000);
    expect(total()).toBe(120);
  });

  test('has no timer while nothing waits', async () => {
    const { gates, total } = bench({ perSecond: 10, burst: 10 });
    gates.ask(NOTIFY, 12);
    await vi.advanceTimersByTimeAsync(1000);
    expect(total()).toBe(12);
    expect(vi.getTimerCount()).toBe(0);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(gates.levels().get(NOTIFY)).toBe(bucketOf({ perSecond: 10, burst: 10 }).capacity);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('counts each operation for itself', async () => {
    const { gates, total } = bench({ perSecond: 0.01, burst: 1 });
    gates.ask(NOTIFY, 3);
    gates.ask(POLL, 1);
    await vi.advanceTimersByTimeAsync(50);
    expect(total(NOTIFY)).toBe(1);
    expect(total(POLL)).toBe(1);
  });

  test('works with one call in a hundred seconds', async () => {
    const rate = { perSecond: 0.01, burst: 1 };
    const { gates, given, total } = bench(rate);
    gates.ask(NOTIFY, 4);
    await vi.advanceTimersByTimeAsync(320_000);
    expect(total()).toBe(4);
    expect(excess(given, rate, () => 0)).toBeLessThanOrEqual(0);
  });

  test('takes back what was not used, but never beyond its capacity', async () => {
    const { gates, total } = bench({ perSecond: 0.01, burst: 10 });
    gates.ask(NOTIFY, 9);
    await vi.advanceTimersByTimeAsync(50);
    gates.ask(NOTIFY, 2);
    await vi.advanceTimersByTimeAsync(50);
    expect(total()).toBe(9);
    gates.giveBack(NOTIFY, 2);
    await vi.advanceTimersByTimeAsync(50);
    expect(total()).toBe(11);
    expect(gates.levels().get(NOTIFY)).toBeLessThan(1);
    gates.giveBack(NOTIFY, 50);
    await vi.advanceTimersByTimeAsync(50);
    expect(gates.levels().get(NOTIFY)).toBe(bucketOf({ perSecond: 0.01, burst: 10 }).capacity);
    gates.ask(NOTIFY, 50);
    await vi.advanceTimersByTimeAsync(50);
    expect(total()).toBe(20);
  });

  test('begins full on a new host, empty after a crash, at the saved level after a clean stop', async () => {
    const rate = { perSecond: 0.01, burst: 10 };
    const fresh = bench(rate);
    const crashed = bench(rate, { persisted: true });
    const stopped = bench(rate, { persisted: true, levels: new Map([[NOTIFY, 4.5]]) });
    for (const { gates } of [fresh, crashed, stopped]) gates.ask(NOTIFY, 10);
    await vi.advanceTimersByTimeAsync(100);
    expect([fresh.total(), crashed.total(), stopped.total()]).toEqual([9, 0, 4]);
    await vi.advanceTimersByTimeAsync(102_000);
    expect([crashed.total(), stopped.total()]).toEqual([1, 5]);
  });

  test('lets nothing that was saved exceed its capacity', () => {
    const { gates } = bench({ perSecond: 1, burst: 2 }, { levels: new Map([[NOTIFY, 1e9]]) });
    expect(gates.levels().get(NOTIFY)).toBe(bucketOf({ perSecond: 1, burst: 2 }).capacity);
  });

  test('obeys a new rate at once: a smaller bucket loses what it cannot hold', async () => {
    const { gates, total } = bench({ perSecond: 10, burst: 100 });
    gates.setRates(everywhere({ perSecond: 0.01, burst: 2 }));
    gates.ask(NOTIFY, 100);
    await vi.advanceTimersByTimeAsync(1000);
    expect(total()).toBe(1);
    gates.setRates(everywhere({ perSecond: 100, burst: 100 }));
    await vi.advanceTimersByTimeAsync(2000);
    expect(total()).toBe(100);
  });

  test('does not starve a part that was on its way when the bucket became smaller', async () => {
    const { gates, total } = bench({ perSecond: 10, burst: 100 });
    gates.ask(NOTIFY, 50);
    gates.setRates(everywhere({ perSecond: 1, burst: 1 }));
    await vi.advanceTimersByTimeAsync(100);
    expect(total()).toBe(50);
    gates.ask(NOTIFY, 1);
    await vi.advanceTimersByTimeAsync(3000);
    expect(total()).toBe(51);
  });

  test('ends with calls still waiting, and posts nothing afterwards', async () => {
    const { gates, total } = bench({ perSecond: 0.01, burst: 1 });
    gates.ask(NOTIFY, 5);
    await vi.advanceTimersByTimeAsync(50);
    const closed = gates.close();
    await vi.advanceTimersByTimeAsync(50);
    await closed;
    gates.ask(NOTIFY, 5);
    gates.giveBack(NOTIFY, 5);
    await vi.advanceTimersByTimeAsync(1_000_000);
    expect(total()).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a gate in a fleet', () => {
  /** A pool that always has as much as is wanted, and remembers who asked by which right. */
  class PoolInMemory implements FleetPool {
    state: FleetPool['state'] = 'waiting';
    onChange = (): void => undefined;
    readonly asked: { wanted: number; guaranteed: number }[] = [];
    returned = 0;

    take(_operation: Operation, wanted: number, guaranteed: number) {
      this.asked.push({ wanted, guaranteed });
      return Promise.resolve({ slots: wanted, waitMs: 0 });
    }

    giveBack(_operation: Operation, slots: number): void {
      this.returned += slots;
    }

    status() {
      return { state: this.state, share: 0.1 };
    }

    problems(): string[] {
      return [];
    }

    close(): Promise<void> {
      return Promise.resolve();
    }

    become(state: FleetPool['state']): void {
      this.state = state;
      this.onChange();
    }
  }

  test('makes no call between the two, all from the pool while joined, and its share alone, which begins with nothing', async () => {
    const fleet = new PoolInMemory();
    // A part of 1 a second and 10 at once.
    const { gates, total } = bench({ perSecond: 1, burst: 10 }, { fleet });
    gates.ask(NOTIFY, 3);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(total()).toBe(0);
    fleet.become('joined');
    await vi.advanceTimersByTimeAsync(10);
    expect(total()).toBe(3);
    gates.ask(NOTIFY, 40);
    await vi.advanceTimersByTimeAsync(10);
    expect(total()).toBe(43);
    // By right it had nine, then what was left of them, and now none.
    expect(fleet.asked).toEqual([
      { wanted: 3, guaranteed: 9 },
      { wanted: 40, guaranteed: 6 },
    ]);
    gates.giveBack(NOTIFY, 2);
    expect(fleet.returned).toBe(2);

    // A minute later its right is full again; alone it still begins with nothing.
    await vi.advanceTimersByTimeAsync(60_000);
    fleet.become('waiting');
    gates.ask(NOTIFY, 5);
    await vi.advanceTimersByTimeAsync(1_000);
    fleet.become('alone');
    await vi.advanceTimersByTimeAsync(900);
    expect(total()).toBe(43);
    await vi.advanceTimersByTimeAsync(2_200);
    expect(total()).toBe(46);
    fleet.become('waiting');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(total()).toBe(46);
    fleet.become('joined');
    await vi.advanceTimersByTimeAsync(10);
    expect(total()).toBe(48);
    expect(gates.levels().get(NOTIFY)).toBe(0);
  });
});

describe('the limit (P6)', () => {
  const rates = fc.record({
    perSecond: fc.oneof(
      fc.constantFrom(0.05, 0.5, 1, 2, 10),
      fc.double({ min: 0.05, max: 20, noNaN: true }),
    ),
    burst: fc.oneof(fc.constantFrom(1, 2, 10), fc.integer({ min: 1, max: 40 })),
  });
  const steps = fc.array(
    fc.record({
      waitMs: fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 20_000 })),
      ask: fc.integer({ min: 0, max: 15 }),
      giveBackPart: fc.double({ min: 0, max: 1, noNaN: true }),
      clockStepMs: fc.constantFrom(0, 0, 0, -3_600_000, 3_600_000),
    }),
    { minLength: 1, maxLength: 12 },
  );

  test('holds in every window, whatever is asked and whatever the wall clock does; nothing starves', async () => {
    await fc.assert(
      fc.asyncProperty(rates, steps, async (rate, plan) => {
        const { gates, given, total } = bench(rate);
        let asked = 0;
        let unused = 0;
        for (const { waitMs, ask, giveBackPart, clockStepMs } of plan) {
          if (clockStepMs !== 0) vi.setSystemTime(Date.now() + clockStepMs);
          gates.ask(NOTIFY, ask);
          asked += ask;
          await vi.advanceTimersByTimeAsync(waitMs);
          // What is handed back at once was never called: it leaves the record as well.
          const last = given.at(-1);
          const back = Math.floor((last?.slots ?? 0) * giveBackPart);
          if (last !== undefined && back > 0 && last.atMs === performance.now()) {
            gates.giveBack(NOTIFY, back);
            given[given.length - 1] = { ...last, slots: last.slots - back };
            unused += back;
          }
        }
        expect(excess(given, rate, () => 0)).toBeLessThanOrEqual(0);
        const { perMs } = bucketOf(rate);
        await vi.advanceTimersByTimeAsync((asked + 2) / perMs + 200 * (asked + 2));
        expect(total() + unused).toBe(asked);
      }),
      { numRuns: 60 },
    );
  });

  test('holds at the service, where calls arrive up to 200 ms late and bunched', async () => {
    await fc.assert(
      fc.asyncProperty(
        rates.filter(({ perSecond, burst }) => burst >= 1 + perSecond * 0.2 || perSecond <= 1),
        fc.infiniteStream(fc.integer({ min: 0, max: 200 })),
        async (rate, delays) => {
          const { gates, given } = bench(rate);
          gates.ask(NOTIFY, 60);
          await vi.advanceTimersByTimeAsync(60_000);
          const late = [...delays.take(60)];
          expect(excess(given, rate, (index) => late[index] ?? 0)).toBeLessThanOrEqual(0);
          // The worst case: everything late, and then nothing is.
          for (const turn of [5, 10, 20, 40]) {
            const bunched = excess(given, rate, (index) => (index < turn ? 200 : 0));
            expect(bunched).toBeLessThanOrEqual(0);
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('the guards against bottleneck', () => {
  test('a clock that steps back does not stop a limiter, as it stops one without the guard', async () => {
    const guarded = createLimiter(10);
    const bare = new Bottleneck({ reservoir: 10 });
    const done: string[] = [];
    vi.setSystemTime(Date.now() - 3_600_000);
    const both = [
      guarded.schedule(() => Promise.resolve(done.push('guarded'))),
      bare.schedule(() => Promise.resolve(done.push('bare'))),
    ];
    await vi.advanceTimersByTimeAsync(1000);
    expect(done).toEqual(['guarded']);
    await vi.advanceTimersByTimeAsync(3_600_000);
    await Promise.all(both);
  });

  test('a limiter with an empty reservoir ends, and what waits is rejected', async () => {
    const limiter = createLimiter(0);
    const waiting = limiter.schedule(() => Promise.resolve('ran')).catch(() => 'dropped');
    await vi.advanceTimersByTimeAsync(10);
    const stopped = stopLimiter(limiter);
    await vi.advanceTimersByTimeAsync(10);
    await stopped;
    await expect(waiting).resolves.toBe('dropped');
  });

  test('no interval of bottleneck runs: a full bucket costs nothing', () => {
    createLimiter(5);
    expect(vi.getTimerCount()).toBe(0);
  });
});

test('a fault of bottleneck ends the process, unless the gates are being closed', async () => {
  const { gates } = bench({ perSecond: 10, burst: 10 });
  const thrown: (() => void)[] = [];
  const queue = vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((task) => {
    thrown.push(task);
  });
  const take = vi.spyOn(HostBudget.prototype, 'take').mockRejectedValue(new Error('a fault'));
  try {
    gates.ask(NOTIFY, 1);
    await vi.advanceTimersByTimeAsync(1);
    expect(thrown).toHaveLength(1);
    expect(thrown[0]).toThrow('a fault');
    gates.ask(POLL, 1);
    await gates.close();
    await vi.advanceTimersByTimeAsync(1);
    expect(thrown).toHaveLength(1);
  } finally {
    queue.mockRestore();
    take.mockRestore();
  }
});
