/** Whether an instance still waits for its dependencies and preconditions, and its next status if it does not. */
import type { Behaviour } from '../lib/behaviour.ts';
import { preconditionKind } from '../definition/definition.ts';
import { valueOf } from '../definition/fields.ts';
import { isEnded } from './records.ts';
import type { Instance } from './records.ts';
import type { Field } from '../definition/objects.ts';

interface AfterWaiting {
  readonly status: 'WAITING_FOR_RUNNER' | 'FINISHED' | 'FAILED' | 'CASCADE_FAILED';
  /** The reason, as fields of the instance. */
  readonly cause: readonly Field[];
}

/** Undefined while the instance waits. */
export function afterWaiting(instance: Instance, behaviour: Behaviour): AfterWaiting | undefined {
  const find = (ids: readonly string[]): readonly Instance[] =>
    ids.flatMap((id) => instance.pipeline.instances.get(id) ?? []);
  const dependencies = find(instance.dependsOn);
  const preconditions = find(instance.preconditions);
  if ([...dependencies, ...preconditions].every((other) => other.status === 'FINISHED')) {
    if (preconditionKind(instance.fields) !== 'system') {
      return { status: 'WAITING_FOR_RUNNER', cause: [] };
    }
    return behaviour.systemPrecondition === 'met'
      ? { status: 'FINISHED', cause: [] }
      : failed('The precondition is not met.');
  }
  const unmet = preconditions.find(isBroken);
  if (unmet !== undefined && behaviour.preconditionFailed === 'fail') {
    return failed(`The precondition ${unmet.id} is ${unmet.status}.`);
  }
  // "failureAndRerunMode: cascade" (DPG, cascading failures). Without it, instances that depend on a failed one wait for ever.
  const isCascading = valueOf(instance.fields, 'failureAndRerunMode')?.toLowerCase() === 'cascade';
  const broken = dependencies.find(isBroken);
  if (broken === undefined || !isCascading) return undefined;
  return {
    status: 'CASCADE_FAILED',
    cause: [{ key: '@cascadeFailedOn', refValue: broken.id }],
  };
}

function isBroken(other: Instance): boolean {
  return isEnded(other) && other.status !== 'FINISHED';
}

function failed(reason: string): AfterWaiting {
  return { status: 'FAILED', cause: [{ key: 'errorMessage', stringValue: reason }] };
}
