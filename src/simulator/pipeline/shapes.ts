/**
 * The members of every Data Pipeline request with their constraints, as the service model of 2012-10-29
 * has them. Limits in bytes (fields and objects) are the Developer Guide's: see `definition/definition.ts`.
 */
import {
  boolean,
  integer,
  list,
  oneOf,
  optional,
  required,
  string,
  structure,
  timestamp,
} from '../lib/constraints.ts';
import type { Read } from '../lib/constraints.ts';
import {
  field,
  id,
  parameterObject,
  parameterValue,
  pipelineObject,
  text,
} from '../definition/objects.ts';

const string1024 = text(0, 1024);
const taskId = text(1, 2048);
const longString = text(0, 20_971_520);

const tag = structure({
  key: required(string({ min: 1, max: 128 })),
  value: required(string({ max: 256 })),
});
const tags = list(tag, 0, 10);

const selector = structure({
  fieldName: optional(string1024),
  operator: optional(
    structure({
      type: optional(oneOf('EQ', 'REF_EQ', 'LE', 'GE', 'BETWEEN')),
      values: optional(list(string1024)),
    }),
  ),
});
export type Selector = Read<typeof selector>;

const definition = {
  pipelineId: required(id),
  pipelineObjects: required(list(pipelineObject)),
  parameterObjects: optional(list(parameterObject)),
  parameterValues: optional(list(parameterValue)),
};

export const pipelineShapes = {
  CreatePipeline: structure({
    name: required(id),
    uniqueId: required(id),
    description: optional(string1024),
    tags: optional(tags),
  }),
  PutPipelineDefinition: structure(definition),
  ValidatePipelineDefinition: structure(definition),
  ActivatePipeline: structure({
    pipelineId: required(id),
    parameterValues: optional(list(parameterValue)),
    startTimestamp: optional(timestamp),
  }),
  DeactivatePipeline: structure({ pipelineId: required(id), cancelActive: optional(boolean) }),
  DeletePipeline: structure({ pipelineId: required(id) }),
  DescribePipelines: structure({ pipelineIds: required(list(id)) }),
  ListPipelines: structure({ marker: optional(string1024) }),
  GetPipelineDefinition: structure({ pipelineId: required(id), version: optional(string1024) }),
  DescribeObjects: structure({
    pipelineId: required(id),
    objectIds: required(list(id)),
    evaluateExpressions: optional(boolean),
    marker: optional(string1024),
  }),
  QueryObjects: structure({
    pipelineId: required(id),
    query: optional(structure({ selectors: optional(list(selector)) })),
    sphere: required(string1024),
    marker: optional(string1024),
    limit: optional(integer()),
  }),
  SetStatus: structure({
    pipelineId: required(id),
    objectIds: required(list(id)),
    status: required(string1024),
  }),
  AddTags: structure({ pipelineId: required(id), tags: required(tags) }),
  RemoveTags: structure({ pipelineId: required(id), tagKeys: required(list(string1024)) }),
  EvaluateExpression: structure({
    pipelineId: required(id),
    objectId: required(id),
    expression: required(longString),
  }),
  PollForTask: structure({
    workerGroup: required(string1024),
    hostname: optional(id),
    instanceIdentity: optional(
      structure({ document: optional(string1024), signature: optional(string1024) }),
    ),
  }),
  ReportTaskProgress: structure({ taskId: required(taskId), fields: optional(list(field)) }),
  SetTaskStatus: structure({
    taskId: required(taskId),
    taskStatus: required(oneOf('FINISHED', 'FAILED', 'FALSE')),
    errorId: optional(string1024),
    errorMessage: optional(string()),
    errorStackTrace: optional(string1024),
  }),
  ReportTaskRunnerHeartbeat: structure({
    taskrunnerId: required(id),
    workerGroup: optional(string1024),
    hostname: optional(id),
  }),
} as const;
