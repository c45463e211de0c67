/** What `doctor` finds out of the fleet's Redis: a server that speaks its protocol is played here. */
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { probeRedis } from '../../../src/aws/budget/fleet-probe.ts';
import { until } from '../../support/until.ts';

interface Played {
  readonly url: string;
  readonly open: () => number;
}

/** Answers each command (an array of bulk strings) by its name. */
async function redis(answer: (name: string) => string): Promise<Played> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket)).on('error', () => undefined);
    socket.on('data', (bytes) => {
      for (const [, name = ''] of bytes.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)\r\n/g))
        socket.write(answer(name.toLowerCase()));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `redis://:hunter2hunter2@127.0.0.1:${port}`, open: () => sockets.size };
}

const bulk = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;

function info(text: string): (name: string) => string {
  return (name) => (name === 'info' ? bulk(text) : name === 'ping' ? '+PONG\r\n' : '+OK\r\n');
}

test('the version and what happens when its memory is full; the connection is closed', async () => {
  const { url, open } = await redis(
    info('# Server\r\nredis_version:7.2.4\r\nloading:0\r\nmaxmemory_policy:allkeys-lru\r\n'),
  );
  const { tookMs, ...found } = await probeRedis(url);
  expect(found).toEqual({ version: '7.2.4', evictionPolicy: 'allkeys-lru' });
  expect(tookMs).toBeGreaterThanOrEqual(0);
  expect(Number.isInteger(tookMs)).toBe(true);
  await until('the connection is closed', () => open() === 0);
});

test('one that names neither', async () => {
  const { url } = await redis(info('loading:0\r\n'));
  expect(await probeRedis(url)).toEqual({
    version: 'unknown',
    tookMs: expect.any(Number) as number,
  });
});

test('one that refuses this host: its reason, without the password', async () => {
  const { url } = await redis(() => '-WRONGPASS hunter2 redis://:hunter2hunter2@x is wrong\r\n');
  const failed = await probeRedis(url).catch((error: unknown) => error as Error);
  expect(failed).toBeInstanceOf(Error);
  expect((failed as Error).message).toContain('WRONGPASS');
  expect((failed as Error).message).not.toContain('hunter2hunter2');
});

test('one that is not there: the reason of the connection', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  await expect(probeRedis(`redis://127.0.0.1:${port}`)).rejects.toThrow('ECONNREFUSED');
});
