/** Tests wait with `until` and `eventually` of test/support/until.ts, whose limit is far from what a busy machine needs. */
import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

test('no test waits with vi.waitFor or expect.poll, which give up after a second', () => {
  const found = globSync('test/**/*.ts').filter(
    (file) =>
      !['test/tidy/waits.test.ts', 'test/support/until.ts'].includes(file) &&
      /\bvi\s*\.waitFor|\bvi\s*\.waitUntil|\bexpect\s*\.poll\(/.test(readFileSync(file, 'utf8')),
  );
  expect(found).toEqual([]);
});
