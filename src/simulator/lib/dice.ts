/**
 * Seeded random numbers: with the same seed the simulator gives out the same ids and the same faults. Not for
 * secrets.
 */

export interface Dice {
  /** A number in [0, 1). */
  roll(): number;
  /** `length` characters, each taken from `alphabet`. */
  text(alphabet: string, length: number): string;
  /** The state of the generator, for `restore`. */
  state(): number;
  restore(state: number): void;
}

export function createDice(seed: number): Dice {
  // mulberry32: 32 bits of state, enough for ids and faults that a test must be able to repeat.
  let state = seed >>> 0;
  const roll = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    state: () => state,
    restore(earlier) {
      state = earlier;
    },
    roll,
    text(alphabet, length) {
      let text = '';
      for (let i = 0; i < length; i++)
        text += alphabet.charAt(Math.floor(roll() * alphabet.length));
      return text;
    },
  };
}

/** A request id in the form AWS gives it (a UUID). */
export function requestId(dice: Dice): string {
  const hex = dice.text('0123456789abcdef', 32);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-');
}
