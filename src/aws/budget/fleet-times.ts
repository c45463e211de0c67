/** How long everything between a host and its fleet's Redis may take. The limit holds with any of these (fleet.ts). */

export interface SyncTimes {
  /** How long a stay lasts after each visit. */
  readonly membershipTtlMs: number;
  /** How long a pool that began anew counts on nobody who has not been here. */
  readonly gatherMs: number;
  /** Time between two visits that counts at most, so that a step of Redis's clock earns next to nothing. */
  readonly earnMsMax: number;
  /** A host that was away for so long has left for good. */
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
  /** A host that takes nothing still says so often that it is here. */
  readonly renewMs: number;
  /** How soon a connection is tried again, at first and at the most: well within `gatherMs`. */
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
