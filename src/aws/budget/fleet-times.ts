/** How long everything between a host and its fleet's Redis may take. The limit holds with any of these (fleet.ts). */

export interface VisitTimes {
  /** How long a stay lasts after each visit. */
  readonly stayMs: number;
  /** How long a pool that began anew counts on nobody who has not been here. */
  readonly gatherMs: number;
  /** Time between two visits that counts at most, so that a step of Redis's clock earns next to nothing. */
  readonly earnMsMax: number;
  /** A host that was away for so long has left for good. */
  readonly forgetMs: number;
}

export const VISIT_TIMES: VisitTimes = {
  stayMs: 4_000,
  gatherMs: 30_000,
  earnMsMax: 1_500,
  forgetMs: 24 * 3_600_000,
};

export interface FleetTimes extends VisitTimes {
  /** How long an answer of Redis may take. */
  readonly answerMs: number;
  /** A host that takes nothing still says so often that it is here. */
  readonly renewMs: number;
  /** How soon a connection is tried again, at first and at the most: well within `gatherMs`. */
  readonly retryMs: number;
  readonly retryMsMax: number;
}

export const TIMES: FleetTimes = {
  ...VISIT_TIMES,
  answerMs: 2_000,
  renewMs: 1_000,
  retryMs: 1_000,
  retryMsMax: 10_000,
};
