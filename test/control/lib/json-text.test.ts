/** A document with very many entries is the same text as JSON.stringify makes, and the loop turns while it is made. */
import { expect, test } from 'vitest';
import { jsonText } from '../../../src/control/lib/json-text.ts';

const entry = { name: 'a "quoted" name\n', percent: 3, detail: undefined, list: [1, undefined] };

test.each([
  ['a short list', { schema: 1, jobs: [entry], absent: undefined }],
  [
    'a long list',
    { schema: 1, jobs: Array.from({ length: 5000 }, () => entry), absent: undefined },
  ],
  ['a list', [entry]],
  ['a text', 'text'],
  ['nothing', null],
])('%s', async (_name, document) => {
  expect(await jsonText(document)).toBe(`${JSON.stringify(document)}\n`);
});

test('the loop turns while a long text is made', async () => {
  const slow = {
    toJSON: () => {
      const endMs = performance.now() + 0.2;
      while (performance.now() < endMs);
      return 1;
    },
  };
  let turns = 0;
  const count = (): void => {
    turns += 1;
    next = setImmediate(count);
  };
  let next = setImmediate(count);
  await jsonText({ jobs: Array.from({ length: 500 }, () => slow) });
  clearImmediate(next);
  // 100 ms at the least, in slices of 5 ms that are looked at after 50 entries each.
  expect(turns).toBeGreaterThan(5);
});
