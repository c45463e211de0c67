/**
 * Components, instances and attempts as AWS returns them: their fields with the read-only ones (`@sphere`, `@status` …),
 * as in the samples of PollForTask and DescribeObjects.
 */
import { pipelineTime } from '../lib/clock.ts';
import type { Output } from '../lib/operation.ts';
import { byId, effectiveFields } from '../definition/fields.ts';
import { isEnded } from './records.ts';
import type { Attempt, Instance, Pipeline } from './records.ts';
import { nextRun } from './schedule.ts';
import type { Field, PipelineObject } from '../definition/objects.ts';

/** The part of PollForTask's answer that depends on the attempt. */
export function taskObject(attempt: Attempt, now: number): Output {
  return {
    pipelineId: attempt.instance.pipeline.id,
    attemptId: attempt.id,
    objects: { [attempt.id]: attemptObject({ ...attempt, startedAt: attempt.startedAt ?? now }) },
  };
}

export function attemptObject(attempt: Attempt): PipelineObject {
  const { instance } = attempt;
  const fields: Field[] = [
    reference('@componentParent', instance.componentId),
    ...withoutSystemFields(instance.fields),
    ...parentOf(instance),
    reference('@instanceParent', instance.id),
    text('@sphere', 'ATTEMPT'),
    text('@status', attempt.status),
    text('@version', String(instance.pipeline.version)),
    text('@attemptCount', String(attempt.number)),
    reference('@activeInstances', instance.id),
    text('@pipelineId', instance.pipeline.id),
    ...scheduled(instance),
    ...time('@actualStartTime', attempt.startedAt),
    ...time('@actualEndTime', attempt.endedAt),
    ...time('@finishedTime', attempt.endedAt),
    ...time('reportProgressTime', attempt.reportedAt),
    ...(attempt.hostname === undefined ? [] : [text('hostname', attempt.hostname)]),
    ...attempt.reported,
  ];
  return { id: attempt.id, name: attempt.id, fields };
}

export function instanceObject(instance: Instance): PipelineObject {
  const last = instance.attempts.at(-1);
  const fields: Field[] = [
    reference('@componentParent', instance.componentId),
    ...withoutSystemFields(instance.fields),
    ...parentOf(instance),
    text('@sphere', 'INSTANCE'),
    text('@status', instance.status),
    text('@version', String(instance.pipeline.version)),
    text('@attemptCount', String(instance.attempts.length)),
    ...instance.attempts.map((attempt) => reference('@headAttempt', attempt.id)).slice(-1),
    text('@pipelineId', instance.pipeline.id),
    ...scheduled(instance),
    ...time('@actualStartTime', instance.startedAt),
    ...time('@actualEndTime', instance.endedAt),
    ...time('@finishedTime', instance.endedAt),
    ...(instance.status === 'WAITING_ON_DEPENDENCIES'
      ? [...instance.dependsOn, ...instance.preconditions]
          .filter((id) => instance.pipeline.instances.get(id)?.status !== 'FINISHED')
          .map((id) => reference('@waitingOn', id))
      : []),
    ...(last?.hostname === undefined ? [] : [text('hostname', last.hostname)]),
    ...instance.cause,
    ...(last?.reported ?? []),
  ];
  return { id: instance.id, name: instance.id, fields };
}

export function componentObject(pipeline: Pipeline, object: PipelineObject): PipelineObject {
  const instances = [...pipeline.instances.values()].filter(
    (instance) => instance.componentId === object.id,
  );
  const status = pipeline.pausedComponents.has(object.id)
    ? 'PAUSED'
    : pipeline.active === undefined
      ? 'PENDING'
      : 'SCHEDULED';
  const fields: Field[] = [
    ...object.fields,
    text('@sphere', 'COMPONENT'),
    text('@status', status),
    text('@version', String(pipeline.version)),
    text('@pipelineId', pipeline.id),
    // "List of the currently scheduled active instance objects" (DPG).
    ...instances
      .filter((instance) => !isEnded(instance))
      .map((instance) => reference('@activeInstances', instance.id)),
    ...time('@latestRunTime', instances.at(-1)?.scheduledStart),
    ...time('@latestCompletedRunTime', latestEnded(instances)?.scheduledStart),
    ...time('@nextRunTime', nextRunTime(pipeline, object.id)),
    ...time('@lastDeactivatedTime', pipeline.lastDeactivatedAt),
    ...healthOf(instances),
  ];
  return { id: object.id, name: object.name, fields };
}

/** "Reflects success or failure of the last object instance that reached a terminated state" (DPG, runtime fields). */
export function healthOf(instances: readonly Instance[]): readonly Field[] {
  const last = latestEnded(instances);
  if (last === undefined) return [];
  return [
    text('@healthStatus', last.status === 'FINISHED' ? 'HEALTHY' : 'ERROR'),
    reference('@healthStatusFromInstanceId', last.id),
    ...time('@healthStatusUpdatedTime', last.endedAt),
  ];
}

function latestEnded(instances: readonly Instance[]): Instance | undefined {
  return instances
    .filter(isEnded)
    .reduce<Instance | undefined>(
      (latest, each) => ((each.endedAt ?? 0) >= (latest?.endedAt ?? 0) ? each : latest),
      undefined,
    );
}

function nextRunTime(pipeline: Pipeline, componentId: string): number | undefined {
  return pipeline.active === undefined || pipeline.state !== 'SCHEDULED'
    ? undefined
    : nextRun(pipeline, pipeline.active, componentId)?.dueAt;
}

/** The fields of an object with those that it inherits, for expressions. */
export function fieldsInContext(pipeline: Pipeline, object: PipelineObject): readonly Field[] {
  const definition = pipeline.active ?? pipeline.latest;
  if (definition === undefined) return object.fields;
  const inherited = effectiveFields(byId(definition.objects), object.id);
  const known = new Set(object.fields.map((field) => field.key));
  return [...object.fields, ...inherited.filter((field) => !known.has(field.key))];
}

function scheduled(instance: Instance): readonly Field[] {
  return [
    ...time('@scheduledStartTime', instance.scheduledStart),
    ...time('@scheduledEndTime', instance.scheduledEnd),
  ];
}

/** In the sample, the component itself is the `parent` of its instances. */
function parentOf(instance: Instance): readonly Field[] {
  return [reference('parent', instance.componentId)];
}

function withoutSystemFields(fields: readonly Field[]): readonly Field[] {
  return fields.filter((field) => !field.key.startsWith('@') && field.key !== 'parent');
}

function text(key: string, stringValue: string): Field {
  return { key, stringValue };
}

function reference(key: string, refValue: string): Field {
  return { key, refValue };
}

function time(key: string, ms: number | undefined): readonly Field[] {
  return ms === undefined ? [] : [text(key, pipelineTime(ms))];
}
