/** Where the fields of a task are: the attempt's own, then those that only its component has. */
import { describe, expect, test } from 'vitest';
import type { PipelineField, PipelineObject, PolledTask } from '../../../src/core/model/call.ts';
import {
  activityFields,
  attemptObject,
  componentId,
  componentName,
  field,
  ref,
  texts,
} from '../../../src/core/pipeline/task-fields.ts';

const ATTEMPT_ID = '@Copy_2026-01-01T00:00:00_Attempt=1';

function object(id: string, fields: readonly PipelineField[] = [], name = id): PipelineObject {
  return { id, name, fields };
}

function task(...objects: PipelineObject[]): PolledTask {
  return { taskId: 't', pipelineId: 'df-1', attemptId: ATTEMPT_ID, objects };
}

describe('the attempt', () => {
  const attempt = object(ATTEMPT_ID);
  const other = object('@Other_2026_Attempt=2');
  const plain = object('Copy');
  test.each<[string, PolledTask, PipelineObject]>([
    ['has the id of the task', task(plain, other, attempt), attempt],
    ['or at least looks like one', task(plain, other), other],
    ['or is the first object', task(plain), plain],
    ['or is empty', task(), { id: ATTEMPT_ID, name: ATTEMPT_ID, fields: [] }],
  ])('%s', (_what, from, expected) => {
    expect(attemptObject(from)).toEqual(expected);
  });
});

describe('the component', () => {
  test.each<[string, PipelineField | undefined, string | undefined]>([
    ['is the parent', { key: '@componentParent', refValue: 'Copy' }, 'Copy'],
    ['by text too', { key: '@componentParent', stringValue: 'Copy' }, 'Copy'],
    ['or the plain parent', { key: 'parent', refValue: 'Base' }, 'Base'],
    ['or unknown', undefined, undefined],
  ])('%s', (_what, parent, id) => {
    expect(componentId(task(object(ATTEMPT_ID, parent === undefined ? [] : [parent])))).toBe(id);
  });

  test('has the name that its author wrote, or its id, or what the attempt’s name shows', () => {
    const attempt = object(ATTEMPT_ID, [{ key: '@componentParent', refValue: 'Copy' }]);
    expect(componentName(task(attempt, object('Copy', [], 'Copy the files')))).toBe(
      'Copy the files',
    );
    expect(componentName(task(attempt))).toBe('Copy');
    expect(componentName(task(object(ATTEMPT_ID)))).toBe('Copy');
    expect(componentName(task(object(ATTEMPT_ID, [], 'Copy_1')))).toBe('Copy_1');
  });
});

test('fields of the attempt come first, and hide those of the component with the same key', () => {
  const own = [
    { key: '@componentParent', refValue: 'Copy' },
    { key: 'command', stringValue: 'own' },
    { key: 'scriptArgument', stringValue: 'a' },
    { key: 'scriptArgument', stringValue: 'b' },
  ];
  const component = [
    { key: 'command', stringValue: 'theirs' },
    { key: 'type', stringValue: 'ShellCommandActivity' },
  ];
  expect(activityFields(task(object(ATTEMPT_ID, own), object('Copy', component)))).toEqual([
    ...own,
    component[1],
  ]);
  expect(activityFields(task(object(ATTEMPT_ID, own)))).toEqual(own);
});

test('the first text of a key, all texts in order, and a reference', () => {
  const fields = [
    { key: 'a', stringValue: '1' },
    { key: 'a', stringValue: '2' },
    { key: 'a', refValue: 'X' },
    { key: 'b', refValue: 'Y' },
  ];
  expect([field(fields, 'a'), field(fields, 'b'), field(fields, 'c')]).toEqual([
    ...['1', undefined, undefined],
  ]);
  expect([texts(fields, 'a'), texts(fields, 'c')]).toEqual([['1', '2', ''], []]);
  expect([ref(object('o', fields), 'a'), ref(object('o', fields), 'b')]).toEqual(['1', 'Y']);
  expect(ref(object('o', fields), 'c')).toBeUndefined();
});
