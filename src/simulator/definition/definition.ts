/**
 * The check of a pipeline definition. A definition with fatal problems is not saved. One with other errors is saved, but
 * cannot be activated (API, PutPipelineDefinition). The check covers the rules that the documents state for the object
 * types that the simulator uses (Default, Schedule, activities, preconditions). Of data nodes, resources and actions it
 * checks the references only.
 */
import type { Behaviour } from '../lib/behaviour.ts';
import { parsePipelineTime } from '../lib/clock.ts';
import { byId, effectiveFields, parsePeriod, refsOf, valueOf } from './fields.ts';
import type { ObjectsById } from './fields.ts';
import type { Field, ParameterObject, ParameterValue, PipelineObject } from './objects.ts';

export interface Definition {
  readonly objects: readonly PipelineObject[];
  readonly parameterObjects: readonly ParameterObject[];
  readonly parameterValues: readonly ParameterValue[];
}

export interface Validation {
  /** Why it cannot be saved. */
  readonly fatal: readonly string[];
  /** By object id. */
  readonly errors: ReadonlyMap<string, readonly string[]>;
  readonly warnings: ReadonlyMap<string, readonly string[]>;
}

/** "Number of objects per pipeline", "of fields per object", "of UTF8 bytes per …" (DPG, limits). */
const OBJECTS_MAX = 100;
const FIELDS_MAX = 50;
const NAME_BYTES_MAX = 256;
const FIELD_BYTES_MAX = 10_240;
export const OBJECT_BYTES_MAX = 15_360;
/** "The minimum period is 15 minutes and the maximum period is 3 years" (DPG, Schedule). */
const PERIOD_MS_MIN = 15 * 60_000;
const PERIOD_MS_MAX = 3 * 365 * 24 * 60 * 60_000;

export function validate(definition: Definition, behaviour: Behaviour): Validation {
  const { objects } = definition;
  const ids = byId(objects);
  const errors = new Map<string, string[]>();
  const warnings = new Map<string, string[]>();
  for (const object of objects) {
    const found = [
      ...sizeErrors(object),
      ...referenceErrors(object, ids),
      ...typeErrors(object, ids, behaviour),
    ];
    if (found.length > 0) errors.set(object.id, found);
    if (isIgnoredWorkerGroup(object, ids)) {
      warnings.set(object.id, ["'workerGroup' is ignored because 'runsOn' is set."]);
    }
  }
  return { fatal: fatalErrors(objects, ids), errors, warnings };
}

/** DPG, "System-managed preconditions": the service itself checks them. */
const SYSTEM_PRECONDITIONS: ReadonlySet<string> = new Set([
  'DynamoDBDataExists',
  'DynamoDBTableExists',
  'S3KeyExists',
  'S3PrefixNotEmpty',
]);
/** DPG, "User-managed preconditions": handed to the task runners of the worker group, which may answer FALSE. */
const USER_PRECONDITIONS: ReadonlySet<string> = new Set(['Exists', 'ShellCommandPrecondition']);

export function preconditionKind(fields: readonly Field[]): 'system' | 'user' | undefined {
  const type = valueOf(fields, 'type') ?? '';
  if (SYSTEM_PRECONDITIONS.has(type)) return 'system';
  return USER_PRECONDITIONS.has(type) ? 'user' : undefined;
}

/** Whether instances of this object are handed to task runners. */
export function isActivity(fields: readonly Field[]): boolean {
  return valueOf(fields, 'type')?.endsWith('Activity') === true;
}

export function isOnDemand(definition: Definition): boolean {
  const fallback = byId(definition.objects).get('Default');
  return valueOf(fallback?.fields ?? [], 'scheduleType')?.toLowerCase() === 'ondemand';
}

export function bytesOf(fields: readonly Field[]): number {
  return fields.reduce((sum, field) => sum + utf8(field.key) + utf8(fieldText(field)), 0);
}

function fatalErrors(objects: readonly PipelineObject[], ids: ObjectsById): readonly string[] {
  const fatal: string[] = [];
  if (objects.length > OBJECTS_MAX)
    fatal.push(`The pipeline has more than ${OBJECTS_MAX} objects.`);
  if (ids.size < objects.length) fatal.push('Two objects have the same id.');
  for (const { id, fields } of objects) {
    for (const field of fields) {
      if (fieldText(field) === '') fatal.push(`'${field.key}' of ${id} is empty.`);
      if (field.stringValue !== undefined && field.refValue !== undefined) {
        fatal.push(`'${field.key}' of ${id} has both a string value and a reference.`);
      }
    }
  }
  return fatal;
}

function sizeErrors(object: PipelineObject): readonly string[] {
  const errors: string[] = [];
  if (object.fields.length > FIELDS_MAX) errors.push(`An object has at most ${FIELDS_MAX} fields.`);
  for (const field of object.fields) {
    if (utf8(field.key) > NAME_BYTES_MAX)
      errors.push(`'${field.key}' is longer than ${NAME_BYTES_MAX} bytes.`);
    if (utf8(fieldText(field)) > FIELD_BYTES_MAX) {
      errors.push(`The value of '${field.key}' is longer than ${FIELD_BYTES_MAX} bytes.`);
    }
    if (field.key.startsWith('@')) errors.push(`'${field.key}' is read-only.`);
  }
  if (bytesOf(object.fields) > OBJECT_BYTES_MAX) {
    errors.push(`An object has at most ${OBJECT_BYTES_MAX} bytes.`);
  }
  return errors;
}

function referenceErrors(object: PipelineObject, ids: ObjectsById): readonly string[] {
  const errors = object.fields.flatMap((field) =>
    field.refValue === undefined || ids.has(field.refValue)
      ? []
      : [
          `INVALID_FIELD_VALUE: '${field.key}' refers to '${field.refValue}', which does not exist.`,
        ],
  );
  for (const key of ['parent', 'dependsOn']) {
    if (isInCycle(object.id, key, ids)) errors.push(`INVALID_FIELD_VALUE: '${key}' forms a cycle.`);
  }
  return errors;
}

function isInCycle(id: string, key: string, ids: ObjectsById): boolean {
  const seen = new Set<string>();
  const open = [...refsOf(ids.get(id)?.fields ?? [], key)];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next === id) return true;
    if (seen.has(next)) continue;
    seen.add(next);
    open.push(...refsOf(ids.get(next)?.fields ?? [], key));
  }
  return false;
}

function typeErrors(
  object: PipelineObject,
  ids: ObjectsById,
  behaviour: Behaviour,
): readonly string[] {
  const fields = effectiveFields(ids, object.id);
  const type = valueOf(object.fields, 'type');
  if (type === 'Schedule') return scheduleErrors(fields);
  const isChecked = isActivity(fields) || preconditionKind(fields) !== undefined;
  if (type === undefined || !isChecked) return [];

  return [
    ...preconditionErrors(fields, ids),
    ...(SHELL_TYPES.has(type) ? shellErrors(fields) : []),
    ...(isActivity(fields) ? activityErrors(fields) : []),
    ...PERIODS.flatMap((key) => periodErrors(fields, key, behaviour)),
    ...retryErrors(fields, behaviour),
  ];
}

const SHELL_TYPES: ReadonlySet<string> = new Set([
  'ShellCommandActivity',
  'ShellCommandPrecondition',
]);

function has(fields: readonly Field[], key: string): boolean {
  return valueOf(fields, key) !== undefined;
}

function preconditionErrors(fields: readonly Field[], ids: ObjectsById): readonly string[] {
  return refsOf(fields, 'precondition').flatMap((id) => {
    const other = ids.get(id);
    return other === undefined || preconditionKind(other.fields) !== undefined
      ? []
      : [`INVALID_FIELD_VALUE: 'precondition' refers to '${id}', which is none.`];
  });
}

function shellErrors(fields: readonly Field[]): readonly string[] {
  const errors: string[] = [];
  if (has(fields, 'command') === has(fields, 'scriptUri')) {
    errors.push("MISSING_FIELD: exactly one of 'command' and 'scriptUri' is required.");
  }
  if (has(fields, 'scriptUri') && has(fields, 'scriptArgument')) {
    errors.push("INVALID_FIELD: 'scriptArgument' can only be used with 'command'.");
  }
  return errors;
}

function activityErrors(fields: readonly Field[]): readonly string[] {
  const errors: string[] = [];
  if (!has(fields, 'workerGroup') && !has(fields, 'runsOn')) {
    errors.push("MISSING_FIELD: one of 'runsOn' and 'workerGroup' is required.");
  }
  const isOnDemandType = valueOf(fields, 'scheduleType')?.toLowerCase() === 'ondemand';
  if (!isOnDemandType && !has(fields, 'schedule')) {
    errors.push("MISSING_FIELD: 'schedule' is required.");
  }
  return errors;
}

function periodErrors(
  fields: readonly Field[],
  key: string,
  { retryDelayMsMin }: Behaviour,
): readonly string[] {
  const value = valueOf(fields, key);
  if (value === undefined || value.includes('#{')) return [];
  const periodMs = parsePeriod(value);
  if (periodMs === undefined) return [`INVALID_FIELD_VALUE: '${key}' value must be a period.`];
  if (key !== 'retryDelay' || periodMs >= retryDelayMsMin) return [];
  const minutes = retryDelayMsMin / 60_000;
  return [`INVALID_FIELD_VALUE: 'retryDelay' must be at least ${minutes} minutes.`];
}

function retryErrors(
  fields: readonly Field[],
  { maximumRetriesMax }: Behaviour,
): readonly string[] {
  const retries = valueOf(fields, 'maximumRetries') ?? '0';
  const isInRange = /^[0-9]+$/.test(retries) && Number(retries) <= maximumRetriesMax;
  return isInRange || retries.includes('#{')
    ? []
    : [`INVALID_FIELD_VALUE: 'maximumRetries' must be 0 to ${maximumRetriesMax}.`];
}

function scheduleErrors(fields: readonly Field[]): readonly string[] {
  const errors: string[] = [];
  const period = valueOf(fields, 'period');
  const periodMs = parsePeriod(period ?? '');
  const isPeriod = periodMs !== undefined && periodMs >= PERIOD_MS_MIN && periodMs <= PERIOD_MS_MAX;
  if (period !== 'ONDEMAND_PERIOD' && !isPeriod) {
    errors.push("INVALID_FIELD_VALUE: 'period' value must be a period of 15 minutes to 3 years.");
  }
  for (const key of ['startDateTime', 'endDateTime']) {
    const value = valueOf(fields, key);
    if (value !== undefined && parsePipelineTime(value) === undefined) {
      errors.push(`INVALID_FIELD_VALUE: '${key}' value must be a literal datetime value.`);
    }
  }
  const startAt = valueOf(fields, 'startAt');
  if ((startAt === undefined) === (valueOf(fields, 'startDateTime') === undefined)) {
    errors.push("MISSING_FIELD: exactly one of 'startAt' and 'startDateTime' is required.");
  }
  if (startAt !== undefined && !START_AT.has(startAt)) {
    errors.push("INVALID_FIELD_VALUE: 'startAt' value must be FIRST_ACTIVATION_DATE_TIME.");
  }
  if (
    valueOf(fields, 'occurrences') !== undefined &&
    valueOf(fields, 'endDateTime') !== undefined
  ) {
    errors.push("INVALID_FIELD: 'occurrences' cannot be used with 'endDateTime'.");
  }
  return errors;
}

const PERIODS = [
  'attemptTimeout',
  'lateAfterTimeout',
  'preconditionTimeout',
  'reportProgressTimeout',
  'retryDelay',
];

const START_AT: ReadonlySet<string> = new Set([
  'FIRST_ACTIVATION_DATE_TIME',
  'ONDEMAND_ACTIVATION_TIME',
]);

/** "If you provide a runsOn value and workerGroup exists, workerGroup is ignored" (DPG, ShellCommandActivity). */
function isIgnoredWorkerGroup(object: PipelineObject, ids: ObjectsById): boolean {
  const fields = effectiveFields(ids, object.id);
  return (
    isActivity(fields) &&
    valueOf(fields, 'runsOn') !== undefined &&
    valueOf(fields, 'workerGroup') !== undefined
  );
}

function fieldText(field: Field): string {
  return field.stringValue ?? field.refValue ?? '';
}

function utf8(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}
