/** The OpenAPI document is one that validators and generators take, and says of each schema what it is. */
import { Validator } from '@seriousme/openapi-schema-validator';
import openapiTS, { astToString } from 'openapi-typescript';
import * as z from 'zod';
import { describe, expect, test } from 'vitest';

import { historyDocument, statusDocument } from '../../../src/control/routes/documents.ts';
import { openApiDocument } from '../../../src/control/routes/openapi.ts';
import { noQuery } from '../../../src/control/routes/requests.ts';
import { route } from '../../../src/control/lib/route.ts';
import { HTTP_STATUS, PROBLEM_CODES } from '../../../src/control/lib/problem.ts';
import type { OpenApi } from '../../support/openapi.ts';
import { call, serve } from '../control-server-fixture.ts';

type Document = OpenApi & Record<string, unknown>;

/** Of no route: the parts that every document has. */
const document = openApiDocument([], '0') as Document;

async function fetched(): Promise<Document> {
  const { socketPath } = await serve();
  return (await call(socketPath, 'GET', '/v1/openapi.json')).json as Document;
}

describe('the document', () => {
  test('is valid OpenAPI 3.1', async () => {
    const validator = new Validator();
    expect(await validator.validate(await fetched())).toEqual({ valid: true });
    expect(validator.version).toBe('3.1');
    // The validator can say no.
    const broken = { ...document, info: {} };
    expect((await new Validator().validate(broken)).valid).toBe(false);
  });

  test('becomes TypeScript types, in which each schema has its fields', async () => {
    const types = astToString(await openapiTS(JSON.stringify(await fetched())));
    expect(types).toContain('"/v1/jobs/{name}/cancel": {');
    expect(types).toMatch(/Job: \{\s+name: string;\s+run\?: number;/);
    expect(types).toMatch(/Problem: \{\s+error: \{/);
    expect(types).toContain('"Last-Event-ID"?: string;');
    expect(JSON.stringify(await fetched())).not.toContain('"format":"starts_with"');
    expect(types).not.toMatch(/^ {8}(\w+): components\["schemas"\]\["\1"\];/m);
  });

  test('no schema is nothing but a reference', async () => {
    const { components } = await fetched();
    expect(Object.keys(components.schemas).length).toBeGreaterThan(12);
    for (const [name, schema] of Object.entries(components.schemas)) {
      expect(schema, name).not.toHaveProperty('$ref');
    }
  });

  test('every operation has the answers that it can give, and each has an id of its own', async () => {
    const operations = Object.entries((await fetched()).paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
    );
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { path, method, operation } of operations) {
      const statuses = Object.keys(operation.responses);
      expect(statuses, path).toEqual(expect.arrayContaining(['400', '500', '503', 'default']));
      if (path.includes('{name}')) expect(statuses, path).toContain('404');
      if (method === 'post') {
        expect(statuses, path).toEqual(expect.arrayContaining(['403', '409', '413', '415']));
      }
    }
    expect(
      operations.find(({ path }) => path.endsWith('/history'))?.operation.responses,
    ).toHaveProperty('410');
  });

  test('every code of a problem is listed', () => {
    const listed = document.components.schemas['Problem'];
    expect(listed).toMatchObject({
      properties: { error: { properties: { code: { enum: PROBLEM_CODES } } } },
    });
    expect(new Set(Object.values(HTTP_STATUS)).size).toBeGreaterThan(9);
  });

  test('two schemas of one name are an error, not the last one', () => {
    const named = (reply: z.ZodType) =>
      route({
        method: 'GET',
        path: '/v1/x',
        summary: '',
        query: noQuery,
        status: 200,
        reply: reply.meta({ id: 'Same' }),
        handle: () => Promise.resolve(),
      });
    const routes = [named(z.strictObject({ a: z.int() })), named(z.strictObject({ b: z.int() }))];
    expect(() => openApiDocument(routes, '0')).toThrow('Same');
  });
});

test('the schemas that answers are described by refuse a field that they do not know', () => {
  expect(statusDocument.safeParse({ schema: 1 }).success).toBe(false);
  const history = { schema: 1, region: 'eu-central-1', stream: 's', task: 't', updates: [] };
  expect(historyDocument.safeParse(history).success).toBe(true);
  expect(historyDocument.safeParse({ ...history, page: 1 }).success).toBe(false);
});
