/**
 * The members of every Data Pipeline request with their constraints, as the service model of 2012-10-29
 * has them. Limits in bytes (fields and objects) are the Developer Guide's: see `pipeline-definition.ts`.
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
import type { Read, Shape } from '../lib/constraints.ts';

/** No control character but tab, line feed and carriage return; no lone surrogate; no U+FFFE, U+FFFF. */
const CHARACTERS = {
  text: '[\\u0020-\\uD7FF\\uE000-\\uFFFD\\uD800\\uDC00-\\uDBFF\\uDFFF\\r\\n\\t]*',
  // Asked the other way round: `^[…]*$` runs out of stack on an expression of some millions.
  test: (value: string): boolean =>
    !/[^\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}\r\n\t]/u.test(value),
};

const id = text(1, 1024);
const string1024 = text(0, 1024);
const fieldName = text(1, 256);
const fieldValue = text(0, 10_240);
const taskId = text(1, 2048);
const longString = text(0, 20_971_520);

const field = structure({
  key: required(fieldName),
  stringValue: optional(fieldValue),
  refValue: optional(fieldName),
});
export type Field = Read<typeof field>;

const pipelineObject = structure({
  id: required(id),
  name: required(id),
  fields: required(list(field)),
});
export type PipelineObject = Read<typeof pipelineObject>;

const parameterObject = structure({
  id: required(fieldName),
  attributes: required(
    list(structure({ key: required(fieldName), stringValue: required(fieldValue) })),
  ),
});
export type ParameterObject = Read<typeof parameterObject>;

const parameterValue = structure({ id: required(fieldName), stringValue: required(fieldValue) });
export type ParameterValue = Read<typeof parameterValue>;

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

function text(min: number, max: number): Shape<string> {
  return string({ min, max, pattern: CHARACTERS });
}
