/** The socket's API: what it answers, what it asks of the operator port, and what it refuses. */
import { stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { statusDocument } from '../../../src/control/routes/documents.ts';
import { createControlServer } from '../../../src/control/http/server.ts';
import { RunLog } from '../../../src/jobs/files/run-log.ts';
import {
  call,
  makeDefinition,
  makeTracked,
  sendRaw,
  serve,
  temporaryDirectory,
} from '../control-server-fixture.ts';
import { FULL_STATUS, jobNamed, OperatorInMemory } from '../operator-in-memory.ts';
import { eventually } from '../../support/until.ts';

describe('documents', () => {
  test('status is the document of the operator port, whole', async () => {
    const { operator, socketPath } = await serve();
    operator.document = FULL_STATUS;
    const { status, json } = await call(socketPath, 'GET', '/v1/status');
    expect(status).toBe(200);
    expect(json).toEqual(FULL_STATUS);
  });

  test('the schema of status knows every field that the agent can show', () => {
    expect(statusDocument.parse(FULL_STATUS)).toEqual(FULL_STATUS);
  });

  test('a job is found by its encoded name, and an unknown one is 404', async () => {
    const { operator, socketPath } = await serve();
    operator.show(jobNamed('a b'));
    expect((await call(socketPath, 'GET', '/v1/jobs/a%20b')).json).toEqual({
      ...jobNamed('a b'),
      earlierRuns: [],
      pending: [],
    });
    expect((await call(socketPath, 'GET', '/v1/jobs')).json).toEqual({
      schema: 1,
      jobs: [jobNamed('a b')],
    });
    const missing = await call(socketPath, 'GET', '/v1/jobs/other');
    expect(missing.status).toBe(404);
    expect(missing.json).toEqual({
      error: { code: 'no-such-job', message: 'there is no job "other"' },
    });
  });

  test('status of one job is that job in full, with the agent and its budgets', async () => {
    const { operator, socketPath } = await serve();
    operator.document = FULL_STATUS;
    const { json } = await call(socketPath, 'GET', '/v1/status?job=nightly-files');
    const jobs = FULL_STATUS.jobs.map((job) => ({ ...job, earlierRuns: [], pending: [] }));
    expect(json).toEqual({ ...FULL_STATUS, jobs });
    expect((await call(socketPath, 'GET', '/v1/status?job=other')).status).toBe(404);
  });

  test('the output of a run: the last lines of each stream, secrets masked', async () => {
    const { directory, operator, socketPath } = await serve();
    const get = async (query = ''): Promise<unknown> =>
      (await call(socketPath, 'GET', `/v1/jobs/copy/output${query}`)).json;
    operator.show(jobNamed('copy', { run: 2, state: 'running' }));
    const nothing = { schema: 1, run: 2, stdout: [], stderr: [] };
    expect(await get()).toEqual(nothing);
    await writeFile(
      join(directory, 'copy-2.out'),
      `${'x'.repeat(70_000)} --password\rhunter2\n\r1%\r2%\r3%`,
    );
    await writeFile(
      join(directory, 'copy-2.err'),
      'a\nmysql --password=hunter2 db\n\u001b[31mlast\n',
    );
    expect(await get('?lines=2')).toEqual({
      ...nothing,
      stdout: ['2%', '3%'],
      stderr: ['mysql --password=*** db', 'last'],
    });
    // A line that is longer than what is read, and what may be the second half of a secret with it, is left out.
    await writeFile(join(directory, 'copy-2.out'), `${'x'.repeat(70_000)}\nend\n`);
    expect(await get()).toMatchObject({ stdout: ['end'] });
  });

  test('HEAD answers like GET, without a body', async () => {
    const { socketPath } = await serve();
    const { status, text } = await call(socketPath, 'HEAD', '/v1/status');
    expect([status, text]).toEqual([200, '']);
  });

  test('events are the newest of the timeline, times in ISO 8601', async () => {
    const { operator, socketPath } = await serve();
    const at = { wallMs: Date.UTC(2026, 10, 22, 3), bootMs: 5 };
    operator.show(jobNamed('copy'));
    operator.entries.set('copy', [
      { at, event: 'run.queued', fields: {} },
      { at, run: 'copy/1', event: 'job.exited', fields: { exitCode: 23 } },
    ]);
    const { json } = await call(socketPath, 'GET', '/v1/jobs/copy/events?limit=1');
    expect(json).toEqual({
      schema: 1,
      events: [
        {
          at: '2026-11-22T03:00:00.000Z',
          run: 'copy/1',
          event: 'job.exited',
          fields: { exitCode: 23 },
        },
      ],
    });
    expect((await call(socketPath, 'GET', '/v1/jobs/copy/events?limit=x')).status).toBe(400);
    expect((await call(socketPath, 'GET', '/v1/jobs/other/events')).status).toBe(404);
  });

  test('the OpenAPI document names every endpoint, and every reference in it leads somewhere', async () => {
    const { socketPath } = await serve();
    const { json } = await call(socketPath, 'GET', '/v1/openapi.json');
    const document = json as { paths: object; components: Record<string, object> };
    expect(
      Object.entries(document.paths)
        .flatMap(([path, methods]) =>
          Object.keys(methods as object).map((method) => `${method} ${path}`),
        )
        .toSorted(),
    ).toEqual([
      'get /v1/events',
      'get /v1/jobs',
      'get /v1/jobs/{name}',
      'get /v1/jobs/{name}/events',
      'get /v1/jobs/{name}/history',
      'get /v1/jobs/{name}/logs',
      'get /v1/jobs/{name}/output',
      'get /v1/names',
      'get /v1/openapi.json',
      'get /v1/outbox',
      'get /v1/status',
      'post /v1/claim',
      'post /v1/drain',
      'post /v1/jobs',
      'post /v1/jobs/{name}/cancel',
      'post /v1/jobs/{name}/start',
      'post /v1/outbox/drop',
      'post /v1/outbox/retry',
      'post /v1/reload',
      'post /v1/reports',
      'post /v1/resume',
      'post /v1/tracked',
    ]);
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(
      ([, to]) => to,
    );
    expect(references.length).toBeGreaterThan(5);
    const known = Object.entries(document.components).flatMap(([kind, parts]) =>
      Object.keys(parts).map((name) => `#/components/${kind}/${name}`),
    );
    expect(known).toEqual(expect.arrayContaining([...new Set(references)]));
  });
});

describe('requests', () => {
  test('an ad hoc job becomes a definition and is submitted', async () => {
    const { operator, socketPath } = await serve();
    operator.answer = () => ({ ok: true, run: 'copy/1', message: 'copy/1 is starting' });
    const body = {
      name: 'copy',
      command: ['rsync', '-a'],
      environment: { LANG: 'C' },
      workingDirectory: '/srv',
    };
    const { status, json } = await call(socketPath, 'POST', '/v1/jobs', JSON.stringify(body));
    expect(status).toBe(201);
    expect(json).toEqual({ run: 'copy/1', message: 'copy/1 is starting' });
    expect(operator.asked).toEqual([{ type: 'submit', definition: makeDefinition(body) }]);
  });

  test.each([
    ['no command', { name: 'copy' }, 'body.command: '],
    ['an empty command', { name: 'copy', command: [] }, 'body.command: names no program'],
    ['an argument that is no text', { name: 'copy', command: ['a', 1] }, 'body.command[1]: '],
    ['a NUL character', { name: 'copy', command: ['a\0b'] }, 'body.command[0]: contains a NUL'],
    [
      'a name that is a path',
      { name: '../x', command: ['a'] },
      'body.name: expected a name of 1 to 128',
    ],
    ['an unknown key', { name: 'copy', command: ['a'], shell: true }, 'Unrecognized key: "shell"'],
    [
      'a relative directory',
      { name: 'copy', command: ['a'], workingDirectory: 'srv' },
      'body.workingDirectory: is not an absolute path',
    ],
    [
      'a broken variable name',
      { name: 'copy', command: ['a'], environment: { 'A=B': 'x' } },
      'body.environment',
    ],
    [
      'what the definition refuses',
      { name: 'copy', command: ['a'], progress: { parser: 'regex' } },
      'body: progress.pattern: is missing',
    ],
  ])(
    'a body with %s is refused, with the place, and asks nothing',
    async (_what, body, message) => {
      const { operator, socketPath } = await serve();
      const { status, json } = await call(socketPath, 'POST', '/v1/jobs', JSON.stringify(body));
      expect(status).toBe(400);
      expect(json).toMatchObject({
        error: { code: 'invalid', message: expect.stringContaining(message) as string },
      });
      expect(operator.asked).toEqual([]);
    },
  );

  test('start, cancel, drain and resume reach the operator port', async () => {
    const { operator, socketPath } = await serve();
    const codes = [
      await call(socketPath, 'POST', '/v1/jobs/copy/start'),
      await call(socketPath, 'POST', '/v1/jobs/copy/cancel'),
      await call(socketPath, 'POST', '/v1/jobs/copy/cancel', '{"grace":"2m","by":"anna"}'),
      await call(socketPath, 'POST', '/v1/drain'),
      await call(socketPath, 'POST', '/v1/resume', '{}'),
      await call(socketPath, 'POST', '/v1/reload'),
    ].map(({ status }) => status);
    expect(codes).toEqual([202, 202, 202, 200, 200, 200]);
    expect(operator.asked).toEqual([
      { type: 'start', job: 'copy' },
      { type: 'cancel', job: 'copy', by: 'operator' },
      { type: 'cancel', job: 'copy', by: 'anna', graceMs: 120_000 },
      { type: 'drain' },
      { type: 'resume' },
    ]);
  });

  test.each(['30', '0s', '-5s', '1.5h', '5 m', 'soon', 30])(
    'a grace of %j is no duration',
    async (grace) => {
      const { operator, socketPath } = await serve();
      const { status, json } = await call(
        socketPath,
        'POST',
        '/v1/jobs/copy/cancel',
        JSON.stringify({ grace }),
      );
      expect(status).toBe(400);
      expect(json).toMatchObject({
        error: { message: expect.stringContaining('body.grace') as string },
      });
      expect(operator.asked).toEqual([]);
    },
  );

  test.each([
    ['no-such-job', 404],
    ['conflict', 409],
    ['invalid', 400],
  ] as const)('a reply of %s is the status %i', async (code, status) => {
    const { operator, socketPath } = await serve();
    operator.answer = () => ({ ok: false, code, message: 'not now' });
    const answer = await call(socketPath, 'POST', '/v1/jobs/copy/start');
    expect(answer.status).toBe(status);
    expect(answer.json).toEqual({ error: { code, message: 'not now' } });
  });

  test('a configuration that was refused is answered with its problems', async () => {
    const { operator, socketPath } = await serve();
    operator.reloadReply = {
      ok: false,
      code: 'invalid',
      message: 'config.yaml:3:1 jobs: is missing',
    };
    const { status, json } = await call(socketPath, 'POST', '/v1/reload');
    expect(status).toBe(400);
    expect(json).toEqual({
      error: { code: 'invalid', message: 'config.yaml:3:1 jobs: is missing' },
    });
  });

  test('a fault of the agent is logged; the answer does not contain its message', async () => {
    const lines: unknown[][] = [];
    const { operator, socketPath } = await serve({
      log: { write: (level, event, _msg, fields) => lines.push([level, event, fields['err']]) },
    });
    const fault = new Error('secret inside');
    operator.answer = () => Promise.reject(fault);
    const { status, text } = await call(socketPath, 'POST', '/v1/drain');
    expect(status).toBe(500);
    expect(text).not.toContain('secret');
    expect(lines.filter(([level]) => level === 'error')).toEqual([
      ['error', 'control.failed', fault],
    ]);
  });
});

describe('what is malformed', () => {
  test.each([
    ['an unknown path', 'GET', '/v2/status', undefined, undefined, 404, 'no-such-page'],
    ['a badly encoded name', 'GET', '/v1/jobs/%ff', undefined, undefined, 400, 'invalid'],
    ['a wrong method', 'DELETE', '/v1/jobs/copy', undefined, undefined, 405, 'method-not-allowed'],
    ['an unknown query', 'GET', '/v1/status?verbose=1', undefined, undefined, 400, 'invalid'],
    ['broken JSON', 'POST', '/v1/jobs', '{"name":', undefined, 400, 'invalid'],
    ['no JSON object', 'POST', '/v1/jobs', '[]', undefined, 400, 'invalid'],
    ['no UTF-8', 'POST', '/v1/jobs', Buffer.from([0x22, 0xff, 0x22]), undefined, 400, 'invalid'],
    [
      'another media type',
      'POST',
      '/v1/drain',
      'a=b',
      'application/x-www-form-urlencoded',
      415,
      'unsupported-media-type',
    ],
    [
      'a body of over a megabyte',
      'POST',
      '/v1/jobs',
      Buffer.alloc(1024 * 1024 + 1, 0x20),
      undefined,
      413,
      'too-big',
    ],
  ])('%s is refused', async (_what, method, path, body, type, status, code) => {
    const { socketPath } = await serve();
    const answer = await call(socketPath, method, path, body, type);
    expect(answer.status).toBe(status);
    expect(answer.json).toMatchObject({ error: { code } });
    expect((await call(socketPath, 'GET', '/v1/status')).status).toBe(200);
  });

  test('the answer to a wrong method names the right one', async () => {
    const { socketPath } = await serve();
    const { headers } = await call(socketPath, 'PUT', '/v1/drain');
    expect(headers['allow']).toBe('POST');
  });

  test('an endless body ends in 413, not in memory', async () => {
    const { socketPath } = await serve();
    const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`;
    const head =
      'POST /v1/jobs HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n';
    // It is answered before it ends, which it never does.
    const text = await sendRaw(socketPath, `${head}${chunk.repeat(17)}`);
    expect(text).toMatch(/^HTTP\/1.1 413 /);
  });

  test('what is no HTTP gets one answer and the line is cut', async () => {
    const { socketPath } = await serve();
    expect(await sendRaw(socketPath, 'EHLO you\r\n\r\n')).toMatch(/^HTTP\/1.1 400 [^]*"invalid"/);
    const long = `GET /v1/status HTTP/1.1\r\nhost: ${'a'.repeat(20_000)}\r\n\r\n`;
    expect(await sendRaw(socketPath, long)).toMatch(/^HTTP\/1.1 431 /);
    expect((await call(socketPath, 'GET', '/v1/status')).status).toBe(200);
  });

  test('a client that never ends its request is cut off', async () => {
    const { socketPath } = await serve({ requestTimeoutMs: 100 });
    expect(await sendRaw(socketPath, 'GET /v1/status HTTP/1.1\r\nhos')).toMatch(/^HTTP\/1.1 408 /);
    const unfinished =
      'POST /v1/jobs HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{';
    expect(await sendRaw(socketPath, unfinished)).toMatch(/^HTTP\/1.1 408 /);
  });

  test('a client that goes away in the middle of its request harms nobody', async () => {
    const lines: unknown[] = [];
    const log = { write: (...line: unknown[]) => lines.push(line[1]) };
    const { operator, socketPath } = await serve({ log });
    let asked: (() => void) | undefined;
    const reached = new Promise<void>((resolve) => (asked = resolve));
    operator.answer = async () => {
      asked?.();
      await new Promise((resolve) => setImmediate(resolve));
      return { ok: true, message: 'done' };
    };
    const { connect } = await import('node:net');
    const socket = connect(socketPath);
    socket.write('POST /v1/drain HTTP/1.1\r\nhost: a\r\n\r\n');
    await reached;
    socket.destroy();
    const half = connect(socketPath);
    half.write('POST /v1/jobs HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n{', () =>
      half.destroy(),
    );
    await new Promise((resolve) => half.once('close', resolve));
    expect((await call(socketPath, 'GET', '/v1/status')).status).toBe(200);
    expect(lines).toEqual(['control.requested']);
  });
});

describe('the socket file', () => {
  test('is for its owner and group, and gone after close', async () => {
    const { socketPath, close } = await serve();
    expect((await stat(socketPath)).mode & 0o777).toBe(0o660);
    await close();
    await expect(stat(socketPath)).rejects.toThrow('ENOENT');
  });

  const serverAt = (socketPath: string) =>
    createControlServer({
      operator: new OperatorInMemory(),
      socketPath,
      version: '0',
      openLog: () => new RunLog('/none'),
      makeDefinition,
      makeTracked,
      adHoc: () => ({ policy: 'group', agentUid: process.getuid?.() }),
      plainDetail: (text) => text,
    });

  test('is refused while another agent answers there, which goes on', async () => {
    const { socketPath } = await serve();
    await expect(serverAt(socketPath).listen()).rejects.toThrow(
      `another agent answers on ${socketPath}`,
    );
    expect((await call(socketPath, 'GET', '/v1/status')).status).toBe(200);
  });

  test('is taken over when it was left behind by an agent that was killed', async () => {
    const directory = await temporaryDirectory();
    const socketPath = join(directory, 'agent.sock');
    // A listener whose file is moved away before it closes leaves that file behind, as a kill does.
    const { rename } = await import('node:fs/promises');
    const dead = createServer();
    await new Promise<void>((resolve) => dead.listen(join(directory, 'first'), resolve));
    await rename(join(directory, 'first'), socketPath);
    await new Promise((resolve) => dead.close(resolve));
    expect((await stat(socketPath)).isSocket()).toBe(true);

    const server = serverAt(socketPath);
    await server.listen();
    expect((await call(socketPath, 'GET', '/v1/status')).status).toBe(200);
    await server.close();
  });

  test('is left alone when it is something else', async () => {
    const directory = await temporaryDirectory();
    const path = join(directory, 'precious');
    await writeFile(path, 'data');
    await expect(serverAt(path).listen()).rejects.toThrow('is not a socket; it was left alone');
    await symlink(path, join(directory, 'link'));
    await expect(serverAt(join(directory, 'link')).listen()).rejects.toThrow('is not a socket');
    expect((await stat(path)).size).toBe(4);
  });

  test('has a path that the kernel can hold, and its directory is made', async () => {
    const directory = await temporaryDirectory();
    await expect(serverAt(join(directory, 'x'.repeat(100))).listen()).rejects.toThrow(
      'longer than 107 bytes',
    );
    const server = serverAt(join(directory, 'run', 'agent.sock'));
    await server.listen();
    await server.close();
  });

  test('close does not wait for a client that holds its connection', async () => {
    const { socketPath, close } = await serve();
    const { connect } = await import('node:net');
    const socket = connect(socketPath);
    socket.write('POST /v1/jobs HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n{');
    const cut = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => {});
    await eventually(() => expect(socket.bytesWritten).toBeGreaterThan(0));
    await close();
    await cut;
  });
});
