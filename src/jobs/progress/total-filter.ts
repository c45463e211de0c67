/**
 * Tells a total that is known from one that was read for the first time. A total that grows (files are still being listed),
 * or that lost digits in a cut line, is followed by another one: it counts only when a later poll shows it again.
 */

/** Totals that differ by less were rounded, or got a few entries more. */
const SAME_RATIO = 1.002;

export class TotalFilter {
  #known: number | undefined;
  #seen: { readonly total: number; readonly poll: number } | undefined;
  #hasChanged = false;

  /** More than one total was read. */
  get hasChanged(): boolean {
    return this.#hasChanged;
  }

  isNew(total: number, poll: number): boolean {
    if (this.#known !== undefined && isSame(total, this.#known)) return false;
    const seen = this.#seen;
    if (seen === undefined || !isSame(total, seen.total)) {
      this.#hasChanged ||= seen !== undefined || this.#known !== undefined;
      this.#seen = { total, poll };
      return true;
    }
    if (seen.poll === poll) return true;
    this.#known = total;
    this.#seen = undefined;
    return false;
  }
}

function isSame(one: number, other: number): boolean {
  return Math.max(one, other) <= Math.min(one, other) * SAME_RATIO;
}
