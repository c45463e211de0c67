import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PipelineField, PolledTask } from '../../../src/core/model/call.ts';
import { taskEnvironment } from '../../../src/core/pipeline/task-environment.ts';
import { anyText } from '../../support/any-text.ts';

function task(
  fields: readonly PipelineField[],
  component: readonly PipelineField[] = [],
): PolledTask {
  const attemptId = '@Copy_2026-01-01T00:00:00_Attempt=1';
  return {
    taskId: 't',
    pipelineId: 'df-1',
    attemptId,
    objects: [
      { id: 'Copy', name: 'Copy files', fields: component },
      {
        id: attemptId,
        name: attemptId,
        fields: [{ key: '@componentParent', refValue: 'Copy' }, ...fields],
      },
    ],
  };
}

test('the environment of a task’s job', () => {
  const fields = [
    { key: 'type', stringValue: 'ShellCommandActivity' },
    { key: '@scheduledStartTime', stringValue: '2026-01-01T00:00:00' },
    { key: 'scriptArgument', stringValue: 'one $(touch x)' },
    { key: 'scriptArgument', stringValue: '' },
    { key: 'myTag', stringValue: 'a' },
    { key: 'myTag', stringValue: 'b' },
    { key: 'onFail', refValue: 'Alarm' },
    { key: '*password', stringValue: 'p\0w' },
  ];
  const component = [
    { key: 'myTag', stringValue: 'not this' },
    { key: 'maximumRetries', stringValue: '2' },
  ];
  expect(taskEnvironment(task(fields, component), 'files')).toEqual({
    MIGRATION_PIPELINE_ID: 'df-1',
    MIGRATION_PIPELINE_ATTEMPT_ID: '@Copy_2026-01-01T00:00:00_Attempt=1',
    MIGRATION_PIPELINE_WORKER_GROUP: 'files',
    MIGRATION_PIPELINE_ACTIVITY: 'Copy files',
    MIGRATION_PIPELINE_TYPE: 'ShellCommandActivity',
    MIGRATION_PIPELINE_ARGUMENTS: '2',
    MIGRATION_PIPELINE_ARGUMENT_1: 'one $(touch x)',
    MIGRATION_PIPELINE_ARGUMENT_2: '',
    MIGRATION_PIPELINE_FIELD_COMPONENT_PARENT: 'Copy',
    MIGRATION_PIPELINE_FIELD_TYPE: 'ShellCommandActivity',
    MIGRATION_PIPELINE_FIELD_SCHEDULED_START_TIME: '2026-01-01T00:00:00',
    MIGRATION_PIPELINE_FIELD_MY_TAG: 'a',
    MIGRATION_PIPELINE_FIELD_MY_TAG_2: 'b',
    MIGRATION_PIPELINE_FIELD_ON_FAIL: 'Alarm',
    MIGRATION_PIPELINE_FIELD_PASSWORD: 'pw',
    MIGRATION_PIPELINE_FIELD_MAXIMUM_RETRIES: '2',
  });
});

describe('what does not fit', () => {
  const LEFT_OUT = 'MIGRATION_PIPELINE_LEFT_OUT';
  const big = (key: string, length = 12_000) => ({ key, stringValue: 'x'.repeat(length) });

  test('is named, and what is small enough after it is still there', () => {
    const fields = [
      big('one'),
      big('two'),
      big('three'),
      big('four'),
      { key: 'five', stringValue: 'v' },
    ];
    const environment = taskEnvironment(task(fields), 'files');
    const named = environment[LEFT_OUT]?.split(' ');
    expect(named).toEqual(['MIGRATION_PIPELINE_FIELD_THREE', 'MIGRATION_PIPELINE_FIELD_FOUR']);
    for (const name of named ?? []) expect(environment).not.toHaveProperty(name);
    expect(environment['MIGRATION_PIPELINE_FIELD_TWO']).toHaveLength(12_000);
    expect(environment['MIGRATION_PIPELINE_FIELD_FIVE']).toBe('v');
  });

  test('one is enough to say so; without one nothing is said', () => {
    const one = taskEnvironment(task([big('huge', 40_000)]), 'files');
    expect(one[LEFT_OUT]).toBe('MIGRATION_PIPELINE_FIELD_HUGE');
    expect(taskEnvironment(task([big('fits')]), 'files')).not.toHaveProperty(LEFT_OUT);
  });

  test('counts bytes: three for each character that is not ASCII', () => {
    const text = 'é'.repeat(12_000);
    expect(taskEnvironment(task([{ key: 'a', stringValue: text }]), 'files')).toHaveProperty(
      LEFT_OUT,
    );
    const ascii = taskEnvironment(task([big('a')]), 'files');
    expect(ascii).not.toHaveProperty(LEFT_OUT);
  });

  test('a field cannot pass for another: the first of a name stays', () => {
    const fields = [
      { key: 'myTag_2', stringValue: 'first' },
      { key: 'myTag', stringValue: 'a' },
      { key: 'myTag', stringValue: 'b' },
    ];
    const environment = taskEnvironment(task(fields), 'files');
    expect(environment['MIGRATION_PIPELINE_FIELD_MY_TAG_2']).toBe('first');
  });
});

test('the variables of any task can be passed to a program and stay within 40 kB', () => {
  // Texts of one character each are made fast; the size of an environment depends on their lengths and bytes.
  const text = fc
    .tuple(fc.constantFrom('a', '\0', '\n', '=', 'é', '€', '😀', '\ud800'), fc.nat(3000))
    .map(([character, length]) => character.repeat(length));
  const any = fc.record({ key: anyText({ maxLength: 20 }), stringValue: text });
  fc.assert(
    fc.property(fc.array(any, { maxLength: 60, size: 'max' }), (fields) => {
      const environment = taskEnvironment(task(fields), 'files');
      let bytes = 0;
      for (const [name, value] of Object.entries(environment)) {
        expect(name).toMatch(/^MIGRATION_PIPELINE_[A-Z0-9_]+$/);
        expect(value).not.toContain('\0');
        bytes += Buffer.byteLength(`${name}=${value}\0`);
      }
      expect(bytes).toBeLessThan(40_000);
      expect(environment['MIGRATION_PIPELINE_ID']).toBe('df-1');
    }),
    { numRuns: 50 },
  );
});
