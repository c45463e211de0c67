/** The record of a run that an agent without its store takes the run over by: whole, of that run and start, or none. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import {
  hasRunRecord,
  readRunRecord,
  removeRunRecord,
  writeRunRecord,
} from '../../../src/jobs/files/run-record.ts';
import { makeRun } from '../support.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'run-record-'));
  const made = directory;
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  path = join(directory, 'run.json');
});

const run = makeRun(['tool', 'x'], {}, { job: 'copy', number: 7, spawn: 2 });
const read = (id = run.id, spawn = run.spawn): unknown => readRunRecord(directory, id, spawn);

test('a record is read as it was written, with its host if that is known', () => {
  writeRunRecord(directory, run);
  expect(read()).toEqual({ run });
  writeRunRecord(directory, run, { machine: 'one' });
  expect(read()).toEqual({ run, host: { machine: 'one' } });
});

test('a shorter record leaves nothing of a longer one', () => {
  writeRunRecord(directory, makeRun(['tool', 'x'.repeat(1000)], {}, { job: 'copy', number: 7 }));
  writeRunRecord(directory, run);
  expect(read()).toEqual({ run });
});

test('a record of another run, or of another start, is none of this one', () => {
  writeRunRecord(directory, run);
  expect(read('copy/8')).toBeUndefined();
  expect(read(run.id, 1)).toBeUndefined();
});

test('it is there or not, whole or not, and is removed once', () => {
  expect([read(), hasRunRecord(directory)]).toEqual([undefined, false]);
  writeFileSync(path, '{"half');
  expect([read(), hasRunRecord(directory)]).toEqual([undefined, true]);
  removeRunRecord(directory);
  removeRunRecord(directory);
  expect(hasRunRecord(directory)).toBe(false);
});

describe('no whole record', () => {
  const { definition } = run;
  test.each<[string, unknown]>([
    ['null', null],
    ['a list', []],
    ['without a run', {}],
    ['without a definition', { run: { ...run, definition: undefined } }],
    ['without a time', { run: { ...run, requestedAt: undefined } }],
    ['with a time that is no number', { run: { ...run, requestedAt: { bootMs: 'soon' } } }],
    ['of a run that was not just started', { run: { ...run, state: 'running' } }],
    ['with a name that is no text', { run: { ...run, definition: { ...definition, name: 5 } } }],
    ['with half a command', { run: { ...run, definition: { ...definition, command: ['a', 5] } } }],
    ['without a command', { run: { ...run, definition: { ...definition, command: undefined } } }],
    ['without a signal', { run: { ...run, definition: { ...definition, stop: {} } } }],
    ['with a task of the Hub without a name', { run: { ...run, hub: {} } }],
    ['with a pipeline without a task', { run: { ...run, pipeline: {} } }],
    ['with a task of a pipeline without an id', { run: { ...run, pipeline: { task: {} } } }],
  ])('%s', (_what, record) => {
    writeFileSync(path, JSON.stringify(record));
    expect(read()).toBeUndefined();
  });

  test('with its tasks it is one', () => {
    const whole = { run: { ...run, hub: { task: 't' }, pipeline: { task: { taskId: 'id' } } } };
    writeFileSync(path, JSON.stringify(whole));
    expect(read()).toEqual(whole);
  });

  test('something else in its place is none, and what it names is not written', () => {
    const other = join(directory, 'other');
    writeFileSync(other, JSON.stringify({ run }));
    symlinkSync(other, path);
    expect(() => writeRunRecord(directory, run)).toThrow();
    expect(readFileSync(other, 'utf8')).toBe(JSON.stringify({ run }));
    rmSync(path);
    mkdirSync(path);
    expect(read()).toBeUndefined();
  });
});
