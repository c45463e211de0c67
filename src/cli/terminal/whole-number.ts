/** Whole numbers on the command line. */
import { InvalidArgumentError } from 'commander';

export function readCount(text: string): number {
  if (!/^\d{1,7}$/.test(text)) throw new InvalidArgumentError('expected a whole number.');
  return Number(text);
}
