/**
 * The API of a running daemon: each of its answers, errors too, is as its OpenAPI document says, and the clients that
 * config/api.md shows work as they stand.
 */
import { execFile, spawnSync } from 'node:child_process';
import type { ExecFileOptions } from 'node:child_process';
import { request } from 'node:http';
import { connect } from 'node:net';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import openapiTS, { astToString } from 'openapi-typescript';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createSite, isDelivered } from '../support/daemon.ts';
import type { Site } from '../support/daemon.ts';
import { Contract } from '../support/openapi.ts';
import type { Exchange, OpenApi } from '../support/openapi.ts';
import { until } from '../support/until.ts';
import { IS_LONG, ONLY_LONG } from '../support/long-run.ts';

const ROOT = join(import.meta.dirname, '../..');
const GUIDE = readFileSync(join(ROOT, 'config/api.md'), 'utf8');

const CONFIGURATION = `migrationHub: { progressUpdateStream: test }
dataPipeline: { workerGroups: [files] }
jobs:
  nightly-files: { command: [sh, -c, 'echo 40%; echo oh >&2'], progress: { parser: percent } }
  fails: { command: [sh, -c, 'exit 3'] }
  sleeps: { command: [sleep, '600'] }
  idle: { command: ['true'] }
`;

let site: Site;
let contract: Contract;
/** Every exchange of this file, by operation and status. */
const seen = new Set<string>();

beforeAll(async () => {
  site = await createSite(CONFIGURATION);
  await site.start();
  contract = new Contract(await site.client.get<OpenApi>('/v1/openapi.json'));
});
afterAll(async () => {
  await site.close();
});

/** Sends a request and holds the answer against the document. */
async function ask(method: string, path: string, body?: unknown): Promise<Exchange> {
  const exchange = await exchanged(method, path, body === undefined ? '' : JSON.stringify(body));
  expect(contract.problems(exchange), `${method} ${path}: ${JSON.stringify(exchange)}`).toEqual([]);
  if (body !== undefined && exchange.status < 300) {
    expect(contract.bodyProblems(method, path, body), `body of ${path}`).toEqual([]);
  }
  seen.add(`${contract.operationOf(method, path)} ${exchange.status}`);
  return exchange;
}

/** Of a stream only what comes first. */
function exchanged(
  method: string,
  path: string,
  body: string,
  type = 'application/json',
): Promise<Exchange> {
  return new Promise((resolve, reject) => {
    const socketPath = join(site.directory, 'agent.sock');
    const headers = body === '' ? {} : { 'content-type': type };
    const sent = request({ socketPath, method, path, headers }, (response) => {
      const [mediaType = ''] = (response.headers['content-type'] ?? '').split(';');
      const answer = { method, path, status: response.statusCode ?? 0, mediaType };
      const pieces: Buffer[] = [];
      const done = (): void => {
        const text = Buffer.concat(pieces).toString();
        const json = mediaType === 'application/json' ? (JSON.parse(text) as unknown) : undefined;
        resolve({ ...answer, json });
        response.destroy();
      };
      response.on('data', (piece: Buffer) => {
        pieces.push(piece);
        if (mediaType === 'text/event-stream') done();
      });
      response.once('end', done);
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

describe('each answer is as the document says', () => {
  test('of a job: started, running, canceled, with its records', async () => {
    await ask('POST', '/v1/jobs/nightly-files/start', {});
    await site.untilJob('nightly-files', isDelivered);
    await ask('POST', '/v1/jobs/fails/start');
    await site.untilJob('fails', isDelivered);
    await ask('POST', '/v1/jobs/sleeps/start');
    await site.untilJob('sleeps', ({ state }) => state === 'running');
    for (const name of ['nightly-files', 'fails', 'sleeps', 'idle']) {
      await ask('GET', `/v1/jobs/${name}`);
      await ask('GET', `/v1/jobs/${name}/events`);
    }
    await ask('GET', '/v1/jobs');
    await ask('GET', '/v1/names');
    await ask('GET', '/v1/status');
    await ask('GET', '/v1/jobs/nightly-files/logs?tail=5');
    await ask('GET', '/v1/jobs/nightly-files/logs?stream=stderr&run=1');
    await ask('GET', '/v1/jobs/nightly-files/output');
    await ask('GET', '/v1/status?job=nightly-files');
    const history = await ask('GET', '/v1/jobs/nightly-files/history');
    expect(history.json).toMatchObject({ stream: 'test', task: 'nightly-files' });
    await ask('POST', '/v1/jobs/sleeps/cancel', { grace: '1s', by: 'anna' });
    await site.untilJob('sleeps', isDelivered);
    await ask('GET', '/v1/jobs/sleeps');
  });

  test('of work that others run, one and many', async () => {
    await ask('POST', '/v1/tracked', { name: 'one', migrationHub: false });
    await ask('POST', '/v1/tracked', [{ name: 'two' }, { name: 'one' }]);
    await ask('POST', '/v1/reports', [
      { name: 'two', percent: 40, detail: 'halfway' },
      { name: 'nobody', percent: 1 },
    ]);
    await ask('POST', '/v1/reports', { name: 'one', status: 'completed' });
    await ask('GET', '/v1/jobs/two');
  });

  test('of commands, the outbox and the agent', async () => {
    await ask('POST', '/v1/jobs', {
      name: 'ad-hoc',
      command: ['true'],
      progress: { parser: 'none' },
    });
    await ask('GET', '/v1/outbox');
    await ask('POST', '/v1/outbox/retry', { job: 'fails' });
    await ask('POST', '/v1/outbox/drop', {});
    await ask('POST', '/v1/drain');
    await ask('POST', '/v1/resume');
    await ask('POST', '/v1/reload');
    await ask('GET', '/v1/openapi.json');
    await ask('GET', '/v1/events?after=0-0');
  });

  test('while reports wait: the service is away, the outbox is full, the history cannot be read', async () => {
    site.simulator.addFault({ operation: 'NotifyMigrationTaskState', fault: 'deny' });
    site.simulator.addFault({ operation: 'ListMigrationTaskUpdates', fault: 'deny' });
    await ask('POST', '/v1/jobs/fails/start');
    await site.untilJob('fails', ({ endedAt, run }) => endedAt !== undefined && run === 2);
    let outbox: Exchange | undefined;
    await until('the outbox has an error', async () => {
      outbox = await ask('GET', '/v1/outbox');
      return JSON.stringify(outbox.json).includes('lastError');
    });
    expect(outbox?.json).toMatchObject({
      outbox: expect.arrayContaining([
        expect.objectContaining({ job: 'fails', run: 2 }),
      ]) as unknown,
    });
    expect((await ask('GET', '/v1/status')).json).toMatchObject({ agent: { health: 'degraded' } });
    expect((await ask('GET', '/v1/jobs/fails/history')).status).toBeGreaterThanOrEqual(400);
    site.simulator.clearFaults();
  });

  test('of requests that are refused', async () => {
    const refused: (readonly [number, string, string, unknown?])[] = [
      [400, 'GET', '/v1/jobs?x=1'],
      [400, 'GET', '/v1/jobs/%ff'],
      [400, 'POST', '/v1/jobs', { name: 'no-command' }],
      [400, 'POST', '/v1/jobs/sleeps/cancel', { grace: 'soon' }],
      [400, 'POST', '/v1/tracked', [{ name: 'x', pid: -1 }]],
      [400, 'POST', '/v1/reports', { name: 'one' }],
      [400, 'GET', '/v1/jobs/nightly-files/logs?run=99'],
      [404, 'GET', '/v1/jobs/nobody'],
      [404, 'GET', '/v1/jobs/nobody/events'],
      [404, 'GET', '/v1/jobs/nobody/history'],
      [404, 'GET', '/v1/jobs/nobody/logs'],
      [404, 'POST', '/v1/jobs/nobody/start'],
      [404, 'POST', '/v1/jobs/nobody/cancel'],
      [404, 'POST', '/v1/reports', { name: 'nobody', percent: 3 }],
      [409, 'GET', '/v1/jobs/idle/logs'],
      [409, 'POST', '/v1/jobs/idle/cancel'],
      [409, 'POST', '/v1/claim'],
      [413, 'POST', '/v1/jobs', { name: 'big', command: ['x'.repeat(1024 * 1024)] }],
    ];
    for (const [status, method, path, body] of refused) {
      expect([path, (await ask(method, path, body)).status]).toEqual([path, status]);
    }
    const other = await exchanged('POST', '/v1/drain', 'a=b', 'text/plain');
    expect(other.status).toBe(415);
    expect(contract.problems(other)).toEqual([]);
  });

  test('of a caller who may not run commands', async () => {
    const text = readFileSync(site.configuration, 'utf8');
    writeFileSync(site.configuration, text.replace('agent: {', 'agent: { adHoc: off,'));
    await ask('POST', '/v1/reload');
    expect((await ask('POST', '/v1/jobs', { name: 'x', command: ['true'] })).status).toBe(403);
    writeFileSync(site.configuration, 'jobs: [');
    expect((await ask('POST', '/v1/reload')).status).toBe(400);
    writeFileSync(site.configuration, text);
    await ask('POST', '/v1/reload');
  });

  test('of what is not even a request', async () => {
    const socket = connect(join(site.directory, 'agent.sock'));
    const text = await new Promise<string>((resolve, reject) => {
      let all = '';
      socket.on('data', (piece) => (all += piece.toString()));
      socket.once('close', () => resolve(all));
      socket.once('error', reject);
      socket.write('EHLO you\r\n\r\n');
    });
    const json = JSON.parse(text.split('\r\n\r\n')[1] ?? '') as unknown;
    const exchange = { method: 'GET', path: '/v1/status', mediaType: 'application/json', json };
    expect(contract.problems({ ...exchange, status: 400 })).toEqual([]);
  });

  test('every operation was asked, and answered well at least once', () => {
    const operations = Object.entries(contract.document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    const answered = [...seen]
      .filter((exchange) => / 20[0-2]$/.test(exchange))
      .map((exchange) => exchange.slice(0, -4));
    // There is nothing to claim on a host that the state was made on; it was refused above.
    expect(operations.filter((operation) => !answered.includes(operation))).toEqual([
      'post /v1/claim',
    ]);
  });

  test('an answer with a field more or less is noticed', async () => {
    const exchange = await ask('GET', '/v1/jobs/idle');
    const job = exchange.json as object;
    const differing = [
      { ...job, more: 1 },
      { ...job, name: undefined },
      { ...job, percent: '4' },
    ];
    for (const json of differing) {
      expect(contract.problems({ ...exchange, json })).not.toEqual([]);
    }
    expect(contract.problems({ ...exchange, status: 418 })).not.toEqual([]);
    expect(contract.problems({ ...exchange, mediaType: 'text/html' })).not.toEqual([]);
  });
});

describe('config/api.md', () => {
  const blocks = (language: string): string[] =>
    [...GUIDE.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(
      ([, block = '']) => block,
    );
  const needed = ['curl', 'jq'].filter((tool) => spawnSync(tool, ['--version']).status !== 0);

  test.skipIf(needed.length > 0)(
    `the lines for a shell work (skipped without curl and jq)`,
    async () => {
      const lines = blocks('sh').flatMap((block) => block.trim().split('\n'));
      expect(lines.length).toBe(6);
      for (const line of lines) {
        const command = line.replaceAll('/run/migration-agent/agent.sock', './agent.sock');
        const { code, output } = await spawned('sh', ['-c', command], { cwd: site.directory });
        expect([line, code]).toEqual([line, 0]);
        expect(output, line).not.toContain('"error"');
      }
      expect(await site.job('copy-of-disks')).toMatchObject({ state: 'succeeded', percent: 100 });
    },
  );

  test.skipIf(!IS_LONG)(
    `the client in TypeScript compiles against the types of the document, and runs${ONLY_LONG}`,
    async () => {
      const [client = ''] = blocks('ts');
      const types = astToString(await openapiTS(JSON.stringify(contract.document)));
      writeFileSync(join(site.directory, 'agent-api.d.ts'), types);
      writeFileSync(join(site.directory, 'client.ts'), client);
      writeFileSync(join(site.directory, 'package.json'), '{"type":"module"}');
      symlinkSync(join(ROOT, 'node_modules'), join(site.directory, 'node_modules'));
      const flags =
        '--noEmit --strict --target es2024 --module nodenext --types node --allowImportingTsExtensions --skipLibCheck';
      const compiled = await spawned(
        process.execPath,
        [join(ROOT, 'node_modules/typescript/bin/tsc'), ...flags.split(' '), 'client.ts'],
        { cwd: site.directory },
      );
      expect(compiled).toEqual({ code: 0, output: '' });

      const environment = { ...process.env, MIGRATION_AGENT_SOCKET: 'agent.sock' };
      const ran = await spawned(process.execPath, ['client.ts'], {
        cwd: site.directory,
        env: environment,
      });
      expect(ran.code, ran.output).toBe(0);
      expect(ran.output).toMatch(/nightly-files succeeded 100 %\n$/);
    },
  );
});

/** The site's simulator lives in this process, so a command must not block it. */
function spawned(
  command: string,
  args: readonly string[],
  options: ExecFileOptions,
): Promise<{ code: unknown; output: string }> {
  return new Promise((resolve) => {
    execFile(command, args, options, (error, stdout, stderr) => {
      resolve({
        code: error === null ? 0 : error.code,
        output: `${String(stdout)}${String(stderr)}`,
      });
    });
  });
}
