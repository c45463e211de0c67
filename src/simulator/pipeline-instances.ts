/** How a component becomes an instance: its id, its inherited and evaluated fields, its retries. */
import type { Behaviour } from './behaviour.ts';
import { pipelineTime } from './clock.ts';
import type { Definition } from './pipeline-definition.ts';
import {
  byId,
  effectiveFields,
  evaluate,
  lookupIn,
  parsePeriod,
  refsOf,
  valueOf,
} from './pipeline-fields.ts';
import type { Instance, Pipeline } from './pipeline-records.ts';
import type { Field } from './pipeline-shapes.ts';

export function makeInstance(
  pipeline: Pipeline,
  definition: Definition,
  componentId: string,
  startAt: number,
  endAt: number,
): Instance {
  const objects = byId(definition.objects);
  const own = effectiveFields(objects, componentId);
  const times: readonly Field[] = [
    { key: '@scheduledStartTime', stringValue: pipelineTime(startAt) },
    { key: '@scheduledEndTime', stringValue: pipelineTime(endAt) },
    { key: '@pipelineId', stringValue: pipeline.id },
  ];
  const lookup = lookupIn([...own, ...times], objects, parametersOf(definition));
  return {
    id: instanceId(componentId, startAt),
    pipeline,
    componentId,
    scheduledStart: startAt,
    scheduledEnd: endAt,
    fields: own.map((field) =>
      field.stringValue === undefined
        ? field
        : { ...field, stringValue: evaluate(field.stringValue, lookup).text },
    ),
    dependsOn: refsOf(own, 'dependsOn').map((id) => instanceId(id, startAt)),
    attempts: [],
    status: 'WAITING_ON_DEPENDENCIES',
    attemptsMax: 1,
  };
}

/** `@SayHello_2012-12-12T00:00:00`, as the samples have it. */
export function instanceId(componentId: string, startAt: number): string {
  return `@${componentId}_${pipelineTime(startAt)}`;
}

/** Values of parameters: the object's default first, then what was set. */
export function parametersOf(definition: Definition): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const { id, attributes } of definition.parameterObjects) {
    const fallback = attributes.find((attribute) => attribute.key === 'default');
    if (fallback !== undefined) values.set(id, fallback.stringValue);
  }
  for (const { id, stringValue } of definition.parameterValues) values.set(id, stringValue);
  return values;
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
