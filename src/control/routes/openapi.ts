/** The OpenAPI 3.1 document of the socket, made from the routes and their schemas. */
import { z } from 'zod';

import { problemDocument } from './documents.ts';
import type { Route } from '../lib/route.ts';

export function openApiDocument(routes: readonly Route[], version: string): unknown {
  const schemas = componentSchemas();
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    (paths[route.path] ??= {})[route.method.toLowerCase()] = operation(route, schemas.describe);
  }
  return {
    openapi: '3.1.0',
    info: { title: 'migration-agent', version },
    paths,
    components: { schemas: schemas.all },
  };
}

type Describe = (schema: z.ZodType, io: 'input' | 'output') => unknown;

function operation(route: Route, describe: Describe): unknown {
  const parameters = [
    ...(route.path.includes('{name}')
      ? [{ name: 'name', in: 'path', required: true, schema: { type: 'string' } }]
      : []),
    ...queryParameters(route.query),
  ];
  return {
    operationId: operationId(route),
    summary: route.summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined
      ? {}
      : { requestBody: { content: json(describe(route.body, 'input')) } }),
    responses: {
      [route.status]: {
        description: route.summary,
        content:
          route.reply === undefined
            ? { [route.mediaType ?? 'text/plain']: { schema: { type: 'string' } } }
            : json(describe(route.reply, 'output')),
      },
      default: { description: 'A problem', content: json(describe(problemDocument, 'output')) },
    },
  };
}

/** `POST /v1/jobs/{name}/start` is `postJobsNameStart`. */
function operationId(route: Route): string {
  const message = route.path.split(/[^A-Za-z]+/).filter((word) => word !== '' && word !== 'v');
  const capitals = message.map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return route.method.toLowerCase() + capitals.join('');
}

function json(schema: unknown): unknown {
  return { 'application/json': { schema } };
}

function queryParameters(query: z.ZodType): unknown[] {
  const { properties = {}, required = [] } = z.toJSONSchema(query, { io: 'input' });
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }));
}

/** A schema with a name is described once, under `components`, and referred to. */
function componentSchemas(): { all: Record<string, unknown>; describe: Describe } {
  const all: Record<string, unknown> = {};
  const describe: Describe = (schema, io) => {
    const { $defs: parts = {}, ...document } = z.toJSONSchema(schema, { io });
    delete document.$schema;
    for (const [name, part] of Object.entries(parts)) all[name] = rebased(part);
    const name = schema.meta()?.id;
    if (name === undefined) return rebased(document);
    all[name] = rebased(document);
    return { $ref: `#/components/schemas/${name}` };
  };
  return { all, describe };
}

/** References inside a schema point to its own `$defs`; in the document the parts lie elsewhere. */
function rebased(schema: unknown): unknown {
  return JSON.parse(
    JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/'),
  ) as unknown;
}
