import fc from 'fast-check';
import { expect, test } from 'vitest';
import { legalName } from '../../../src/core/hub/task-name.ts';

test('a legal name stays as it is', () => {
  expect(legalName('files01.example.com nightly@2')).toBe('files01.example.com nightly@2');
});

test('every name becomes one that the Hub takes, and different names stay different', () => {
  fc.assert(
    fc.property(
      fc.string({ maxLength: 600, unit: 'binary' }),
      fc.string({ unit: 'binary' }),
      (a, b) => {
        const name = legalName(a);
        // MODEL MigrationTaskName: 1..256, `^[^:|]+$`.
        expect(Array.from(name).length).toBeGreaterThan(0);
        expect(Array.from(name).length).toBeLessThanOrEqual(256);
        expect(name).not.toMatch(/[:|]/);
        if (a !== b) expect(legalName(b)).not.toBe(name);
      },
    ),
  );
});
