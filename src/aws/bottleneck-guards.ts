/**
 * Every guard against a fault of bottleneck 2.19.5, each with its test in test/contract/gates.test.ts.
 * Faults that are avoided by not using a feature are named here too, so that nobody brings them back:
 *
 * - `updateSettings` clears the refill timer for good (SGrondin/bottleneck#185): never called; a rate
 *   is changed outside of the limiter (gates.ts).
 * - the reservoir interval options follow the wall clock and move in steps of 250 ms: never set; the
 *   reservoir is filled by `incrementReservoir` alone.
 * - a job `id` that is submitted twice never settles (#199): jobs carry no id.
 * - `expiration` frees a slot while the job still runs: never set.
 * - `stop({ dropWaitingJobs: false })` never resolves with an empty reservoir: see `stopLimiter`.
 */
import Bottleneck from 'bottleneck';

/** A limiter whose only condition is its reservoir, with the guards in place. */
export function createLimiter(reservoir: number): Bottleneck {
  const limiter = new Bottleneck({
    reservoir,
    maxConcurrent: null,
    minTime: 0,
    highWater: null,
    strategy: Bottleneck.strategy.LEAK,
    reservoirRefreshInterval: null,
    reservoirRefreshAmount: null,
    reservoirIncreaseInterval: null,
    reservoirIncreaseAmount: null,
    reservoirIncreaseMaximum: null,
    rejectOnDrop: true,
  });
  ignoreWallClock(limiter);
  return limiter;
}

/** Ends a limiter: jobs that wait for budget are rejected with BottleneckError. */
export async function stopLimiter(limiter: Bottleneck): Promise<void> {
  await limiter.stop({ dropWaitingJobs: true });
  await limiter.disconnect();
}

/**
 * The local store keeps the wall time of the next start in `_nextRequest`; when the host's clock steps
 * back by an hour, every job waits for an hour. With `minTime` 0 that time means nothing: it is always 0.
 */
function ignoreWallClock(limiter: Bottleneck): void {
  const { _store: store } = limiter as unknown as { readonly _store: object };
  Object.defineProperty(store, '_nextRequest', { get: () => 0, set: () => undefined });
}
