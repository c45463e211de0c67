/**
 * Reads the objects of a task that PollForTask returned. The attempt has the fields of its activity. Fields are a
 * multimap: order and repetition have a meaning.
 */
import type { PipelineField, PipelineObject, PolledTask } from '../model/call.ts';

/** The attempt itself: the object that the task is about. */
export function attemptObject(task: PolledTask): PipelineObject {
  return (
    task.objects.find((object) => object.id === task.attemptId) ??
    task.objects.find((object) => /_Attempt=\d+$/.test(object.id)) ??
    task.objects[0] ?? { id: task.attemptId, name: task.attemptId, fields: [] }
  );
}

/** The activity as its author wrote it: the component that the attempt was made from; absent if it was not sent. */
function componentObject(task: PolledTask): PipelineObject | undefined {
  const id = componentId(task);
  return task.objects.find((object) => object.id === id);
}

/** The activity's name as its author wrote it. */
export function componentName(task: PolledTask): string {
  const attempt = attemptObject(task);
  return (
    componentObject(task)?.name ??
    componentId(task) ??
    attempt.name.replace(/^@/, '').replace(/_\d{4}-\d\d-\d\dT.*$/, '')
  );
}

export function componentId(task: PolledTask): string | undefined {
  const attempt = attemptObject(task);
  return ref(attempt, '@componentParent') ?? ref(attempt, 'parent');
}

/** All fields of the activity: those of the attempt, and those that only the component has. */
export function activityFields(task: PolledTask): readonly PipelineField[] {
  const { fields } = attemptObject(task);
  const component = componentObject(task);
  if (component === undefined) return fields;
  const known = new Set(fields.map(({ key }) => key));
  return [...fields, ...component.fields.filter(({ key }) => !known.has(key))];
}

/** The first value of a field that is a text. */
export function field(fields: readonly PipelineField[], key: string): string | undefined {
  return fields.find((one) => one.key === key)?.stringValue;
}

/** The texts of a field that may be repeated, in order. */
export function texts(fields: readonly PipelineField[], key: string): string[] {
  return fields.filter((one) => one.key === key).map((one) => one.stringValue ?? '');
}

export function ref(object: PipelineObject, key: string): string | undefined {
  const found = object.fields.find((one) => one.key === key);
  return found?.refValue ?? found?.stringValue;
}
