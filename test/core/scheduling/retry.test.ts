/** What a reporter remembers of its failures. */
import { expect, test } from 'vitest';
import { again } from '../../../src/core/scheduling/retry.ts';

const at = (bootMs: number) => ({ wallMs: 0, bootMs });
const most = () => 1;

test('each failure counts, doubles the wait, and keeps when the first one was', () => {
  const first = again(undefined, 'ECONNREFUSED', Infinity, at(5_000), most);
  expect(first).toEqual({
    ...{ attempts: 1, firstAtMs: 5_000, retryAtMs: 6_000 },
    ...{ reason: 'ECONNREFUSED', isQuarantined: false },
  });
  const second = again(first, 'ETIMEDOUT', Infinity, at(7_000), most);
  expect(second).toMatchObject({ attempts: 2, firstAtMs: 5_000, retryAtMs: 9_000 });
  expect(second.reason).toBe('ETIMEDOUT');
});

test('little slack shortens the wait, and a deadline that has passed does not make it negative', () => {
  const tried = { ...again(undefined, 'x', 0, at(0), most), attempts: 9 };
  expect(again(tried, 'x', 20_000, at(0), most).retryAtMs).toBe(5_000);
  expect(again(tried, 'x', -60_000, at(0), most).retryAtMs).toBe(1_000);
});

test('what is quarantined stays so', () => {
  const refused = { ...again(undefined, 'x', 0, at(0), most), isQuarantined: true };
  expect(again(refused, 'x', 0, at(0), most).isQuarantined).toBe(true);
});
