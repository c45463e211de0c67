/** `npm run test:long` runs what `npm test` leaves out: more seeds and larger numbers, which prove the same more often. */
export const IS_LONG = process.env['LONG'] !== undefined;
