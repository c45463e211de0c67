/** A stream of events that nothing happens on: a comment now and then, and nothing that goes on after it has ended. */
import type { ServerResponse } from 'node:http';
import { afterEach, expect, test, vi } from 'vitest';
import { streamEvents } from '../../../src/control/routes/event-stream.ts';
import { RecentEvents } from '../../../src/control/routes/recent-events.ts';
import { OperatorInMemory } from '../operator-in-memory.ts';

afterEach(() => {
  vi.useRealTimers();
});

class Client {
  text = '';
  writableLength = 0;
  hasEnded = false;
  isDestroyed = false;
  writeHead(): void {}
  write(text: string): void {
    this.text += text;
  }
  end(): void {
    this.hasEnded = true;
  }
  destroy(): void {
    this.isDestroyed = true;
  }
}

const EVENT = { at: { wallMs: 0, bootMs: 0 }, event: 'run.ended', fields: {} };

function started(signal: AbortSignal): {
  client: Client;
  operator: OperatorInMemory;
  events: RecentEvents;
  ended: Promise<void>;
} {
  const operator = new OperatorInMemory();
  const events = new RecentEvents(operator);
  const client = new Client();
  const ended = streamEvents({
    events,
    job: undefined,
    after: undefined,
    response: client as unknown as ServerResponse,
    signal,
  });
  return { client, operator, events, ended };
}

test('a comment every fifteen seconds, until the client is gone', async () => {
  vi.useFakeTimers();
  const gone = new AbortController();
  const { client, operator, ended } = started(gone.signal);
  const begin = client.text;
  vi.advanceTimersByTime(14_999);
  expect(client.text).toBe(begin);
  vi.advanceTimersByTime(1);
  expect(client.text).toBe(`${begin}: still here\n\n`);
  vi.advanceTimersByTime(30_000);
  expect(client.text).toBe(`${begin}${': still here\n\n'.repeat(3)}`);
  const atEnd = client.text;
  gone.abort();
  await ended;
  expect([client.hasEnded, vi.getTimerCount()]).toEqual([true, 0]);
  operator.emit(EVENT);
  expect(client.text).toBe(atEnd);
});

test('a client that was gone before it began leaves nothing behind', async () => {
  vi.useFakeTimers();
  const { client, ended } = started(AbortSignal.abort());
  await ended;
  expect([client.hasEnded, vi.getTimerCount()]).toEqual([true, 0]);
});

test('what the client does not read may grow to a mebibyte, and not beyond', () => {
  const { client, operator } = started(new AbortController().signal);
  client.writableLength = 1024 * 1024;
  operator.emit(EVENT);
  expect(client.isDestroyed).toBe(false);
  client.writableLength += 1;
  operator.emit(EVENT);
  expect(client.isDestroyed).toBe(true);
});

test('events that have been closed watch the agent no more, and reach nobody', () => {
  const { client, operator, events } = started(new AbortController().signal);
  operator.emit(EVENT);
  expect(client.text).toContain('event: run.ended');
  const text = client.text;
  events.close();
  expect(operator.listeners.size).toBe(0);
  operator.emit(EVENT);
  expect(client.text).toBe(text);
});

test('a thousand events are kept; a client that missed one more is told that some are missing', () => {
  const operator = new OperatorInMemory();
  const events = new RecentEvents(operator);
  const ids: string[] = [];
  const unwatch = events.watch(({ id }) => ids.push(id));
  for (let number = 0; number < 1001; number += 1) operator.emit(EVENT);
  expect(events.after(ids[0]!)).toHaveLength(1000);
  expect(events.after(ids[1000]!)).toEqual([]);
  expect(events.after(`${ids[0]!.split('-')[0]}-0`)).toBeUndefined();
  unwatch();
  operator.emit(EVENT);
  expect(ids).toHaveLength(1001);
});
