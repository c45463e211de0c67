/** Whether anything is reported anywhere. */
import { expect, test } from 'vitest';
import { hasDestination } from '../../../src/core/model/settings.ts';
import { HUB, PIPELINE, settings } from '../../support/settings.ts';

test('either destination is one; without both nothing is reported', () => {
  const { migrationHub, ...none } = settings();
  expect(migrationHub).toBeDefined();
  expect(hasDestination(none)).toBe(false);
  expect(hasDestination({ ...none, migrationHub: HUB })).toBe(true);
  expect(hasDestination({ ...none, dataPipeline: PIPELINE })).toBe(true);
  expect(hasDestination({ ...none, migrationHub: HUB, dataPipeline: PIPELINE })).toBe(true);
});
