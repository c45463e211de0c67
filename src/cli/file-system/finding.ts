/** What a check finds. */

/** `skipped`: there is nothing to check, or another check that it needs has failed. */
export type Verdict = 'ok' | 'warning' | 'failed' | 'skipped';

export interface Finding {
  readonly verdict: Verdict;
  /** What was found, in a sentence. */
  readonly message: string;
  /** What to do about it; there for every `failed`. */
  readonly remedy?: string;
  /** The IAM statement that is missing. */
  readonly iam?: object;
}
