/** The only source of randomness: all other code receives a `Random`. */
import type { Random } from '../ports.ts';

/** A generator whose sequence follows from its seed (mulberry32), so that a run can be repeated. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function newSeed(): number {
  return Math.floor(Math.random() * 2 ** 32);
}
