/**
 * Whatever comes over the socket or the port, the agent answers it with a clear error and goes on: a sample here, ten
 * thousand by `npm run test:hostile`.
 */
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';

import { expect, onTestFinished, test } from 'vitest';

import { createClient } from '../../../src/cli/client/client.ts';
import { createHttpListener } from '../../../src/control/http/tcp-listener.ts';
import { createRegistry } from '../../../src/control/metrics.ts';
import type { Status } from '../../../src/core/model/status.ts';
import { createRandom } from '../../../src/system/random.ts';
import { call, serve } from '../control-server-fixture.ts';
import { malformedRequest } from './malformed-requests.ts';
import { OperatorInMemory } from '../operator-in-memory.ts';
import { IS_LONG } from '../../support/long-run.ts';
import { eventually } from '../../support/until.ts';

const REQUESTS = Number(process.env['REQUESTS'] ?? (IS_LONG ? 600 : 240));
const SEED = Number(process.env['SEED'] ?? 20_261_124);
const AT_ONCE = 16;

type Address = { readonly path: string } | { readonly host: string; readonly port: number };

/** All that came back until the other end closed. A client that has sent everything half-closes. */
function answerTo(address: Address, bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(address);
    let text = '';
    socket.on('data', (piece) => (text += piece.toString('latin1')));
    socket.once('close', () => resolve(text));
    // EPIPE: it was answered before it had sent everything.
    socket.on('error', () => undefined);
    socket.end(bytes);
  });
}

async function sendMalformed(address: Address, clear: RegExp): Promise<void> {
  const random = createRandom(SEED);
  const seen = new Map<string, number>();
  for (let sent = 0; sent < REQUESTS; sent += AT_ONCE) {
    const batch = Array.from({ length: AT_ONCE }, () => malformedRequest(random));
    const answers = await Promise.all(batch.map(({ bytes }) => answerTo(address, bytes)));
    for (const [index, answer] of answers.entries()) {
      const { what, bytes } = batch[index] ?? { what: '', bytes: Buffer.alloc(0) };
      expect(answer, `${what}, seed ${SEED}: ${JSON.stringify(bytes.toString('latin1'))}`).toMatch(
        clear,
      );
      seen.set(what, (seen.get(what) ?? 0) + 1);
    }
  }
  expect(seen.size).toBe(16);
}

function openFiles(): number {
  return readdirSync('/proc/self/fd').length;
}

async function listenOnPort(): Promise<{ host: string; port: number }> {
  const operator = new OperatorInMemory();
  const registry = createRegistry(operator);
  const listener = createHttpListener({ listen: '127.0.0.1:0', operator, registry });
  const address = await listener.listen();
  onTestFinished(() => listener.close());
  return address;
}

const LONG = { timeout: 600_000 };

test('malformed requests to the socket are each answered with what is wrong', LONG, async () => {
  const lines: unknown[] = [];
  const { operator, socketPath } = await serve({ log: { write: (...line) => lines.push(line) } });
  const before = openFiles();
  await sendMalformed(
    { path: socketPath },
    /^HTTP\/1\.1 4\d\d [^]*\r\n\r\n\{"error":\{"code":"[a-z-]+","message":"[^"].+"\}\}\n$/,
  );
  expect(operator.asked).toEqual([]);
  expect(lines).toEqual([]);
  expect((await call(socketPath, 'GET', '/v1/status')).status).toBe(200);
  await eventually(() => expect(openFiles()).toBeLessThanOrEqual(before + 4));
});

test(
  'malformed requests to the read-only listener are refused, whatever they ask for',
  LONG,
  async () => {
    const address = await listenOnPort();
    const before = openFiles();
    // Of what the generator makes, only `GET /` is a page there.
    await sendMalformed(
      address,
      /^HTTP\/1\.1 (?:4\d\d [^]*\r\n\r\n.+|200 [^]*<title>migration-agent)/,
    );
    expect(await answerTo(address, Buffer.from('GET /healthz HTTP/1.0\r\n\r\n'))).toMatch(
      / 200 OK/,
    );
    await eventually(() => expect(openFiles()).toBeLessThanOrEqual(before + 4));
  },
);

/** Connections that stay. Resolves when each is open or refused. */
async function crowd(address: Address, count: number, bytes: string): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (let opened = 0; opened < count; opened += 100) {
    await Promise.all(
      Array.from({ length: Math.min(100, count - opened) }, () => {
        const socket = connect(address);
        sockets.push(socket);
        socket.on('error', () => undefined);
        return new Promise<void>((resolve) => {
          socket.once('connect', () => {
            if (bytes !== '') socket.write(bytes);
            resolve();
          });
          socket.once('close', resolve);
        });
      }),
    );
  }
  return sockets;
}

/** More than the agent holds, 256, and the kernel keeps for it besides, 511. */
const CROWD = IS_LONG ? 2_000 : 1_000;
const HALF_A_HEADER = 'GET /v1/status HTTP/1.1\r\nhost: a\r\nx: ';
const HALF_A_BODY =
  'POST /v1/jobs HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{"na';

test.each([
  ['that send nothing', ''],
  ['that never end their header', HALF_A_HEADER],
  ['that never end their body', HALF_A_BODY],
])(`an operator is answered at once among ${CROWD} connections %s`, async (_what, bytes) => {
  const { socketPath } = await serve();
  const sockets = await crowd({ path: socketPath }, CROWD, bytes);
  // By the client of the commands: it knows that a full line is no absent agent.
  const client = createClient(socketPath);
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => client.get<Status>('/v1/status')),
  );
  expect(answers.map(({ schema }) => schema)).toEqual(Array<number>(20).fill(1));
  // The agent holds no more of them than it means to.
  await eventually(() =>
    expect(sockets.filter((socket) => !socket.destroyed).length).toBeLessThanOrEqual(256),
  );
});

test.each([
  ['that send nothing', ''],
  ['that never end their header', HALF_A_HEADER],
])(`the read-only listener answers among ${CROWD} connections %s`, async (_what, bytes) => {
  const address = await listenOnPort();
  const sockets = await crowd(address, CROWD, bytes);
  const answer = await answerTo(address, Buffer.from('GET /healthz HTTP/1.0\r\n\r\n'));
  expect(answer).toMatch(/ 200 OK/);
  await eventually(() =>
    expect(sockets.filter((socket) => !socket.destroyed).length).toBeLessThanOrEqual(256),
  );
});

test('a reader of events that has gone half does not keep its place', async () => {
  const { operator, socketPath } = await serve();
  const readers = await crowd(
    { path: socketPath },
    32,
    'GET /v1/events HTTP/1.1\r\nhost: a\r\n\r\n',
  );
  await eventually(() => expect(readers.every((socket) => socket.bytesRead > 0)).toBe(true));
  for (const socket of readers) socket.resume().end();
  await eventually(async () => {
    const answer = await answerTo(
      { path: socketPath },
      Buffer.from('GET /v1/events HTTP/1.1\r\nhost: a\r\n\r\n'),
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  });
  operator.emit({ at: { wallMs: 0, bootMs: 0 }, event: 'run.ended', fields: {} });
  expect((await call(socketPath, 'GET', '/v1/status')).status).toBe(200);
});
