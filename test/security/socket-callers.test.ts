/**
 * Members of the socket's group are no administrators: they start, cancel, report and read jobs of the configuration, but
 * the agent lends them none of its rights. Each test is an attack by such a member on a real daemon that runs as root.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPeerReader } from '../../src/system/peer-credentials.ts';
import { createSite } from '../support/daemon.ts';
import type { Site } from '../support/daemon.ts';
import { until } from '../support/until.ts';
import { serve, call } from '../control/control-server-fixture.ts';

const isRoot = process.getuid?.() === 0;
/** A user who is in the socket's group (root's, here) and nothing else. */
const MEMBER = { uid: 54_321, gid: 0 };

interface Answer {
  readonly status: number;
  readonly body: { readonly message?: string; readonly error?: { code: string; message: string } };
}

/** A request by a process of the member's own. */
async function asMember(
  socketPath: string,
  method: string,
  path: string,
  body?: object,
): Promise<Answer> {
  const program = `
    const { request } = require('node:http');
    const [socketPath, method, path, body] = process.argv.slice(1);
    const headers = body ? { 'content-type': 'application/json' } : {};
    request({ socketPath, method, path, headers }, (response) => {
      let text = '';
      response.on('data', (piece) => (text += piece));
      response.on('end', () => process.stdout.write(JSON.stringify({ status: response.statusCode, body: JSON.parse(text) })));
    }).end(body);`;
  const child = spawn(
    process.execPath,
    [
      '-e',
      program,
      socketPath,
      method,
      path,
      ...(body === undefined ? [] : [JSON.stringify(body)]),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], cwd: '/', ...MEMBER },
  );
  let text = '';
  child.stdout.on('data', (piece: Buffer) => (text += piece.toString()));
  await once(child, 'close');
  return JSON.parse(text) as Answer;
}

describe.skipIf(!isRoot)('a member of the group (skipped unless tests are root)', () => {
  let site: Site;
  let socket: string;

  beforeAll(async () => {
    site = await createSite(`jobs:
  named: { command: [touch, DIRECTORY/named-ran] }
`);
    chmodSync(site.directory, 0o755);
    socket = join(site.directory, 'agent.sock');
    await site.start();
    await site.client.post('/v1/jobs', {
      name: 'by-root',
      command: ['touch', join(site.directory, 'by-root-ran')],
    });
    await site.untilJob('by-root', ({ state }) => state === 'succeeded');
  });

  afterAll(() => site.close());

  test('cannot run a command of its own as root; the refusal names the key', async () => {
    const proof = join(site.directory, 'owned');
    const answer = await asMember(socket, 'POST', '/v1/jobs', {
      name: 'evil',
      command: ['touch', proof],
    });
    expect(answer).toMatchObject({ status: 403, body: { error: { code: 'forbidden' } } });
    expect(answer.body.error?.message).toMatch(/agent\.adHoc is "self".*uid 54321/);
    expect((await site.status()).jobs.map(({ name }) => name)).not.toContain('evil');
    expect(existsSync(proof)).toBe(false);
  });

  test('cannot start a command again that root once ran ad hoc', async () => {
    const answer = await asMember(socket, 'POST', '/v1/jobs/by-root/start', {});
    expect(answer).toMatchObject({ status: 403, body: { error: { code: 'forbidden' } } });
    expect((await site.job('by-root')).run).toBe(1);
  });

  test.each(['drain', 'resume', 'reload', 'claim', 'outbox/retry', 'outbox/drop'])(
    'cannot %s; the refusal names the key and who may',
    async (request) => {
      const answer = await asMember(socket, 'POST', `/v1/${request}`, {});
      expect(answer).toMatchObject({ status: 403, body: { error: { code: 'forbidden' } } });
      expect(answer.body.error?.message).toMatch(/root and the user of the agent.*agent\.adHoc/);
    },
  );

  test('may start and read what the configuration names, and root may run anything', async () => {
    expect(await asMember(socket, 'POST', '/v1/jobs/named/start', {})).toMatchObject({
      status: 202,
    });
    expect(await asMember(socket, 'GET', '/v1/jobs/named')).toMatchObject({ status: 200 });
    await site.untilJob('named', ({ state }) => state === 'succeeded');
    await site.client.post('/v1/jobs/by-root/start', {});
    await site.untilJob('by-root', ({ run, state }) => run === 2 && state === 'succeeded');
  });

  const SECRET = '{"detail": "the secret of root", "percent": 42}';

  test.each([
    [
      'a file of root',
      (directory: string) => {
        writeFileSync(join(directory, 'secret.json'), SECRET, { mode: 0o600 });
        return join(directory, 'secret.json');
      },
    ],
    [
      'an open file in a directory of root',
      (directory: string) => {
        mkdirSync(join(directory, 'closed'), { mode: 0o700 });
        writeFileSync(join(directory, 'closed/secret.json'), SECRET, { mode: 0o644 });
        return join(directory, 'closed/secret.json');
      },
    ],
    [
      'the same through a link of its own',
      (directory: string) => {
        symlinkSync(join(directory, 'closed'), join(directory, 'way'));
        return join(directory, 'way/secret.json');
      },
    ],
    [
      'the existence of a file, by a different answer',
      (directory: string) => join(directory, 'closed/none.json'),
    ],
  ])('cannot read %s by tracking it', async (what, prepare) => {
    const name = `spy-${what.replaceAll(/[^a-z]+/g, '-')}`;
    const statusFile = prepare(site.directory);
    expect(await asMember(socket, 'POST', '/v1/tracked', { name, statusFile })).toMatchObject({
      status: 201,
    });
    const job = await site.untilJob(
      name,
      ({ problem, detail }) => problem !== undefined || detail !== undefined,
    );
    expect(job.problem).toContain('may not be read by the user who asked for tracking');
    expect(JSON.stringify(job)).not.toContain('secret of root');
  });

  test('may track a file that it can read, until the file is exchanged for one that it cannot', async () => {
    const own = join(site.directory, 'own');
    mkdirSync(own, { mode: 0o755 });
    const statusFile = join(own, 'status.json');
    writeFileSync(statusFile, '{"percent": 5}', { mode: 0o644 });
    await asMember(socket, 'POST', '/v1/tracked', { name: 'own', statusFile });
    await site.untilJob('own', ({ percent }) => percent === 5);
    writeFileSync(statusFile, SECRET);
    chmodSync(statusFile, 0o600);
    const job = await site.untilJob(
      'own',
      ({ problem, percent }) => problem !== undefined || percent === 42,
    );
    expect(job).toMatchObject({
      percent: 5,
      problem: expect.stringContaining('may not be read') as string,
    });
  });
});

const ASKED = { name: 'x', command: ['id'] };

describe('who may run what the configuration does not name', () => {
  const peer = (uid: number) => () => ({ pid: 1, uid, groups: [uid] });
  test.each([
    ['self', 0, 201],
    ['self', 998, 201],
    ['self', 1000, 403],
    ['self', undefined, 403],
    ['group', 1000, 201],
    ['group', undefined, 201],
    ['off', 0, 403],
    ['off', 998, 403],
  ] as const)('agent.adHoc: %s, asked by uid %s: %i', async (policy, uid, status) => {
    const { operator, socketPath } = await serve({
      adHoc: () => ({ policy, agentUid: 998 }),
      ...(uid === undefined ? {} : { readPeer: peer(uid) }),
    });
    const answer = await call(socketPath, 'POST', '/v1/jobs', JSON.stringify(ASKED));
    expect(answer.status).toBe(status);
    await call(socketPath, 'POST', '/v1/jobs/y/start', '{}');
    const start = operator.asked.find(({ type }) => type === 'start');
    expect('adHocRefusal' in start!).toBe(status === 403);
    if (status === 403) expect(answer.text).toContain('agent.adHoc');
  });

  test('the groups of a caller are known, those beside its main group too', async () => {
    const readPeer = await createPeerReader();
    let groups: readonly number[] = [];
    const { socketPath } = await serve({
      readPeer: (fd) => {
        const found = readPeer(fd);
        groups = found?.groups ?? [];
        return found;
      },
    });
    await call(socketPath, 'POST', '/v1/drain', '{}');
    expect(new Set(groups)).toEqual(new Set([process.getgid!(), ...process.getgroups!()]));
  });
});

test('many large requests together do not fill the memory', async () => {
  const { socketPath } = await serve();
  const { request } = await import('node:http');
  const answers: number[] = [];
  const piece = Buffer.alloc(8 * 1024 * 1024, 0x20);
  const clients = Array.from({ length: 8 }, () => {
    const client = request(
      {
        socketPath,
        method: 'POST',
        path: '/v1/reports',
        headers: { 'content-type': 'application/json' },
      },
      (response) => {
        answers.push(response.statusCode ?? 0);
        response.resume();
      },
    );
    client.on('error', () => undefined);
    client.write(piece);
    return client;
  });
  await until('somebody is refused', () => answers.includes(503));
  for (const client of clients) client.destroy();
  // Their memory is given back: the next one is served.
  await until(
    'the memory is free',
    async () =>
      (await call(socketPath, 'POST', '/v1/reports', '{"name":"a","percent":1}')).status === 200,
  );
});
