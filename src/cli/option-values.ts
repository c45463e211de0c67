/** Values of options, checked before the agent is asked: an error names the option. */
import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../core/lib/duration.ts';
import { SECOND_MS } from '../core/lib/time.ts';

export function readCount(text: string): number {
  if (!/^\d{1,7}$/.test(text)) throw new InvalidArgumentError('expected a whole number.');
  return Number(text);
}

/** The text itself, which is what the agent's API takes. */
export function readDuration(text: string): string {
  if ((parseDuration(text) ?? 0) >= SECOND_MS) return text;
  throw new InvalidArgumentError('expected a duration of one second or more: 90s, 15m, 1h30m, 7d.');
}
