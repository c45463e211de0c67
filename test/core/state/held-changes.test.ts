/** Changes of many turns as one: the newest counts, and what was dropped is not written. */
import { expect, test } from 'vitest';
import type { TimelineEvent } from '../../../src/core/model/timeline.ts';
import { HeldChanges } from '../../../src/core/state/held-changes.ts';
import type { Changes } from '../../../src/core/state/persistent-state.ts';
import { START, aRun, aTask } from '../../support/desk.ts';

const NONE: Changes = { runs: [], hubTasks: [], droppedRuns: [], droppedHubTasks: [], events: [] };

function held(...turns: Partial<Changes>[]) {
  const changes = new HeldChanges();
  for (const turn of turns) changes.add({ ...NONE, ...turn });
  return {
    runs: [...changes.runs].map(({ id, state }) => `${id} ${state}`),
    droppedRuns: [...changes.droppedRuns],
    hubTasks: [...changes.hubTasks].map(({ name, lastStampS }) => `${name} ${lastStampS}`),
    droppedHubTasks: [...changes.droppedHubTasks],
    metadata: changes.metadata,
    events: [...changes.events],
  };
}

function events(from: number, count: number): TimelineEvent[] {
  return Array.from({ length: count }, (_, i) => ({
    event: 'job.starting',
    at: { ...START, bootMs: from + i },
    fields: {},
  }));
}

test('a run that changed twice is written once, as it is now', () => {
  const { runs } = held({ runs: [aRun()] }, { runs: [aRun({ state: 'failed' })] });
  expect(runs).toEqual(['copy/1 failed']);
});

test('a run that was dropped is not written, and one that came back is not dropped', () => {
  expect(held({ runs: [aRun()] }, { droppedRuns: ['copy/1'] })).toMatchObject({
    runs: [],
    droppedRuns: ['copy/1'],
  });
  expect(held({ droppedRuns: ['copy/1'] }, { runs: [aRun()] })).toMatchObject({
    runs: ['copy/1 running'],
    droppedRuns: [],
  });
});

test('the same holds for tasks', () => {
  const first = { hubTasks: [aTask()] };
  const second = { hubTasks: [aTask({ lastStampS: 7 })] };
  expect(held(first, second).hubTasks).toEqual(['copy 7']);
  expect(held(first, { droppedHubTasks: ['copy'] })).toMatchObject({
    hubTasks: [],
    droppedHubTasks: ['copy'],
  });
  expect(held({ droppedHubTasks: ['copy'] }, first)).toMatchObject({
    hubTasks: ['copy 0'],
    droppedHubTasks: [],
  });
});

test('the newest metadata is kept, also if a later turn changed none', () => {
  const metadata = { streams: ['b'] };
  expect(held({ metadata: { streams: ['a'] } }, { metadata }, {}).metadata).toBe(metadata);
  expect(held({}).metadata).toBeUndefined();
});

test('of events the newest ten thousand are kept, in order', () => {
  const kept = held({ events: events(0, 10_001) }).events;
  expect(kept).toHaveLength(10_000);
  expect(kept[0]?.at.bootMs).toBe(1);
  const later = held({ events: events(0, 20_000) }, { events: events(20_000, 1) }).events;
  expect([later.length, later[0]?.at.bootMs, later.at(-1)?.at.bootMs]).toEqual([
    ...[10_000, 10_001, 20_000],
  ]);
});
