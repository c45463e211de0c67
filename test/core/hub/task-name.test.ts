import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hubTaskName, legalName } from '../../../src/core/hub/task-name.ts';
import { START, aRun } from '../../support/desk.ts';
import { anyText } from '../../support/any-text.ts';

test('a legal name stays as it is', () => {
  expect(legalName('files01.example.com nightly@2')).toBe('files01.example.com nightly@2');
});

test('every name becomes one that the Hub takes, and different names stay different', () => {
  fc.assert(
    fc.property(anyText({ maxLength: 600 }), anyText(), (a, b) => {
      const name = legalName(a);
      // MODEL MigrationTaskName: 1..256, `^[^:|]+$`.
      expect(Array.from(name).length).toBeGreaterThan(0);
      expect(Array.from(name).length).toBeLessThanOrEqual(256);
      expect(name).not.toMatch(/[:|]/);
      if (a !== b) expect(legalName(b)).not.toBe(name);
    }),
  );
});

test('a template knows the job, its run, the host and the day of the request in UTC; the rest stays', () => {
  const run = aRun({ number: 7, requestedAt: { ...START, wallMs: Date.UTC(2026, 0, 2, 23, 59) } });
  const name = hubTaskName('{job}-{run} {host} {date} {other}', run, 'files01');
  expect(name).toBe('copy-7 files01 2026-01-02 {other}');
});

test('what is replaced is followed by the FNV-1a of the original, in eight digits', () => {
  expect(legalName('a:b')).toBe('a_b-08bd8540');
  expect(legalName('')).toBe('-811c9dc5');
  expect(legalName(':').split('-')[1]).toHaveLength(8);
});

test('256 code points stay as they are; of more the first 247 do', () => {
  const most = '\u{1f600}'.repeat(256);
  expect(legalName(most)).toBe(most);
  const [kept = '', hash] = legalName(`${most}x`).split('-');
  expect([Array.from(kept).length, hash?.length]).toEqual([247, 8]);
});
