/** What happens to lines between a program and its reader: they are cut, joined, and other output comes between them. */

/** mulberry32: the same noise in every run. */
export function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const NOISE = [
  'Filesystem      Size  Used Avail Use% Mounted on\n/dev/sda1        98G   77G   21G  79% /\n',
  'a file named 100% done.txt\n',
  '\u001b[1;32mok\u001b[0m\n',
  'x'.repeat(3000),
  '\u001b[2K\r',
  '\u0000\u0007',
  '{"message_type":"verbose"}\n',
];

/** A line that is cut loses its end; its beginning would be another number. */
export function mangled(text: string, roll: () => number): string {
  let found = text;
  if (roll() < 0.1) {
    found = found.slice(0, Math.floor(roll() * found.length)) + (roll() < 0.5 ? '\n' : '');
  }
  return roll() < 0.05 ? `\n${NOISE[Math.floor(roll() * NOISE.length)] ?? ''}${found}` : found;
}
