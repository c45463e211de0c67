import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Heap } from '../../src/core/heap.ts';

type Operation =
  | { readonly kind: 'set'; readonly key: number; readonly rank: number }
  | { readonly kind: 'delete'; readonly key: number }
  | { readonly kind: 'pop' };

const key = fc.integer({ min: 0, max: 40 });
const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), key, rank: fc.integer({ min: 0, max: 100 }) }),
  fc.record({ kind: fc.constant('delete' as const), key }),
  fc.constant({ kind: 'pop' as const }),
);

test('gives the least rank first, whatever was set, moved and removed before', () => {
  fc.assert(
    // Short arrays do not reach the case of an entry that must rise after a removal: size max does.
    fc.property(fc.array(operation, { maxLength: 300, size: 'max' }), (operations) => {
      const heap = new Heap<number>();
      const model = new Map<number, number>();
      const popOne = (): void => {
        const least = Math.min(...model.values());
        const popped = heap.pop();
        if (popped === undefined) {
          expect(model.size).toBe(0);
          return;
        }
        expect(model.get(popped)).toBe(least);
        model.delete(popped);
      };
      for (const one of operations) {
        if (one.kind === 'pop') popOne();
        else if (one.kind === 'delete') expect(heap.delete(one.key)).toBe(model.delete(one.key));
        else {
          heap.set(one.key, one.rank);
          model.set(one.key, one.rank);
        }
        expect(heap.size).toBe(model.size);
      }
      while (model.size > 0) popOne();
      expect(heap.size).toBe(0);
    }),
  );
});

test('serves equal ranks in the order in which they came', () => {
  const heap = new Heap<string>();
  for (const name of ['a', 'b', 'c', 'd', 'e']) heap.set(name, 1);
  expect([heap.pop(), heap.pop(), heap.pop(), heap.pop(), heap.pop()].join('')).toBe('abcde');
});
