import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bucketOf, steadyPerSecond } from '../../../src/core/scheduling/token-bucket.ts';

const JITTER_MS = 200;

describe('a bucket', () => {
  test('is smaller than the burst by what a second of jitter brings, at a tenth of it at most', () => {
    expect(bucketOf({ perSecond: 10, burst: 100 }).capacity).toBe(90);
    expect(bucketOf({ perSecond: 2, burst: 100 }).capacity).toBe(98);
    expect(bucketOf({ perSecond: 1, burst: 10 }).capacity).toBe(9);
    expect(bucketOf({ perSecond: 5, burst: 10 }).capacity).toBe(9);
  });

  test('gives all but a hundredth of the rate if the burst has room for the jitter', () => {
    expect(steadyPerSecond({ perSecond: 1, burst: 10 })).toBeCloseTo(0.99, 9);
    expect(steadyPerSecond({ perSecond: 10, burst: 3 })).toBeCloseTo(9.9, 9);
  });

  test('of a burst of one holds one call and is spaced wider by the jitter instead', () => {
    const slow = bucketOf({ perSecond: 1, burst: 1 });
    expect(slow.capacity).toBe(1);
    expect(1 / slow.perMs).toBeCloseTo(1200 / 0.99, 6);
    const fast = bucketOf({ perSecond: 50, burst: 1 });
    expect(fast.capacity).toBe(1);
    expect(1 / fast.perMs).toBeCloseTo(220 / 0.99, 6);
  });

  test('never brings more than the rate to a service that sees each call up to 200 ms late', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.001, max: 500, noNaN: true }),
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 1, max: 2000 }),
        (perSecond, burst, calls) => {
          const { capacity, perMs } = bucketOf({ perSecond, burst });
          expect(capacity).toBeGreaterThanOrEqual(1);
          expect(capacity).toBeLessThanOrEqual(burst);
          // A full bucket emptied at once and then as fast as it fills; the first call seen late, the last one not.
          const spanMs = Math.max(0, Math.max(0, calls - capacity) / perMs - JITTER_MS);
          expect(calls).toBeLessThanOrEqual(burst + (perSecond * spanMs) / 1000);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
