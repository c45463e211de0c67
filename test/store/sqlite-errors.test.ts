/** Which error codes mean damage, a full disk or a lock: the low byte is the primary code, the rest refines it. */
import { expect, test } from 'vitest';
import { isBusy, isDamage, isFull } from '../../src/store/sqlite-errors.ts';

const of = (errcode: unknown) => [isDamage, isFull, isBusy].map((is) => is({ errcode }));

test.each<[string, number, readonly boolean[]]>([
  ['SQLITE_CORRUPT', 11, [true, false, false]],
  ['SQLITE_CORRUPT_INDEX', 11 + 3 * 256, [true, false, false]],
  ['SQLITE_NOTADB', 26, [true, false, false]],
  ['SQLITE_IOERR_READ', 266, [true, false, false]],
  ['SQLITE_IOERR_SHORT_READ', 522, [true, false, false]],
  ['SQLITE_FULL', 13, [false, true, false]],
  ['SQLITE_IOERR_SHMSIZE', 4874, [false, true, false]],
  ['SQLITE_BUSY', 5, [false, false, true]],
  ['SQLITE_BUSY_SNAPSHOT', 517, [false, false, true]],
  ['SQLITE_IOERR', 10, [false, false, false]],
  ['SQLITE_IOERR_WRITE', 778, [false, false, false]],
  ['SQLITE_READONLY', 8, [false, false, false]],
  ['SQLITE_CONSTRAINT', 19, [false, false, false]],
])('%s (%i)', (_name, code, expected) => {
  expect(of(code)).toEqual(expected);
});

test.each([[undefined], ['11'], [null]])(
  'an error with the code %j does not come from SQLite',
  (code) => {
    expect(of(code)).toEqual([false, false, false]);
  },
);

test('what is no error at all is neither', () => {
  expect([isDamage(null), isFull(undefined), isBusy('busy')]).toEqual([false, false, false]);
});
