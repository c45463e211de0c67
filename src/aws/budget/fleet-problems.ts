/** What is wrong with a host's membership in its fleet, as text for an operator. */
import type { FleetStatus } from '../../core/model/status.ts';

/** Shares are decimal fractions: ten of 0.1 are not 1. */
const SHARES_MAX = 1.001;

/** One sentence each; empty if nothing is wrong. */
export function fleetProblems({ hosts, reason, share, shares, state }: FleetStatus): string[] {
  if (state !== 'joined') {
    if (reason === undefined) return [];
    return [
      `the fleet's Redis is unreachable: this host limits itself to its share of each budget, ${share} (${reason})`,
    ];
  }
  if ((shares ?? 0) <= SHARES_MAX) return [];
  return [
    `the shares of the fleet's ${hosts ?? 0} hosts add up to ${shares ?? 0}: lower fleet.share, or they exceed the limit whenever Redis is unreachable`,
  ];
}
