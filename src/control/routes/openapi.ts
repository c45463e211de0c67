/** The OpenAPI 3.1 document of the socket, made from the routes and their schemas. */
import * as z from 'zod';

import { defined } from '../../core/lib/defined.ts';
import { HTTP_STATUS } from '../lib/problem.ts';
import type { ProblemCode } from '../lib/problem.ts';
import type { Route } from '../lib/route.ts';
import { REPLIES, problemDocument } from './documents.ts';

export function openApiDocument(routes: readonly Route[], version: string): object {
  const schemas = componentSchemas();
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    (paths[route.path] ??= {})[route.method.toLowerCase()] = operation(route, schemas.describe);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'migration-agent',
      version,
      description:
        'The control socket of migration-agent: HTTP on a Unix socket, /run/migration-agent/agent.sock by default. ' +
        'The permissions of the socket decide who may connect.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    // The host of the URL has no meaning on a Unix socket.
    servers: [{ url: 'http://localhost', description: 'Through the Unix socket' }],
    security: [],
    paths,
    components: { schemas: schemas.all, responses: problemResponses(schemas.describe) },
  };
}

type Describe = (schema: z.ZodType, io: 'input' | 'output') => object;

function operation(route: Route, describe: Describe): unknown {
  const parameters = [
    ...(route.path.includes('{name}') ? [NAME_PARAMETER] : []),
    ...queryParameters(route.query),
    ...headerParameters(route.requestHeaders ?? {}),
  ];
  return {
    operationId: operationId(route),
    summary: route.summary,
    ...defined({ parameters: parameters.length === 0 ? undefined : parameters }),
    ...defined({ requestBody: route.body && requestBody(route.body, describe) }),
    responses: {
      [route.status]: { description: route.summary, content: answer(route, describe) },
      ...problemReferences(route),
    },
  };
}

const NAME_PARAMETER = {
  name: 'name',
  in: 'path',
  required: true,
  description: 'Name of the job, percent-encoded.',
  schema: { type: 'string', minLength: 1 },
};

/** `POST /v1/jobs/{name}/start` is `postJobsNameStart`. */
function operationId(route: Route): string {
  const words = route.path.split(/[^A-Za-z]+/).filter((word) => word !== '' && word !== 'v');
  const capitals = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return route.method.toLowerCase() + capitals.join('');
}

function requestBody(body: z.ZodType, describe: Describe): object {
  // An absent body is read as an empty object.
  const required = !body.safeParse({}).success;
  return { required, content: json(describe(body, 'input')) };
}

function answer({ reply, mediaType }: Route, describe: Describe): object {
  if (reply !== undefined) {
    return json(describe(typeof reply === 'string' ? REPLIES[reply] : reply, 'output'));
  }
  return { [mediaType ?? 'text/plain']: { schema: { type: 'string' } } };
}

function json(schema: object): object {
  return { 'application/json': { schema } };
}

function queryParameters(query: z.ZodType): object[] {
  const { properties = {}, required = [] } = jsonSchema(query, 'input');
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...schema } = property as { description?: string };
    const isRequired = required.includes(name);
    return { name, in: 'query', required: isRequired, ...defined({ description }), schema };
  });
}

function headerParameters(headers: Readonly<Record<string, string>>): object[] {
  return Object.entries(headers).map(([name, description]) => ({
    name,
    in: 'header',
    required: false,
    description,
    schema: { type: 'string' },
  }));
}

/** The component's name and its description, by the status of the answer. */
const PROBLEMS: Readonly<Record<number, readonly [name: string, description: string]>> = {
  400: ['Invalid', 'The path, the query or the body is not valid. The message names each place.'],
  403: ['Forbidden', 'The caller may not do this.'],
  404: ['NotFound', 'There is no such job.'],
  409: ['Conflict', 'Not in the state that the job or the agent is in.'],
  410: ['Expired', 'The token of the page has expired: begin again with the first page.'],
  413: ['TooBig', 'The body is too big.'],
  415: ['UnsupportedMediaType', 'The body is not sent as application/json.'],
  500: ['Internal', 'A fault of the agent; its log has the cause.'],
  503: ['Unavailable', 'Not at the moment: the message says what is missing or when to try again.'],
};

function problemResponses(describe: Describe): object {
  const content = json(describe(problemDocument, 'output'));
  const byStatus = Object.values(PROBLEMS).map(([name, description]) => [
    name,
    { description, content },
  ]);
  return {
    ...(Object.fromEntries(byStatus) as object),
    Problem: { description: 'Any other problem, such as a request that took too long.', content },
  };
}

function problemReferences(route: Route): object {
  const statuses = new Set(problemCodes(route).map((code) => HTTP_STATUS[code]));
  const references = [...statuses]
    .toSorted((a, b) => a - b)
    .map((status) => [status, reference(PROBLEMS[status]?.[0] ?? 'Problem')]);
  return { ...(Object.fromEntries(references) as object), default: reference('Problem') };
}

function reference(response: string): object {
  return { $ref: `#/components/responses/${response}` };
}

function problemCodes(route: Route): readonly ProblemCode[] {
  const codes: ProblemCode[] = [
    'invalid',
    'internal',
    'busy',
    'unavailable',
    ...(route.problems ?? []),
  ];
  if (route.body !== undefined) codes.push('too-big', 'unsupported-media-type');
  if (route.path.includes('{name}')) codes.push('no-such-job', 'conflict');
  // The planner decides, and may refuse in each of these ways.
  if (route.method === 'POST') codes.push('forbidden', 'no-such-job', 'conflict');
  return codes;
}

/** A schema with a name is described once, under `components`, and referred to. */
function componentSchemas(): { all: Record<string, object>; describe: Describe } {
  const all: Record<string, object> = {};
  const describe: Describe = (schema, io) => {
    // zod puts each schema with a name below `$defs`, the outermost one too, which is then a reference itself.
    const { $defs: named = {}, ...document } = jsonSchema(schema, io);
    for (const [name, part] of Object.entries(named)) {
      if (JSON.stringify(all[name] ?? part) !== JSON.stringify(part)) {
        throw new Error(`the schema ${name} has two descriptions`);
      }
      all[name] = part;
    }
    return document;
  };
  return { all, describe };
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): z.core.JSONSchema.BaseSchema {
  const document = z.toJSONSchema(schema, { io, override: ({ jsonSchema: made }) => plain(made) });
  delete document.$schema;
  // References inside a schema point to its own `$defs`; in the document the parts lie elsewhere.
  return JSON.parse(
    JSON.stringify(document).replaceAll('"#/$defs/', '"#/components/schemas/'),
  ) as z.core.JSONSchema.BaseSchema;
}

/** Removes what says nothing: a calendar as a regular expression beside `format`, the limits of a number in JavaScript. */
function plain(made: z.core.JSONSchema.BaseSchema): void {
  if (made.format === 'date-time') delete made.pattern;
  // zod's own names (`starts_with`) are beside a pattern that says the same.
  else delete made.format;
  if (made.minimum === Number.MIN_SAFE_INTEGER) delete made.minimum;
  if (made.maximum === Number.MAX_SAFE_INTEGER) delete made.maximum;
}
