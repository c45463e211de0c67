/** Where a key stands in the schema. */
import { describe, expect, test } from 'vitest';
import { configurationSchema } from '../../../src/config/schema/schema.ts';
import type { SchemaNode } from '../../../src/config/schema/schema.ts';
import { formOf, nodeAt, placesOfKey, read } from '../../../src/config/schema/walk.ts';

const RSYNC: SchemaNode = { properties: { parser: { enum: ['rsync', 'pv'] } } };
const SIZE: SchemaNode = { properties: { parser: { const: 'size' }, target: { title: 'target' } } };
const PROGRESS: SchemaNode = { oneOf: [RSYNC, SIZE] };
const HUB: SchemaNode = { properties: { task: { title: 'task' } } };
const JOB: SchemaNode = {
  properties: { progress: PROGRESS, migrationHub: { anyOf: [{ const: false }, HUB] } },
  additionalProperties: false,
};
const ROOT: SchemaNode = {
  properties: { jobs: { additionalProperties: JOB }, list: { items: { title: 'item' } } },
};

describe('a member', () => {
  test('is read by its own names alone', () => {
    expect(read({ a: [{ b: 1 }] }, 'a', 0, 'b')).toBe(1);
    expect(read(5)).toBe(5);
    for (const value of [undefined, null, 'text', {}]) {
      expect(read(value, 'length')).toBeUndefined();
    }
    expect(read({}, 'toString')).toBeUndefined();
    expect(read({ a: null }, 'a', 'b')).toBeUndefined();
  });
});

describe('the form of a value', () => {
  test('is that of its parser, whose names are one or several', () => {
    expect(formOf(PROGRESS, { parser: 'pv' })).toBe(RSYNC);
    expect(formOf(PROGRESS, { parser: 'size' })).toBe(SIZE);
    for (const value of [{ parser: 'other' }, {}, undefined]) {
      expect(formOf(PROGRESS, value)).toBe(PROGRESS);
    }
  });

  test('is the map, unless the value is false', () => {
    const node: SchemaNode = { anyOf: [{ const: false }, HUB] };
    expect(formOf(node, {})).toBe(HUB);
    expect(formOf(node, undefined)).toBe(HUB);
    expect(formOf(node, false)).toBe(node);
    expect(formOf({ anyOf: [{ const: 1 }] }, 1)).toEqual({ anyOf: [{ const: 1 }] });
    expect(formOf(HUB, {})).toBe(HUB);
  });
});

test('the part of the schema for a path follows names, entries, items and forms', () => {
  const value = { jobs: { a: { progress: { parser: 'size' } } }, list: [1] };
  const at = (...path: (string | number)[]) => nodeAt(ROOT, path, value);
  expect(at()).toBe(ROOT);
  expect(at('jobs', 'a')).toBe(JOB);
  expect(at('jobs', 'a', 'progress')).toBe(SIZE);
  expect(at('jobs', 'a', 'progress', 'target')?.title).toBe('target');
  expect(at('jobs', 'a', 'migrationHub', 'task')?.title).toBe('task');
  expect(at('list', 0)?.title).toBe('item');
  expect(at('jobs', 'a', 'none')).toBeUndefined();
  expect(at('jobs', 'a', 'none', 'below')).toBeUndefined();
  expect(at('none')).toBeUndefined();
});

test('the places of a key are dotted, each once, in any case and with any separator', () => {
  expect(placesOfKey(ROOT, 'task')).toEqual(['jobs.*.migrationHub.task']);
  expect(placesOfKey(ROOT, 'migration_hub')).toEqual(['jobs.*.migrationHub']);
  expect(placesOfKey(ROOT, 'Migration-Hub')).toEqual(['jobs.*.migrationHub']);
  expect(placesOfKey(ROOT, 'parser')).toEqual(['jobs.*.progress.parser']);
  expect(placesOfKey(ROOT, 'none')).toEqual([]);
  expect(placesOfKey(configurationSchema(), 'grace')).toEqual(['jobs.*.stop.grace']);
  expect(placesOfKey(configurationSchema(), 'match')).toEqual(['dataPipeline.activities.*.match']);
});
