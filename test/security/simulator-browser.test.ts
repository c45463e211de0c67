import http from 'node:http';
import { onTestFinished, test, expect } from 'vitest';
import { createSimulator } from '../../src/simulator/simulator.ts';

const TASK = { name: 'Evil', workerGroup: 'files', command: 'id > /tmp/owned' };
const JSON_TYPE = { 'Content-Type': 'application/json' };

async function started() {
  const simulator = createSimulator();
  onTestFinished(() => simulator.close());
  return { simulator, port: (await simulator.listen(0)).port };
}

/** A request as it is on the wire: `fetch` would not let a test choose Host, Origin or Sec-Fetch-Site. */
function send(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: string,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const request = http.request({ host: '127.0.0.1', port, path, method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => (text += piece));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, text });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** What a page in the operator's browser can send to 127.0.0.1 without being asked first (CORS: simple requests). */
const FROM_PAGES: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['a form that posts text/plain', { 'Content-Type': 'text/plain' }],
  ['fetch without a type', {}],
  ['a form in its usual encoding', { 'Content-Type': 'application/x-www-form-urlencoded' }],
  ['a type that only contains the words', { 'Content-Type': 'text/plain; application/json' }],
  ['JSON of another origin', { ...JSON_TYPE, Origin: 'http://evil.example' }],
  ['JSON of another port of this host', { ...JSON_TYPE, Origin: 'http://127.0.0.1:1' }],
  ['JSON of a sandboxed frame', { ...JSON_TYPE, Origin: 'null' }],
  ['JSON of another site', { ...JSON_TYPE, 'Sec-Fetch-Site': 'cross-site' }],
  ['JSON to a name that was rebound to 127.0.0.1', { ...JSON_TYPE, Host: 'evil.example:4580' }],
  ['JSON to a name that begins like an address', { ...JSON_TYPE, Host: '127.0.0.1.evil.example' }],
];

test.each(FROM_PAGES)('a page cannot submit a task: %s', async (_, headers) => {
  const { simulator, port } = await started();
  const { status } = await send(port, '/_simulator/submit', headers, JSON.stringify(TASK));
  expect(status).toBeGreaterThanOrEqual(400);
  expect(simulator.state()).toMatchObject({ readyTasks: 0, pipelines: [] });
});

test('a page whose name was rebound to 127.0.0.1 reads nothing and calls no service', async () => {
  const { simulator, port } = await started();
  const host = { Host: `evil.example:${port}` };
  for (const path of ['/_simulator/', '/_simulator/state', '/_simulator/journal']) {
    expect((await send(port, path, host)).status).toBe(403);
  }
  const headers = { ...host, Origin: `http://evil.example:${port}` };
  const target = { 'X-Amz-Target': 'DataPipeline.CreatePipeline' };
  const body = JSON.stringify({ name: 'Evil', uniqueId: '1' });
  expect((await send(port, '/', { ...headers, ...target }, body)).status).toBe(403);
  expect(simulator.state().pipelines).toEqual([]);
});

test('commands on this host and the simulator’s own page are answered', async () => {
  const { simulator, port } = await started();
  for (const host of ['127.0.0.1', 'localhost', 'LOCALHOST', '127.0.0.2', '[::1]']) {
    const local = { Host: `${host}:${port}` };
    expect((await send(port, '/_simulator/state', local)).status, host).toBe(200);
    const own = { ...JSON_TYPE, ...local, Origin: `http://${host}:${port}` };
    const { status } = await send(port, '/_simulator/submit', own, JSON.stringify(TASK));
    expect(status, host).toBe(200);
  }
  expect(simulator.state().readyTasks).toBe(5);
  // Without X-Amz-Target: a service answers, not the guard.
  const { text } = await send(port, '/', {}, '{}');
  expect(text).toContain('UnknownOperationException');
});

test('the refusal names the header that is missing', async () => {
  const { port } = await started();
  const { status, text } = await send(port, '/_simulator/switches', {}, '{}');
  expect({ status, text }).toEqual({
    status: 415,
    text: expect.stringContaining('Content-Type: application/json') as string,
  });
});
