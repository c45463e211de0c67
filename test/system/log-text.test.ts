/** A log line for people: what stands in it, and what below it. */
import { expect, test } from 'vitest';
import { logText } from '../../src/system/log-text.ts';

const text = (fields: object): string =>
  logText(
    { level: 'info', time: 1, msg: 'so it is', event: 'a.b', ...fields },
    (rest) => `<${rest}>`,
  );

test.each<[object, string]>([
  [{}, 'so it is  <a.b>'],
  [{ n: 5, ok: true, none: null }, 'so it is  <a.b n=5 ok=true none=null>'],
  [
    { a: 'word', b: 'two words', c: 'x=y', d: '', e: 'a"b' },
    'so it is  <a.b a=word b="two words" c="x=y" d="" e="a\\"b">',
  ],
  [
    { list: [], numbers: [1, 2], mixed: ['a', 1] },
    'so it is  <a.b list=[] numbers=[1,2] mixed=["a",1]>',
  ],
  [{ problems: ['one', 'two'], n: 5 }, 'so it is  <a.b n=5>\n    one\n    two'],
  [{ problems: ['one'] }, 'so it is  <a.b>\n    one'],
  [
    { err: { type: 'Error', stack: 'Error: x\n    at y' } },
    'so it is  <a.b>\n    Error: x\n        at y',
  ],
  [{ object: { a: 1 } }, 'so it is  <a.b object={"a":1}>'],
])('%o', (fields, expected) => {
  expect(text(fields)).toBe(expected);
});

test('no control character reaches the terminal', () => {
  const hostile = { a: 'x\u001b[2Jy', list: ['l\u0007'], event: 'e\u009b', msg: 'm\u001b' };
  expect(text(hostile)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
});
