/** Streams while they are deleted and afterwards, and data by home region. */
import { expect, test } from 'vitest';
import { HubRecords } from '../../../src/simulator/hub/records.ts';

function records(...streams: readonly string[]): HubRecords {
  const made = new HubRecords();
  made.useRegion('eu-central-1', false);
  for (const name of streams) made.createStream(name);
  return made;
}

const names = (made: HubRecords, now = 0): string[] => made.streams(now).map(({ name }) => name);

test('a stream that is deleted is there until its deletion is complete, and not writable', () => {
  const made = records('A', 'B');
  made.deleteStream('A', 100);
  // A second request does not put it off.
  made.deleteStream('A', 200);
  made.deleteStream('none', 1);
  expect(names(made, 99)).toEqual(['A', 'B']);
  expect(made.findStream('A', 99)).toMatchObject({ name: 'A' });
  expect(() => made.writableStream('A', 99)).toThrow('is being deleted');
  expect(names(made, 100)).toEqual(['B']);
  expect(made.findStream('A', 0)).toBeUndefined();
  expect(() => made.writableStream('A', 0)).toThrow('The progress update stream A');
  expect(made.writableStream('B', 1_000)).toMatchObject({ name: 'B' });
});

test('looked for, one whose deletion is complete is gone as well', () => {
  const made = records('A');
  made.deleteStream('A', 100);
  expect(made.findStream('A', 100)).toBeUndefined();
  expect(names(made)).toEqual([]);
});

test('each home region has its own data, which may move with it, and outlives a restart', () => {
  const made = records('A');
  made.useRegion('us-west-2', false);
  expect(names(made)).toEqual([]);
  made.createStream('B');
  made.useRegion(undefined, true);
  expect(names(made)).toEqual(['B']);
  made.useRegion('eu-central-1', false);
  expect(names(made)).toEqual(['A']);
  made.useRegion('ap-south-1', true);
  expect(names(made)).toEqual(['A']);
  const after = new HubRecords();
  after.restore(made.snapshot());
  expect(names(after)).toEqual(['A']);
  after.useRegion('eu-central-1', false);
  expect(names(after)).toEqual([]);
});
