/** The time limits between a host and its fleet's Redis. The rate limit holds with any of these values (fleet.ts). */

export interface SyncTimes {
  /** How long the pool considers a host present after a sync. */
  readonly membershipTtlMs: number;
  /** How long a pool that was reset counts only the hosts that have synced since. */
  readonly gatherMs: number;
  /** The most time between two syncs that earns budget: a step of Redis's clock earns almost nothing. */
  readonly earnMsMax: number;
  /** A host that has not synced for this long is forgotten. */
  readonly forgetMs: number;
}

export const SYNC_TIMES: SyncTimes = {
  membershipTtlMs: 4_000,
  gatherMs: 30_000,
  earnMsMax: 1_500,
  forgetMs: 24 * 3_600_000,
};

export interface FleetTimes extends SyncTimes {
  /** How long an answer of Redis may take. */
  readonly answerMs: number;
  /** How often an idle host syncs. */
  readonly renewMs: number;
  /** The first and the longest delay before reconnecting; both well within `gatherMs`. */
  readonly retryMs: number;
  readonly retryMsMax: number;
}

export const TIMES: FleetTimes = {
  ...SYNC_TIMES,
  answerMs: 2_000,
  renewMs: 1_000,
  retryMs: 1_000,
  retryMsMax: 10_000,
};
