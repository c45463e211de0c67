/** How a component becomes an instance: its id, its inherited and evaluated fields, its retries. */
import type { Behaviour } from '../lib/behaviour.ts';
import { pipelineTime } from '../lib/clock.ts';
import type { Definition } from '../definition/definition.ts';
import {
  byId,
  effectiveFields,
  evaluate,
  lookupIn,
  parsePeriod,
  refsOf,
  valueOf,
} from '../definition/fields.ts';
import type { ObjectsById } from '../definition/fields.ts';
import type { Instance, Pipeline } from './records.ts';
import type { Field } from '../definition/objects.ts';

/** The instances of one run of an activity: one for each of its preconditions, and the activity's own as the last. */
export function makeInstances(
  pipeline: Pipeline,
  definition: Definition,
  componentId: string,
  startAt: number,
  endAt: number,
): readonly Instance[] {
  const objects = byId(definition.objects);
  const fields = effectiveFields(objects, componentId);
  const id = instanceId(componentId, startAt);
  const dependsOn = refsOf(fields, 'dependsOn').map((each) => instanceId(each, startAt));
  const preconditions = refsOf(fields, 'precondition').map((precondition) => {
    // The worker group of the activity checks its preconditions (DPG, preconditions).
    const given = effectiveFields(objects, precondition).filter(
      ({ key }) => !['schedule', 'scheduleType', 'workerGroup', 'runsOn'].includes(key),
    );
    const place = fields.filter(({ key }) => key === 'workerGroup' || key === 'runsOn');
    return makeInstance(pipeline, definition, {
      id: instanceId(`${precondition}_${componentId}`, startAt),
      componentId: precondition,
      fields: [...given, ...place, { key: 'node', refValue: id }],
      dependsOn,
      preconditions: [],
      terminateAt: Infinity,
      startAt,
      endAt,
    });
  });
  const terminateAt = startAt + lateMs(fields, objects);
  const own = { id, componentId, fields, dependsOn, terminateAt, startAt, endAt };
  return [
    ...preconditions,
    makeInstance(pipeline, definition, {
      ...own,
      preconditions: preconditions.map((each) => each.id),
    }),
  ];
}

/**
 * Infinity, unless the activity has an onLateAction of type Terminate. lateAfterTimeout counts "only when the schedule
 * type is not set to ondemand" (DPG).
 */
function lateMs(fields: readonly Field[], objects: ObjectsById): number {
  if (valueOf(fields, 'scheduleType')?.toLowerCase() === 'ondemand') return Infinity;
  const isTerminated = refsOf(fields, 'onLateAction').some(
    (id) => valueOf(objects.get(id)?.fields ?? [], 'type') === 'Terminate',
  );
  return (
    (isTerminated ? parsePeriod(valueOf(fields, 'lateAfterTimeout') ?? '') : undefined) ?? Infinity
  );
}

function makeInstance(
  pipeline: Pipeline,
  definition: Definition,
  parts: Pick<
    Instance,
    'id' | 'componentId' | 'fields' | 'dependsOn' | 'preconditions' | 'terminateAt'
  > & {
    readonly startAt: number;
    readonly endAt: number;
  },
): Instance {
  const { startAt, endAt, fields: own, ...rest } = parts;
  const objects = byId(definition.objects);
  const times: readonly Field[] = [
    { key: '@scheduledStartTime', stringValue: pipelineTime(startAt) },
    { key: '@scheduledEndTime', stringValue: pipelineTime(endAt) },
    { key: '@pipelineId', stringValue: pipeline.id },
  ];
  const lookup = lookupIn([...own, ...times], objects, parametersOf(definition));
  return {
    ...rest,
    pipeline,
    scheduledStart: startAt,
    scheduledEnd: endAt,
    fields: own.map((field) =>
      field.stringValue === undefined
        ? field
        : { ...field, stringValue: evaluate(field.stringValue, lookup).text },
    ),
    attempts: [],
    cause: [],
    status: 'WAITING_ON_DEPENDENCIES',
    attemptsMax: 1,
  };
}

/** `@SayHello_2012-12-12T00:00:00`, as the samples have it. */
export function instanceId(componentId: string, startAt: number): string {
  return `@${componentId}_${pipelineTime(startAt)}`;
}

/** Values of parameters: a value that was set, otherwise the default of the parameter. */
export function parametersOf(definition: Definition): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const { id, attributes } of definition.parameterObjects) {
    const fallback = attributes.find((attribute) => attribute.key === 'default');
    if (fallback !== undefined) values.set(id, fallback.stringValue);
  }
  for (const { id, stringValue } of definition.parameterValues) values.set(id, stringValue);
  return values;
}

/** "The period from start after which precondition is marked as failed if still not satisfied" (DPG). */
export function preconditionMs(instance: Instance): number {
  return parsePeriod(valueOf(instance.fields, 'preconditionTimeout') ?? '') ?? Infinity;
}

export function maximumRetries(instance: Instance, behaviour: Behaviour): number {
  const given = Number(valueOf(instance.fields, 'maximumRetries') ?? NaN);
  const wanted = Number.isInteger(given) ? given : behaviour.maximumRetriesDefault;
  return Math.min(wanted, behaviour.maximumRetriesMax);
}

export function retryDelayMs(instance: Instance, behaviour: Behaviour): number {
  const given = parsePeriod(valueOf(instance.fields, 'retryDelay') ?? '') ?? 0;
  return Math.max(given, behaviour.retryDelayMsMin);
}
