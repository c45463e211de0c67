/**
 * `npm run test:long` runs what `npm test` leaves out: more seeds, larger numbers, more of the real tools and more faults at
 * once, which prove the same more often.
 */
export const IS_LONG = process.env['LONG'] !== undefined;

/** The end of the title of a test that `npm test` leaves out. */
export const ONLY_LONG = IS_LONG ? '' : ' (skipped: npm run test:long has it)';
