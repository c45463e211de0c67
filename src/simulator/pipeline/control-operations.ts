/** The operations with which a user creates, defines, starts, stops and deletes pipelines. */
import { invalidRequest } from '../lib/errors.ts';
import { operation } from '../lib/operation.ts';
import type { Operation, Output } from '../lib/operation.ts';
import { REFUSAL } from './context.ts';
import type { PipelineContext } from './context.ts';
import { isOnDemand, validate } from '../definition/definition.ts';
import type { Definition, Validation } from '../definition/definition.ts';
import type { Instance, Pipeline } from './records.ts';
import { pipelineShapes } from './shapes.ts';
import type { ParameterObject, ParameterValue, PipelineObject } from '../definition/objects.ts';

const ID_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
/** The model allows 10 tags in a call, and a pipeline has at most as many (DPG, tags). */
const TAGS_MAX = 10;

export function controlOperations(
  context: PipelineContext,
): readonly (readonly [string, Operation])[] {
  return [
    ...definitionOperations(context),
    ...activationOperations(context),
    ...tagOperations(context),
  ];
}

function definitionOperations({
  behaviour,
  dice,
  records,
}: PipelineContext): readonly (readonly [string, Operation])[] {
  return [
    [
      'CreatePipeline',
      operation(pipelineShapes.CreatePipeline, REFUSAL, (input, { now }) => {
        const { name, uniqueId } = input;
        // "If a pipeline already exists with the same name and unique identifier … you'll receive the
        // pipeline identifier from the previous attempt" (API).
        const same = records.all().find((each) => each.name === name && each.uniqueId === uniqueId);
        if (same !== undefined) return { pipelineId: same.id };
        if (records.all().length >= behaviour.pipelinesMax) {
          throw invalidRequest(`The account already has ${behaviour.pipelinesMax} pipelines.`);
        }
        const pipeline: Pipeline = {
          id: `df-${dice.text(ID_ALPHABET, 20)}`,
          name,
          uniqueId,
          description: input.description,
          tags: new Map((input.tags ?? []).map((tag) => [tag.key, tag.value])),
          createdAt: now,
          state: 'PENDING',
          isDeleted: false,
          isErrored: false,
          version: 0,
          runsMade: new Map(),
          pausedComponents: new Set(),
          instances: new Map(),
        };
        records.add(pipeline);
        return { pipelineId: pipeline.id };
      }),
    ],

    [
      'PutPipelineDefinition',
      operation(pipelineShapes.PutPipelineDefinition, REFUSAL, (input) => {
        const pipeline = records.get(input.pipelineId);
        const definition = definitionOf(input);
        const validation = validate(definition, behaviour);
        const isFinished =
          pipeline.state === 'FINISHED' && !isOnDemand(pipeline.active ?? definition);
        if (isFinished) throw invalidRequest('The pipeline is in a FINISHED state.');
        if (validation.fatal.length > 0) {
          throw invalidRequest(
            `Pipeline definition has errors: Could not save the pipeline definition due to FATAL errors: [${validation.fatal.join(' ')}] Please call Validate to validate your pipeline`,
          );
        }
        pipeline.latest = definition;
        pipeline.isErrored = validation.errors.size > 0;
        pipeline.version++;
        return shown(validation);
      }),
    ],

    [
      'ValidatePipelineDefinition',
      operation(pipelineShapes.ValidatePipelineDefinition, REFUSAL, (input) => {
        records.get(input.pipelineId);
        const validation = validate(definitionOf(input), behaviour);
        if (validation.fatal.length === 0) return shown(validation);
        const id = input.pipelineObjects[0]?.id ?? 'Default';
        const errors = new Map(validation.errors).set(id, [
          ...validation.fatal,
          ...(validation.errors.get(id) ?? []),
        ]);
        return shown({ ...validation, errors });
      }),
    ],
  ];
}

function activationOperations(context: PipelineContext): readonly (readonly [string, Operation])[] {
  const { records, runs } = context;
  return [
    [
      'ActivatePipeline',
      operation(pipelineShapes.ActivatePipeline, REFUSAL, (input, { now }) => {
        const pipeline = records.get(input.pipelineId);
        if (pipeline.latest === undefined || pipeline.isErrored) {
          throw invalidRequest('The pipeline has no definition, or its definition has errors.');
        }
        const given = input.parameterValues ?? [];
        const overridden = new Set(given.map((value) => value.id));
        const definition: Definition = {
          ...pipeline.latest,
          parameterValues: [
            ...pipeline.latest.parameterValues.filter((value) => !overridden.has(value.id)),
            ...given,
          ],
        };
        runs.activate(pipeline, definition, input.startTimestamp, now);
        return {};
      }),
    ],

    [
      'DeactivatePipeline',
      operation(pipelineShapes.DeactivatePipeline, REFUSAL, (input, { now }) => {
        const pipeline = records.get(input.pipelineId);
        if (pipeline.active === undefined) throw invalidRequest('The pipeline is not active.');
        runs.deactivate(pipeline, input.cancelActive ?? true, now);
        return {};
      }),
    ],

    [
      'DeletePipeline',
      operation(pipelineShapes.DeletePipeline, REFUSAL, (input, { now }) => {
        runs.delete(records.getOrNotFound(input.pipelineId), now);
        return {};
      }),
    ],

    [
      'SetStatus',
      operation(pipelineShapes.SetStatus, REFUSAL, (input, { now }) => {
        const pipeline = records.get(input.pipelineId);
        if (pipeline.state === 'FINISHED')
          throw invalidRequest('The pipeline is in a FINISHED state.');
        // "The corresponding objects can be either physical or components, but not a mix" (API).
        const instances = input.objectIds.flatMap((id) => findInstance(pipeline, id) ?? []);
        const components = input.objectIds.filter((id) => isComponent(pipeline, id));
        if (instances.length + components.length < input.objectIds.length) {
          throw invalidRequest('An object of the request does not exist in the pipeline.');
        }
        if (instances.length > 0 && components.length > 0) {
          throw invalidRequest('The objects are a mix of components and physical objects.');
        }
        // The sample of the API reference writes the status in lower case.
        const status = input.status.toUpperCase();
        for (const id of components) setComponent(context, pipeline, id, status);
        for (const instance of instances) setInstance(context, instance, status, now);
        runs.advance(now);
        return {};
      }),
    ],
  ];
}

function tagOperations({ records }: PipelineContext): readonly (readonly [string, Operation])[] {
  return [
    [
      'AddTags',
      operation(pipelineShapes.AddTags, REFUSAL, (input) => {
        const { tags } = records.get(input.pipelineId);
        const keys = new Set([...tags.keys(), ...input.tags.map((tag) => tag.key)]);
        if (keys.size > TAGS_MAX) throw invalidRequest(`A pipeline has at most ${TAGS_MAX} tags.`);
        for (const tag of input.tags) tags.set(tag.key, tag.value);
        return {};
      }),
    ],

    [
      'RemoveTags',
      operation(pipelineShapes.RemoveTags, REFUSAL, (input) => {
        const { tags } = records.get(input.pipelineId);
        for (const key of input.tagKeys) tags.delete(key);
        return {};
      }),
    ],
  ];
}

/** "For components, use PAUSE or RESUME" (API, SetStatus). */
function setComponent(
  { runs }: PipelineContext,
  pipeline: Pipeline,
  id: string,
  status: string,
): void {
  if (status === 'PAUSE') runs.pause(pipeline, id);
  else if (status === 'RESUME') runs.resume(pipeline, id);
  else throw invalidRequest(`The status of a component cannot be set to ${status}.`);
}

/** "For instances, use TRY_CANCEL, RERUN, or MARK_FINISHED" (API, SetStatus); the console writes CANCEL. */
function setInstance(
  { runs }: PipelineContext,
  instance: Instance,
  status: string,
  now: number,
): void {
  if (status === 'TRY_CANCEL' || status === 'CANCEL')
    runs.cancel(instance, 'Canceled by SetStatus.', now);
  else if (status === 'RERUN') runs.rerun(instance);
  else if (status === 'MARK_FINISHED') runs.markFinished(instance, now);
  else throw invalidRequest(`The status of an instance cannot be set to ${status}.`);
}

/** Finds an instance by its id, or by the id of one of its attempts. */
function findInstance(pipeline: Pipeline, id: string): Instance | undefined {
  return pipeline.instances.get(id.replace(/_Attempt=[0-9]+$/, ''));
}

function isComponent(pipeline: Pipeline, id: string): boolean {
  return (pipeline.active ?? pipeline.latest)?.objects.some((object) => object.id === id) === true;
}

function definitionOf(input: {
  readonly pipelineObjects: readonly PipelineObject[];
  readonly parameterObjects?: readonly ParameterObject[];
  readonly parameterValues?: readonly ParameterValue[];
}): Definition {
  return {
    objects: input.pipelineObjects,
    parameterObjects: input.parameterObjects ?? [],
    parameterValues: input.parameterValues ?? [],
  };
}

function shown(validation: Validation): Output {
  const list = (found: ReadonlyMap<string, readonly string[]>, key: string): readonly Output[] =>
    [...found].map(([id, messages]) => ({ id, [key]: messages }));
  return {
    errored: validation.errors.size > 0,
    ...(validation.errors.size === 0
      ? {}
      : { validationErrors: list(validation.errors, 'errors') }),
    ...(validation.warnings.size === 0
      ? {}
      : { validationWarnings: list(validation.warnings, 'warnings') }),
  };
}
