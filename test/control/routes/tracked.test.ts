/** Tracked work over the socket: one item or many, by whose rights it is read, what refuses the whole request and what one item. */
import { expect, test } from 'vitest';
import type { ReaderIdentity } from '../../../src/core/model/job.ts';
import type { Peer } from '../../../src/control/lib/peer.ts';
import { call, makeTracked, serve } from '../control-server-fixture.ts';
import type { Response } from '../control-server-fixture.ts';

function post(socketPath: string, path: string, body: unknown): Promise<Response> {
  return call(socketPath, 'POST', path, JSON.stringify(body));
}

function reportsOf(requests: readonly unknown[]): unknown {
  return requests.map((request) => (request as { reports?: unknown }).reports);
}

test('one job and a list of them are asked for alike; the answer has the form of the question', async () => {
  const { operator, socketPath } = await serve();
  operator.answer = () => ({ ok: true, run: 'a/1', message: 'a/1 is tracked', refused: [] });
  const one = await post(socketPath, '/v1/tracked', { name: 'a' });
  const many = await post(socketPath, '/v1/tracked', [{ name: 'a' }, { name: 'b' }]);
  expect([one.status, one.json]).toEqual([201, { run: 'a/1', message: 'a/1 is tracked' }]);
  expect([many.status, many.json]).toEqual([201, { message: 'a/1 is tracked', refused: [] }]);
  const [a, both] = [
    await makeTracked([{ name: 'a' }]),
    await makeTracked([{ name: 'a' }, { name: 'b' }]),
  ];
  expect(operator.asked).toEqual([
    { type: 'track', definitions: a },
    { type: 'track', definitions: both },
  ]);
});

test('an invalid item refuses the whole request and is named by its place', async () => {
  const { operator, socketPath } = await serve();
  const one = await post(socketPath, '/v1/tracked', { name: 'a', pid: 999 });
  const many = await post(socketPath, '/v1/tracked', [{ name: 'a' }, { name: 'b', pid: 999 }]);
  expect([one.status, one.json]).toEqual([
    400,
    { error: { code: 'invalid', message: 'body.pid: there is no process 999' } },
  ]);
  expect([many.status, many.json]).toEqual([
    400,
    { error: { code: 'invalid', message: 'body[1].pid: there is no process 999' } },
  ]);
  expect(operator.asked).toEqual([]);
});

test('what the agent refuses is an error of a single item, and an entry of the answer to a list', async () => {
  const { operator, socketPath } = await serve();
  const refused = [{ index: 0, name: 'a', code: 'conflict' as const, message: 'a is tracked' }];
  operator.answer = () => ({ ok: true, message: '0 tracked', refused });
  const one = await post(socketPath, '/v1/tracked', { name: 'a' });
  const many = await post(socketPath, '/v1/tracked', [{ name: 'a' }]);
  expect([one.status, one.json]).toEqual([
    409,
    { error: { code: 'conflict', message: 'a is tracked' } },
  ]);
  expect([many.status, many.json]).toEqual([201, { message: '0 tracked', refused }]);
});

test('a request that the agent refuses whole is an error of either form', async () => {
  const { operator, socketPath } = await serve();
  operator.answer = () => ({ ok: false, code: 'unavailable', message: 'stopping' });
  for (const body of [{ name: 'a' }, [{ name: 'a' }]]) {
    expect((await post(socketPath, '/v1/tracked', body)).status).toBe(503);
  }
});

test.each<[string, Peer | undefined, ReaderIdentity | undefined]>([
  ['root', { pid: 1, uid: 0, groups: [0] }, undefined],
  ["the agent's own user", { pid: 1, uid: 990, groups: [990] }, undefined],
  ['another user', { pid: 1, uid: 1000, groups: [1000, 27] }, { uid: 1000, groups: [1000, 27] }],
  ['a caller whom the host cannot tell', undefined, { uid: -1, groups: [] }],
])('%s reads with the rights that belong to it', async (_who, peer, reader) => {
  const readers: unknown[] = [];
  const { socketPath } = await serve({
    readPeer: () => peer,
    adHoc: () => ({ policy: 'self', agentUid: 990 }),
    makeTracked: (bodies, of) => {
      readers.push(of);
      return makeTracked(bodies);
    },
  });
  expect((await post(socketPath, '/v1/tracked', { name: 'a' })).status).toBe(201);
  expect(readers).toEqual([reader]);
});

test.each<[unknown, string]>([
  [{ pid: 0 }, 'body.pid: expected the number of a process'],
  [{ pid: 4_194_305 }, 'body.pid: expected the number of a process; 4194304 at most'],
  [{ pid: 1.5 }, 'body.pid: expected the number of a process'],
  [{ unit: '' }, 'body.unit'],
  [{ unit: 'x'.repeat(256) }, 'body.unit'],
  [{ statusFile: 'status.json' }, 'body.statusFile: is not an absolute path'],
  [{ name: '' }, 'body.name: is empty'],
  [{ name: 'x'.repeat(1025) }, 'body.name'],
  [{ pid: 5, unit: 'a' }, 'body: give one of pid, unit and statusFile, or none'],
  [{ unit: 'a', statusFile: '/a' }, 'body: give one of pid, unit and statusFile, or none'],
])('%j cannot be tracked', async (item, message) => {
  const { operator, socketPath } = await serve();
  const answer = await post(socketPath, '/v1/tracked', { name: 'a', ...(item as object) });
  expect(answer.status).toBe(400);
  expect(answer.json).toMatchObject({
    error: { message: expect.stringContaining(message) as string },
  });
  expect(operator.asked).toEqual([]);
});

test.each<unknown>([
  { pid: 1 },
  { pid: 4_194_304 },
  { unit: 'x'.repeat(255) },
  { statusFile: '/' },
  { name: 'x'.repeat(1024) },
])('%j is within the limits', async (item) => {
  const { socketPath } = await serve();
  const answer = await post(socketPath, '/v1/tracked', { name: 'a', ...(item as object) });
  expect([answer.status, answer.text]).toMatchObject([201, expect.anything()]);
});

test('a report has what was given, its text made plain, and nothing else', async () => {
  const { operator, socketPath } = await serve();
  await post(socketPath, '/v1/reports', { name: 'a', percent: 40, detail: ' forty ' });
  await post(socketPath, '/v1/reports', { name: 'a', status: 'failed' });
  await post(socketPath, '/v1/reports', [
    { name: 'a', percent: 0 },
    { name: 'b', percent: 100 },
    { name: 'c', detail: '' },
  ]);
  expect(reportsOf(operator.asked)).toEqual([
    [{ name: 'a', percent: 40, detail: 'forty' }],
    [{ name: 'a', status: 'failed' }],
    [
      { name: 'a', percent: 0 },
      { name: 'b', percent: 100 },
      { name: 'c', detail: '' },
    ],
  ]);
});

test.each<[unknown, string]>([
  [{}, 'body: is empty: give percent, detail or status'],
  [{ percent: -1 }, 'body.percent: expected a number from 0 to 100'],
  [{ percent: 100.5 }, 'body.percent: expected a number from 0 to 100'],
  [{ percent: '40' }, 'body.percent: expected a number from 0 to 100'],
  [{ detail: 5 }, 'body.detail: expected text'],
  [{ detail: 'x'.repeat(32_769) }, 'body.detail: has more than 32768 characters'],
  [{ status: 'done' }, 'body.status: expected completed or failed'],
])('%j is no report', async (item, message) => {
  const { operator, socketPath } = await serve();
  const answer = await post(socketPath, '/v1/reports', { name: 'a', ...(item as object) });
  expect(answer.status).toBe(400);
  expect(answer.json).toMatchObject({
    error: { message: expect.stringContaining(message) as string },
  });
  expect(operator.asked).toEqual([]);
});

test('a text may have 32,768 characters, and a list 10,000 items but not none and not more', async () => {
  const { operator, socketPath } = await serve();
  const reports = (count: number): unknown =>
    Array.from({ length: count }, () => ({ name: 'a', percent: 1 }));
  const codes = [];
  for (const body of [
    { name: 'a', detail: 'x'.repeat(32_768) },
    reports(10_000),
    reports(10_001),
    reports(0),
  ]) {
    codes.push((await post(socketPath, '/v1/reports', body)).status);
  }
  expect(codes).toEqual([200, 200, 400, 400]);
  expect(operator.asked).toHaveLength(2);
});
