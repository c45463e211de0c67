/** A row that lacks what every row of its kind has is damaged: it must not reach the planner. */
import { describe, expect, test } from 'vitest';
import { readHubTask, readMetadata, readObject, readRun } from '../../src/store/row-values.ts';
import { aRun, aTask } from '../support/desk.ts';

const RUN = aRun();
const TASK = aTask({ lastStampS: 7 });
const written = (value: object, over: object): string => JSON.stringify({ ...value, ...over });

test('whole rows are read as they were written', () => {
  expect(readRun(JSON.stringify(RUN))).toEqual(RUN);
  expect(readHubTask(JSON.stringify(TASK))).toEqual(TASK);
  expect(readMetadata('{"streams":["eu/x"]}')).toEqual({ streams: ['eu/x'] });
});

test.each([
  'queued',
  'starting',
  'running',
  'canceling',
  'succeeded',
  'failed',
  'lost',
  'canceled',
  'fenced',
])('a run may be %s', (state) => {
  expect(readRun(written(RUN, { state }))?.state).toBe(state);
});

describe('a damaged run', () => {
  test.each<[string, unknown]>([
    ...[undefined, '', 7].map((value): [string, unknown] => ['id', value]),
    ...[undefined, '', null].map((value): [string, unknown] => ['job', value]),
    ...[undefined, 1.5, '1'].map((value): [string, unknown] => ['number', value]),
    ...[undefined, 0.5, null].map((value): [string, unknown] => ['spawn', value]),
    ...[undefined, 'dancing', 'toString', null].map((value): [string, unknown] => ['state', value]),
    ...[
      undefined,
      5,
      {},
      { wallMs: 1 },
      { bootMs: 1 },
      { wallMs: '1', bootMs: 1 },
      { wallMs: 1, bootMs: null },
    ].map((value): [string, unknown] => ['requestedAt', value]),
    ...[undefined, 'x', [], null].map((value): [string, unknown] => ['definition', value]),
    ...[
      { name: '' },
      { name: undefined },
      { command: 'true' },
      { command: undefined },
      { stop: undefined },
      { stop: [] },
    ].map((over): [string, unknown] => ['definition', { ...RUN.definition, ...over }]),
  ])('%s: %j', (key, value) => {
    expect(readRun(written(RUN, { [key]: value }))).toBeUndefined();
  });
});

describe('a damaged task', () => {
  test.each<[string, unknown]>([
    ...[undefined, '', 7].map((value): [string, unknown] => ['name', value]),
    ...[undefined, 1, 'true'].map((value): [string, unknown] => ['imported', value]),
    ...[undefined, '7', null].map((value): [string, unknown] => ['lastStampS', value]),
    ...[undefined, {}, null].map((value): [string, unknown] => ['finalReports', value]),
    ...[undefined, {}, null].map((value): [string, unknown] => ['links', value]),
  ])('%s: %j', (key, value) => {
    expect(readHubTask(written(TASK, { [key]: value }))).toBeUndefined();
  });
});

test.each(['', '{', 'null', '7', '"x"', '[]', '[{"streams":[]}]'])('%s is no object', (text) => {
  expect([readObject(text), readRun(text), readHubTask(text), readMetadata(text)]).toEqual(
    Array(4).fill(undefined),
  );
});

test.each(['{}', '{"streams":"x"}'])('%s is no metadata', (text) => {
  expect(readMetadata(text)).toBeUndefined();
});
