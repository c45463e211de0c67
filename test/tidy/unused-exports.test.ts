/** What is exported is used by another file. */
import { globSync } from 'node:fs';
import { expect, test } from 'vitest';
import { unusedExports } from './unused-exports.ts';

test('every export is imported by another file, or is a type that the signature of another export names', () => {
  const files = globSync(['*.config.ts', '{src,test,systemd}/**/*.ts']);
  expect(files.length).toBeGreaterThan(500);
  // Vitest calls it.
  const called = 'test/support/bundled-program.ts: setup';
  expect(unusedExports(files)).toEqual([called]);
});
