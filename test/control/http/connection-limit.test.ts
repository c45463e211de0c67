/** Which connection gives way when there are too many: the one that has been silent longest, never one that is being answered. */
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { boundConnections } from '../../../src/control/http/connection-limit.ts';
import { eventually } from '../../support/until.ts';

interface Line {
  readonly socket: Socket;
  text: string;
  isClosed: boolean;
}

const REQUEST = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';

async function serverOf(connectionsMax: number): Promise<{
  open: (bytes?: string) => Promise<Line>;
  answers: ServerResponse[];
}> {
  const answers: ServerResponse[] = [];
  let count = 0;
  const server = createServer((_request, response) => answers.push(response));
  boundConnections(server, connectionsMax);
  server.on('connection', () => (count += 1));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const open = async (bytes = ''): Promise<Line> => {
    const [before, answered] = [count, answers.length];
    const socket = connect(port, '127.0.0.1');
    const line: Line = { socket, text: '', isClosed: false };
    onTestFinished(() => void socket.destroy());
    socket.on('data', (piece) => (line.text += piece.toString()));
    socket.on('error', () => undefined);
    socket.on('close', () => (line.isClosed = true));
    await eventually(() => expect(count).toBe(before + 1));
    if (bytes !== '') {
      socket.write(bytes);
      await eventually(() => expect(answers).toHaveLength(answered + 1));
    }
    return line;
  };
  return { open, answers };
}

test('up to the limit all stay; one more replaces the oldest that asked for nothing', async () => {
  const { open } = await serverOf(2);
  const lines = [await open(), await open()];
  const third = await open();
  await eventually(() => expect(lines[0]!.isClosed).toBe(true));
  expect([lines[1]!.isClosed, third.isClosed]).toEqual([false, false]);
});

test('one that is being answered stays: the silent one beside it goes', async () => {
  const { open, answers } = await serverOf(2);
  const busy = await open(REQUEST);
  const silent = await open();
  await open();
  await eventually(() => expect(silent.isClosed).toBe(true));
  answers[0]!.end('done');
  await eventually(() => expect(busy.text).toContain('done'));
});

test('one that was answered counts from its answer: the one that came later and asked for nothing goes first', async () => {
  const { open, answers } = await serverOf(2);
  const first = await open(REQUEST);
  const second = await open();
  answers[0]!.end('done');
  await eventually(() => expect(first.text).toContain('done'));
  await open();
  await eventually(() => expect(second.isClosed).toBe(true));
  expect(first.isClosed).toBe(false);
});

test('while all are being answered, a new one is told so and closed', async () => {
  const { open, answers } = await serverOf(1);
  const busy = await open(REQUEST);
  const refused = await open();
  await eventually(() => expect(refused.isClosed).toBe(true));
  expect(refused.text).toMatch(/^HTTP\/1\.1 503 [^]*"code":"busy"/);
  answers[0]!.end('done');
  await eventually(() => expect(busy.text).toContain('done'));
});

test('one that has left makes room', async () => {
  const { open } = await serverOf(2);
  const first = await open();
  const second = await open();
  first.socket.destroy();
  await eventually(() => expect(first.isClosed).toBe(true));
  const third = await open();
  await open(REQUEST);
  // Only one had to give way for the last.
  await eventually(() => expect(second.isClosed).toBe(true));
  expect(third.isClosed).toBe(false);
});
