/** The faults can still be put back: what each replaces is in the source, once. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FAULTS } from './faults.ts';

const ROOT = join(import.meta.dirname, '../../..');

test.each(FAULTS)(
  '$name: its change applies, and its tests exist',
  ({ changes, tests, days, real }) => {
    expect(changes.length).toBeGreaterThan(0);
    expect(days !== undefined || real !== undefined).toBe(true);
    expect(tests.length + (days === undefined ? 0 : 1)).toBeGreaterThan(0);
    for (const { file, find, replace } of changes) {
      const text = readFileSync(join(ROOT, file), 'utf8');
      expect(text.split(find)).toHaveLength(2);
      expect(text.replace(find, () => replace)).not.toBe(text);
    }
    for (const file of tests) expect(existsSync(join(ROOT, file))).toBe(true);
  },
);

test('names are unique', () => {
  expect(new Set(FAULTS.map(({ name }) => name)).size).toBe(FAULTS.length);
});
