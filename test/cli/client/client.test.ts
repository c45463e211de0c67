/** Requests that do not go well: a full backlog of the socket, an agent that hangs, an answer that is a refusal. */
import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Client } from '../../../src/cli/client/client.ts';

type Answers = (request: FakeRequest, attempt: number) => void;

class FakeRequest extends EventEmitter {
  readonly options: object;
  text: string | undefined;

  constructor(options: object) {
    super();
    this.options = options;
  }

  end(text?: string): void {
    this.text = text;
    const attempt = requests.push(this);
    queueMicrotask(() => answers(this, attempt));
  }

  destroy(error: Error): void {
    this.emit('error', error);
  }

  fails(code: string, message = code): void {
    this.emit('error', Object.assign(new Error(message), { code }));
  }

  responds(statusCode: number, body: string | Error): void {
    const pieces = Readable.from(
      (function* () {
        if (body instanceof Error) throw body;
        yield Buffer.from(body);
      })(),
    );
    this.emit('response', Object.assign(pieces, { statusCode, setTimeout: () => undefined }));
  }
}

const http = process.getBuiltinModule('node:http');
let requests: FakeRequest[];
let answers: Answers;
let client: Client;

beforeEach(async () => {
  requests = [];
  vi.spyOn(http, 'request').mockImplementation(
    ((options: object) => new FakeRequest(options)) as never,
  );
  // The module takes the function when it is loaded.
  vi.resetModules();
  const { createClient } = await import('../../../src/cli/client/client.ts');
  client = createClient('/run/agent.sock');
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.resetModules();
});

const OK = '{"ok":true}';

describe('a socket whose backlog is full', () => {
  test('is tried again until it takes the request', async () => {
    answers = (request, attempt) =>
      attempt < 3 ? request.fails('EAGAIN') : request.responds(200, OK);
    expect(await client.post('/v1/drain', { by: 'anna' })).toEqual({ ok: true });
    expect(requests.map(({ text }) => text)).toEqual(Array<string>(3).fill('{"by":"anna"}'));
    expect(requests[0]?.options).toMatchObject({
      ...{ socketPath: '/run/agent.sock', method: 'POST', path: '/v1/drain' },
      ...{ headers: { 'content-type': 'application/json' }, timeout: 30_000 },
    });
  });

  test('for longer than ten seconds is an error', async () => {
    const now = vi.spyOn(performance, 'now').mockReturnValue(0);
    answers = (request, attempt) => {
      now.mockReturnValue(attempt === 2 ? 10_001 : 10_000);
      request.fails('EAGAIN', 'try again');
    };
    await expect(client.get('/v1/status')).rejects.toMatchObject({
      ...{ name: 'NoDaemon', exitCode: 4 },
      message: 'no daemon answers on /run/agent.sock: try again',
    });
    expect(requests).toHaveLength(2);
  });
});

test.each([
  ['ENOENT', '/run/agent.sock does not exist'],
  ['ECONNREFUSED', 'it has ended'],
  ['EACCES', 'permission denied on /run/agent.sock'],
  ['EPIPE', 'no daemon answers on /run/agent.sock: EPIPE'],
])('%s is an error at once: %s', async (code, message) => {
  answers = (request) => request.fails(code);
  await expect(client.get('/v1/status')).rejects.toMatchObject({
    ...{ name: 'NoDaemon', message: expect.stringContaining(message) as string },
  });
  expect(requests).toHaveLength(1);
  expect(requests[0]?.options).toMatchObject({ headers: {} });
});

test('an agent that does not answer hangs', async () => {
  answers = (request) => request.emit('timeout');
  await expect(client.get('/v1/status')).rejects.toMatchObject({
    name: 'NoDaemon',
    message: 'no daemon answers on /run/agent.sock: no answer in 30 s',
  });
});

test.each<[number, string, string, string]>([
  [503, '{"error":{"code":"busy","message":"too many"}}', 'Refusal', 'too many'],
  [500, '{}', 'Refusal', 'the agent answered 500'],
  [300, '{}', 'Refusal', 'the agent answered 300'],
  [199, '{}', 'Refusal', 'the agent answered 199'],
  [200, 'nonsense', 'NoDaemon', 'what answers on /run/agent.sock is not migration-agent'],
])('%i %s: %s', async (status, body, name, message) => {
  answers = (request) => request.responds(status, body);
  await expect(client.get('/v1/status')).rejects.toMatchObject({ name, message });
});

test('201 and 202 are answers', async () => {
  for (const status of [201, 202, 299]) {
    answers = (request) => request.responds(status, OK);
    expect(await client.post('/v1/jobs')).toEqual({ ok: true });
  }
});

describe('a stream', () => {
  const all = async (): Promise<string> => {
    let text = '';
    for await (const piece of client.stream('/v1/events')) text += Buffer.from(piece).toString();
    return text;
  };

  test('gives what comes', async () => {
    answers = (request) => request.responds(200, 'data: x');
    expect(await all()).toBe('data: x');
  });

  test('that is refused is no stream: why is not taken for a piece of it', async () => {
    answers = (request) =>
      request.responds(404, '{"error":{"code":"no-such-job","message":"no job \\"x\\""}}');
    await expect(all()).rejects.toMatchObject({ name: 'Refusal', exitCode: 3 });
  });

  test('that breaks off: the agent is gone', async () => {
    answers = (request) => request.responds(200, new Error('aborted'));
    await expect(all()).rejects.toMatchObject({
      name: 'NoDaemon',
      message: 'the agent closed the connection',
    });
  });
});

describe('a job that is not there', () => {
  const refuse =
    (message: string, names: readonly string[]): Answers =>
    (request, attempt) =>
      attempt === 1
        ? request.responds(404, JSON.stringify({ error: { code: 'no-such-job', message } }))
        : request.responds(200, JSON.stringify({ names }));

  test.each([
    ['no job "nigthly"', ['nightly', 'copy'], 'no job "nigthly"; did you mean "nightly"?'],
    ['no job "nigthly"', ['copy'], 'no job "nigthly"'],
    ['it is gone', ['nightly'], 'it is gone'],
  ])('%s of %j', async (message, names, expected) => {
    answers = refuse(message, names);
    await expect(client.get('/v1/jobs/x')).rejects.toMatchObject({
      ...{ exitCode: 3, message: expected },
    });
  });
});

test.each([
  ['body.grace: is no duration', '--grace: is no duration'],
  ['body.environment.A: is no text', '--env.A: is no text'],
  ['body.command: is empty; body.user: is nobody', 'command: is empty; --user: is nobody'],
  ['query.run: is no number', '--run: is no number'],
  ['body: is no object', 'is no object'],
  ['the body is long', 'the body is long'],
])('%s is about what was typed: %s', async (message, expected) => {
  answers = (request) =>
    request.responds(400, JSON.stringify({ error: { code: 'invalid', message } }));
  await expect(client.get('/v1/status')).rejects.toMatchObject({ exitCode: 2, message: expected });
});
