/** Sizes as people write them in the configuration file: `10 GB`, `512 MiB`. */

export const SIZE_PATTERN = '^\\d{1,15}(\\.\\d{1,6})?\\s?([kKMGTP]i?)?B?$';
const SIZE = new RegExp(SIZE_PATTERN);

/** Bytes; undefined where the text is no size. `GB` is 10^9 and `GiB` is 2^30, as IEC 80000-13 has it. */
export function parseSize(text: string): number | undefined {
  if (!SIZE.test(text)) return undefined;
  const prefix = /[kKMGTP]/.exec(text)?.[0]?.toUpperCase() ?? '';
  const power = prefix === '' ? 0 : 'KMGTP'.indexOf(prefix) + 1;
  const bytes = Number.parseFloat(text) * (text.includes('i') ? 1024 : 1000) ** power;
  return Math.round(bytes);
}
