/**
 * How this folder measures on machines that others use at the same time: measured and baseline take turns, round by
 * round, and what is shown is the median of the rounds and the median of their ratios.
 */
export interface Paired {
  readonly measured: number;
  readonly baseline: number;
  /** Median of the ratios within a round, which a busy minute of the machine touches least. */
  readonly ratio: number;
}

/** Every other round begins with the baseline, so that none always runs on the warmer machine. */
export async function paired(
  rounds: number,
  measure: () => number | Promise<number>,
  baseline: () => number | Promise<number>,
): Promise<Paired> {
  const results: [number, number][] = [];
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 0) {
      const measured = await measure();
      results.push([measured, await baseline()]);
    } else {
      const base = await baseline();
      results.push([await measure(), base]);
    }
  }
  return {
    measured: median(results.map(([measured]) => measured)),
    baseline: median(results.map(([, base]) => base)),
    ratio: median(results.map(([measured, base]) => measured / base)),
  };
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** By the nearest rank; the median of an even number is the mean of the two in the middle. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = part * (sorted.length - 1);
  const low = sorted[Math.floor(place)];
  const high = sorted[Math.ceil(place)];
  if (low === undefined || high === undefined) throw new Error('no values were measured');
  return part === 0.5 ? (low + high) / 2 : high;
}

/** CPU time of this process, its helper threads (garbage collection, compiler) included, in microseconds. */
export function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
