/** The operations that read pipelines: lists, descriptions, definitions, objects, and expressions. */
import { pipelineTime } from '../lib/clock.ts';
import { invalidRequest } from '../lib/errors.ts';
import { ACCOUNT_ID } from '../lib/account.ts';
import { operation } from '../lib/operation.ts';
import type { Operation, Output } from '../lib/operation.ts';
import { REFUSAL } from './context.ts';
import type { PipelineContext } from './context.ts';
import { byId, evaluate, lookupIn } from '../definition/fields.ts';
import type { Pipeline } from './records.ts';
import { parametersOf } from './instances.ts';
import { pipelineShapes } from './shapes.ts';
import type { Field, PipelineObject } from '../definition/objects.ts';
import type { Selector } from './shapes.ts';
import {
  attemptObject,
  componentObject,
  fieldsInContext,
  healthOf,
  instanceObject,
} from './task-object.ts';
import { defined } from '../lib/defined.ts';

/** "You can pass as many as 25 identifiers in a single call" (API, DescribePipelines, DescribeObjects). */
const IDS_MAX = 25;
/** "The default value is 100" (API, QueryObjects). ListPipelines states no page size. */
const PAGE_SIZE = 100;
const LIST_PAGE_SIZE = 50;
/** "The Query object can contain a maximum of ten selectors" (API). */
const SELECTORS_MAX = 10;

export function queryOperations(
  context: PipelineContext,
): readonly (readonly [string, Operation])[] {
  return [...pipelineQueries(context), ...objectQueries(context)];
}

function pipelineQueries({
  records,
  pager,
}: PipelineContext): readonly (readonly [string, Operation])[] {
  return [
    [
      'ListPipelines',
      operation(pipelineShapes.ListPipelines, REFUSAL, (input, { now }) => {
        const page = pager.page(records.all(), LIST_PAGE_SIZE, 'ListPipelines', input.marker, now);
        return {
          pipelineIdList: page.items.map(({ id, name }) => ({ id, name })),
          ...more(page.next),
        };
      }),
    ],

    [
      'DescribePipelines',
      operation(pipelineShapes.DescribePipelines, REFUSAL, (input) => {
        refuseTooMany(input.pipelineIds);
        return {
          pipelineDescriptionList: input.pipelineIds.map((id) => description(records.get(id))),
        };
      }),
    ],

    [
      'GetPipelineDefinition',
      operation(pipelineShapes.GetPipelineDefinition, REFUSAL, (input) => {
        const pipeline = records.get(input.pipelineId);
        const { version = 'latest' } = input;
        if (version !== 'latest' && version !== 'active') {
          throw invalidRequest("The version must be 'latest' or 'active'.");
        }
        const definition = version === 'active' ? pipeline.active : pipeline.latest;
        return {
          pipelineObjects: definition?.objects ?? [],
          parameterObjects: definition?.parameterObjects ?? [],
          parameterValues: definition?.parameterValues ?? [],
        };
      }),
    ],
  ];
}

function objectQueries({
  behaviour,
  records,
  pager,
}: PipelineContext): readonly (readonly [string, Operation])[] {
  return [
    [
      'DescribeObjects',
      operation(pipelineShapes.DescribeObjects, REFUSAL, (input, { now }) => {
        refuseTooMany(input.objectIds);
        const pipeline = records.get(input.pipelineId);
        const objects = input.objectIds.map((id) => findObject(pipeline, id));
        const isEvaluated = input.evaluateExpressions === true;
        const all = isEvaluated ? objects.map((each) => evaluated(pipeline, each)) : objects;
        const scope = `DescribeObjects|${pipeline.id}|${JSON.stringify([input.objectIds, isEvaluated])}`;
        const size = Math.max(behaviour.describeObjectsPage, 1);
        const page = pager.page(all, size, scope, input.marker, now);
        return { pipelineObjects: page.items, ...more(page.next) };
      }),
    ],

    [
      'QueryObjects',
      operation(pipelineShapes.QueryObjects, REFUSAL, (input, { now }) => {
        const pipeline = records.get(input.pipelineId);
        const selectors = input.query?.selectors ?? [];
        if (selectors.length > SELECTORS_MAX)
          throw invalidRequest('A query has at most ten selectors.');
        const found = inSphere(pipeline, input.sphere).filter((object) =>
          selectors.every((selector) => matches(object, selector)),
        );
        const scope = `QueryObjects|${pipeline.id}|${input.sphere}|${JSON.stringify(selectors)}`;
        const size = Math.min(Math.max(input.limit ?? PAGE_SIZE, 1), PAGE_SIZE);
        const page = pager.page(found, size, scope, input.marker, now);
        return { ids: page.items.map((object) => object.id), ...more(page.next) };
      }),
    ],

    [
      'EvaluateExpression',
      operation(pipelineShapes.EvaluateExpression, REFUSAL, (input) => {
        const pipeline = records.get(input.pipelineId);
        const object = findObject(pipeline, input.objectId);
        const { text, unknown } = evaluate(input.expression, lookupFor(pipeline, object));
        if (unknown.length > 0) {
          throw invalidRequest(`The expression refers to unknown names: ${unknown.join(', ')}.`);
        }
        return { evaluatedExpression: text };
      }),
    ],
  ];
}

function inSphere(pipeline: Pipeline, sphere: string): readonly PipelineObject[] {
  const instances = [...pipeline.instances.values()];
  switch (sphere) {
    case 'COMPONENT': {
      const definition = pipeline.active ?? pipeline.latest;
      return (definition?.objects ?? []).map((object) => componentObject(pipeline, object));
    }
    case 'INSTANCE':
      return instances.map(instanceObject);
    case 'ATTEMPT':
      return instances.flatMap((instance) => instance.attempts.map(attemptObject));
    default:
      throw invalidRequest('The sphere must be COMPONENT, INSTANCE or ATTEMPT.');
  }
}

function findObject(pipeline: Pipeline, id: string): PipelineObject {
  for (const sphere of ['COMPONENT', 'INSTANCE', 'ATTEMPT']) {
    const found = inSphere(pipeline, sphere).find((object) => object.id === id);
    if (found !== undefined) return found;
  }
  throw invalidRequest(`The object ${id} does not exist in the pipeline.`);
}

/** "If the field is not set on the object, the condition fails" (API, Selector). `name` counts as a field. */
function matches(object: PipelineObject, { fieldName, operator }: Selector): boolean {
  if (fieldName === undefined || operator?.type === undefined) return true;
  const [low = '', high = ''] = operator.values ?? [];
  const fields: readonly Field[] = [{ key: 'name', stringValue: object.name }, ...object.fields];
  const texts = fields.filter((field) => field.key === fieldName);
  const values = operator.values ?? [];
  switch (operator.type) {
    case 'EQ':
      return texts.some(
        (field) => field.stringValue !== undefined && values.includes(field.stringValue),
      );
    case 'REF_EQ':
      return texts.some((field) => field.refValue !== undefined && values.includes(field.refValue));
    case 'LE':
      return texts.some((field) => (field.stringValue ?? '\uffff') <= low);
    case 'GE':
      return texts.some((field) => (field.stringValue ?? '') >= low);
    case 'BETWEEN':
      return texts.some(
        ({ stringValue }) => stringValue !== undefined && stringValue >= low && stringValue <= high,
      );
  }
}

function lookupFor(pipeline: Pipeline, object: PipelineObject): ReturnType<typeof lookupIn> {
  const definition = pipeline.active ?? pipeline.latest;
  const parameters =
    definition === undefined ? new Map<string, string>() : parametersOf(definition);
  return lookupIn(fieldsInContext(pipeline, object), byId(definition?.objects ?? []), parameters);
}

function evaluated(pipeline: Pipeline, object: PipelineObject): PipelineObject {
  const lookup = lookupFor(pipeline, object);
  return {
    ...object,
    fields: object.fields.map((field) =>
      field.stringValue === undefined
        ? field
        : { ...field, stringValue: evaluate(field.stringValue, lookup).text },
    ),
  };
}

function description(pipeline: Pipeline): Output {
  const text = (key: string, stringValue: string | undefined): readonly Field[] =>
    stringValue === undefined ? [] : [{ key, stringValue }];
  const time = (key: string, ms: number | undefined): readonly Field[] =>
    ms === undefined ? [] : text(key, pipelineTime(ms));
  return {
    pipelineId: pipeline.id,
    name: pipeline.name,
    ...defined({ description: pipeline.description }),
    fields: [
      ...text('@pipelineState', pipeline.state),
      ...text('description', pipeline.description),
      ...text('name', pipeline.name),
      ...time('@creationTime', pipeline.createdAt),
      ...time('@firstActivationTime', pipeline.firstActivatedAt),
      ...time('@latestRunTime', pipeline.lastActivatedAt),
      ...time('@lastDeactivatedTime', pipeline.lastDeactivatedAt),
      ...healthOf([...pipeline.instances.values()]),
      ...text('@id', pipeline.id),
      ...text('@sphere', 'PIPELINE'),
      ...text('@version', String(pipeline.version)),
      ...text('@userId', ACCOUNT_ID),
      ...text('@accountId', ACCOUNT_ID),
      ...text('uniqueId', pipeline.uniqueId),
    ],
    tags: [...pipeline.tags].map(([key, value]) => ({ key, value })),
  };
}

function more(next: string | undefined): Output {
  return next === undefined ? { hasMoreResults: false } : { marker: next, hasMoreResults: true };
}

function refuseTooMany(ids: readonly string[]): void {
  if (ids.length > IDS_MAX) throw invalidRequest(`A call takes at most ${IDS_MAX} identifiers.`);
}
