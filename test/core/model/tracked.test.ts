/** What is watched of tracked work, and what the timeline says of it. */
import { expect, test } from 'vitest';
import type { TrackedSource } from '../../../src/core/model/job.ts';
import { isWatched, trackedFields } from '../../../src/core/model/tracked.ts';
import { PROCESS, aRun } from '../../support/desk.ts';
import { definition } from '../../support/settings.ts';

test.each<[TrackedSource, boolean, object]>([
  [{ by: 'report' }, false, { by: 'report' }],
  [{ by: 'pid', process: PROCESS }, true, { by: 'pid', pid: 100 }],
  [{ by: 'unit', unit: 'a.service', invocation: 'x' }, true, { by: 'unit', unit: 'a.service' }],
  [{ by: 'status-file', path: '/a' }, true, { by: 'status-file', path: '/a' }],
])('%j', (tracked, watched, fields) => {
  expect(isWatched(aRun({ definition: definition('copy', { tracked }) }))).toBe(watched);
  expect(trackedFields(tracked)).toEqual(fields);
});

test('a job that the agent runs is not watched', () => {
  expect(isWatched(aRun())).toBe(false);
});
