/** Data Pipeline's expressions: the examples of the Developer Guide, and edge cases. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { evaluateExpression } from '../../../src/simulator/definition/expression.ts';

const FIELDS: Readonly<Record<string, string>> = {
  '@scheduledStartTime': '2011-05-24T17:10:09',
  myDateTime: '2011-05-24T17:10:00',
  'input.directoryPath': 's3://bucket/key',
  myCount: '7',
  leapDay: '2012-02-29T00:00:00',
  endOfMonth: '2011-03-31T12:00:00',
};
const evaluate = (text: string) => evaluateExpression(text, (name) => FIELDS[name]);

test.each([
  ['myCount', '7'],
  ['@scheduledStartTime', '2011-05-24T17:10:09'],
  [
    "input.directoryPath + '/' + format(@scheduledStartTime, 'YYYY-MM-dd')",
    's3://bucket/key/2011-05-24',
  ],
  ['1 + 2', '3'],
  ['myCount * 2 - 4 / 2', '12'],
  ['2 ^ 3 ^ 2', '512'],
  ['-(2 + 3) * 2', '-10'],
  ['\'hel\' + "lo"', 'hello'],
  ['day(myDateTime)', '24'],
  ['dayOfYear(myDateTime)', '144'],
  ['month(myDateTime)', '5'],
  ['year(myDateTime)', '2011'],
  ['hour(myDateTime)', '17'],
  ['minute(myDateTime)', '10'],
  ['firstOfMonth(myDateTime)', '2011-05-01T00:00:00'],
  ['midnight(myDateTime)', '2011-05-24T00:00:00'],
  ['sunday(myDateTime)', '2011-05-22T17:10:00'],
  ['yesterday(myDateTime)', '2011-05-23T17:10:00'],
  ['makeDate(2011,5,24)', '2011-05-24T00:00:00'],
  ["makeDateTime('2011-05-24T14:21:00')", '2011-05-24T14:21:00'],
  ['minusDays(myDateTime,1)', '2011-05-23T17:10:00'],
  ['plusWeeks(myDateTime,1)', '2011-05-31T17:10:00'],
  ['plusMinutes(myDateTime, 55)', '2011-05-24T18:05:00'],
  ['minusMonths(endOfMonth, 1)', '2011-02-28T12:00:00'],
  ['plusYears(leapDay, 1)', '2013-02-28T00:00:00'],
  ["format(minusHours(myDateTime,1),'hh:mm a, yy')", '04:10 PM, 11'],
  ['format(myDateTime, "yyyyMMdd\'T\'HHmmss")', '20110524T171000'],
])('#{%s} is %s', (text, value) => {
  expect(evaluate(text)).toBe(value);
});

test.each([
  '',
  'nobody',
  'format(nobody)',
  "day('soon')",
  '1 +',
  '(1',
  '1)',
  "'open",
  'inTimeZone(myDateTime, 1)',
  'launch()',
  "'a' * 2",
  '$x',
  '1 2',
  'plusYears(myDateTime, 999999999)',
])('#{%s} is not evaluated', (text) => {
  expect(evaluate(text)).toBeUndefined();
});

test('any input gives text or undefined', () => {
  const piece = fc.constantFrom(
    '(',
    ')',
    '+',
    '-',
    '^',
    ',',
    "'",
    '"',
    '1',
    '9e9',
    'myCount',
    'format',
    'day(',
    'leapDay',
    ' ',
    '.',
    '@',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece).map((all) => all.join('')),
      ),
      (text) => {
        expect(['string', 'undefined']).toContain(typeof evaluate(text));
      },
    ),
  );
  expect(evaluate('('.repeat(100_000))).toBeUndefined();
  expect(evaluate('-'.repeat(100_000))).toBeUndefined();
});
