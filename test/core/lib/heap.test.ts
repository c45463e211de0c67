import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Heap, Ranked } from '../../../src/core/lib/heap.ts';

class Named<Name> extends Ranked {
  readonly name: Name;

  constructor(name: Name) {
    super();
    this.name = name;
  }
}

type Operation =
  | { readonly kind: 'set'; readonly key: number; readonly rank: number }
  | { readonly kind: 'delete'; readonly key: number }
  | { readonly kind: 'pop' };

const key = fc.integer({ min: 0, max: 40 });
const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), key, rank: fc.integer({ min: 0, max: 9 }) }),
  fc.record({ kind: fc.constant('delete' as const), key }),
  fc.constant({ kind: 'pop' as const }),
);

test('returns the lowest rank first, and of equal ones the oldest, whatever was set, moved and removed before', () => {
  fc.assert(
    // Short arrays do not reach the case of an entry that must rise after a removal: size max does.
    fc.property(fc.array(operation, { maxLength: 300, size: 'max' }), (operations) => {
      const heap = new Heap<Named<number>>();
      const items = Array.from({ length: 41 }, (_, name) => new Named(name));
      /** By name: the rank, and when the item came. One that is moved is not younger. */
      const model = new Map<number, { readonly rank: number; readonly order: number }>();
      let order = 0;
      const popOne = (): void => {
        const [least] = [...model].sort(([, a], [, b]) => a.rank - b.rank || a.order - b.order);
        const popped = heap.pop();
        if (popped === undefined) {
          expect(model.size).toBe(0);
          return;
        }
        expect(popped.name).toBe(least?.[0]);
        model.delete(popped.name);
      };
      for (const one of operations) {
        if (one.kind === 'pop') popOne();
        else if (one.kind === 'delete')
          expect(heap.delete(items[one.key]!)).toBe(model.delete(one.key));
        else {
          heap.set(items[one.key]!, one.rank);
          model.set(one.key, {
            rank: one.rank,
            order: model.get(one.key)?.order ?? order++,
          });
        }
        expect(heap.size).toBe(model.size);
      }
      while (model.size > 0) popOne();
      expect(heap.size).toBe(0);
    }),
  );
});

test('serves equal ranks in the order in which they came', () => {
  const heap = new Heap<Named<string>>();
  for (const name of ['a', 'b', 'c', 'd', 'e']) heap.set(new Named(name), 1);
  expect(Array.from({ length: 5 }, () => heap.pop()?.name).join('')).toBe('abcde');
});

test('knows its own items from those of another heap', () => {
  const [mine, other] = [new Heap<Named<string>>(), new Heap<Named<string>>()];
  const item = new Named('a');
  mine.set(item, 1);
  other.set(new Named('b'), 1);
  expect(other.delete(item)).toBe(false);
  expect([mine.size, other.size]).toEqual([1, 1]);
});
