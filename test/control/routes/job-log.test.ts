/** One answer with a job's output: where it begins, where it must end, and what it does with a slow client. */
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { streamLog } from '../../../src/control/routes/job-log.ts';
import type { LogReader } from '../../../src/control/lib/log-reader.ts';
import { eventually } from '../../support/until.ts';

/** A client that takes what it is sent; `isFull`: it has to drain first. */
class Client extends EventEmitter {
  text = '';
  isFull = false;
  hasEnded = false;
  writes = 0;
  writeHead(): this {
    return this;
  }
  flushHeaders(): void {}
  write(bytes: Buffer): boolean {
    this.writes += 1;
    this.text += bytes.toString();
    return !this.isFull;
  }
  end(): void {
    this.hasEnded = true;
  }
}

/** Gives `piece` bytes at a time; before each read `grow` may add some. */
function logOf(state: { text: string }, piece = 4, grow?: () => void): LogReader {
  return {
    begin: () => Promise.resolve(0),
    end: () => Promise.resolve(state.text.length),
    read: (from) => {
      grow?.();
      const bytes = Buffer.from(state.text.slice(from, from + piece));
      return Promise.resolve({ bytes, next: from + bytes.length });
    },
  };
}

function send(
  log: LogReader,
  client: Client,
  rest: { follow?: boolean; isOver?: () => boolean; signal?: AbortSignal } = {},
): Promise<void> {
  return streamLog({
    log,
    tailLines: undefined,
    follow: false,
    isOver: () => false,
    signal: new AbortController().signal,
    response: client as unknown as ServerResponse,
    ...rest,
  });
}

test('without follow the answer is what was there when it began, even if the log grows as fast as it is read', async () => {
  const state = { text: '0123456789' };
  const client = new Client();
  let reads = 0;
  const grow = (): void => {
    reads += 1;
    if (reads > 100) throw new Error('reads on and on');
    state.text += 'later';
  };
  await send(logOf(state, 4, grow), client);
  // The last piece is cut: it holds some of what came later.
  expect(client.text).toBe('0123456789');
});

test('a piece that is longer than what is left is cut, not skipped and not sent whole', async () => {
  const client = new Client();
  const state = { text: '0123' };
  await send(
    logOf(state, 4096, () => (state.text = '0123 and more')),
    client,
  );
  expect(client.text).toBe('0123');
});

test('a log that shrinks while it is read ends the answer', async () => {
  const state = { text: '01234567' };
  const client = new Client();
  let reads = 0;
  await send(
    logOf(state, 4, () => {
      reads += 1;
      if (reads === 2) state.text = '';
    }),
    client,
  );
  expect(client.text).toBe('0123');
  expect(client.hasEnded).toBe(true);
});

test('a slow client is waited for: nothing is read or sent until it has drained', async () => {
  const state = { text: '01234567' };
  const client = new Client();
  client.isFull = true;
  const sent = send(logOf(state), client);
  await eventually(() => expect(client.listenerCount('drain')).toBe(1));
  expect(client.writes).toBe(1);
  client.emit('drain');
  await eventually(() => expect(client.writes).toBe(2));
  client.emit('drain');
  await sent;
  expect(client.text).toBe('01234567');
});

test('a slow client that goes away ends the answer without an error', async () => {
  const leave = new AbortController();
  const client = new Client();
  client.isFull = true;
  const sent = send(logOf({ text: '01234567' }), client, { signal: leave.signal });
  await eventually(() => expect(client.listenerCount('drain')).toBe(1));
  leave.abort();
  await sent;
  expect([client.text, client.hasEnded]).toEqual(['0123', true]);
});

test('a log that cannot be read is an error, and the answer ends', async () => {
  const client = new Client();
  const log: LogReader = { ...logOf({ text: 'a' }), read: () => Promise.reject(new Error('EIO')) };
  await expect(send(log, client)).rejects.toThrow('EIO');
  expect(client.hasEnded).toBe(true);
});

test('with follow, what was written just before the end of the run was seen is sent', async () => {
  const state = { text: 'a' };
  const client = new Client();
  let asked = 0;
  // The run ends, and writes its last words, between the look at it and the next read.
  const isOver = (): boolean => {
    asked += 1;
    if (asked < 3) return false;
    state.text = 'a, and the last';
    return true;
  };
  await send(logOf(state, 4096), client, { follow: true, isOver });
  expect(client.text).toBe('a, and the last');
});
