/** A random sample that a seed repeats. */

/** `count` of the items, or all, in the order of a shuffle by `seed`. */
export function sample<Item>(items: readonly Item[], count: number, seed: number): readonly Item[] {
  const left = [...items];
  const taken: Item[] = [];
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  while (taken.length < count && left.length > 0) {
    // xorshift32
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    taken.push(...left.splice(state % left.length, 1));
  }
  return taken;
}
