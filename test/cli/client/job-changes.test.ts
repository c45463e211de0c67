/** When a command that waits for a job has to look again. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Client } from '../../../src/cli/client/client.ts';
import { JobChanges } from '../../../src/cli/client/job-changes.ts';
import { CommandFailure } from '../../../src/cli/command.ts';

interface Sleep {
  readonly ms: number;
  readonly end: () => void;
}
const timers = vi.hoisted(() => ({ pauses: [] as number[], limits: [] as Sleep[] }));
/** A pause is over at once, a limit when the test says so. */
vi.mock(import('node:timers/promises'), async (original) => ({
  ...(await original()),
  setTimeout: ((ms: number, _value: undefined, options?: { signal: AbortSignal }) => {
    if (options === undefined) return Promise.resolve(void timers.pauses.push(ms));
    return new Promise<void>((resolve, reject) => {
      timers.limits.push({ ms, end: resolve });
      options.signal.addEventListener('abort', () => reject(new Error('aborted')));
    }).catch(() => undefined);
  }) as never,
}));

/** What each piece that is asked for is, in order: a piece, the end, a failure, or nothing yet. */
type Piece = 'piece' | 'end' | Error | 'nothing';
let pieces: Piece[];
let streams: { path: string; signal: AbortSignal | undefined }[];
let changes: JobChanges;

beforeEach(() => {
  Object.assign(timers, { pauses: [], limits: [] });
  pieces = [];
  streams = [];
  const client = {
    stream: (path: string, signal?: AbortSignal) => {
      streams.push({ path, signal });
      const next = (): Promise<IteratorResult<Uint8Array>> => {
        const piece = pieces.shift();
        if (piece instanceof Error) return Promise.reject(piece);
        if (piece === 'piece') return Promise.resolve({ done: false, value: new Uint8Array() });
        if (piece === 'end') return Promise.resolve({ done: true, value: undefined });
        return new Promise(() => undefined);
      };
      return { [Symbol.asyncIterator]: () => ({ next }) };
    },
  } as unknown as Client;
  changes = new JobChanges(client, 'a b');
});

test('each piece of the one stream is a reason to look', async () => {
  pieces = ['piece', 'piece'];
  await changes.next();
  await changes.next();
  expect(streams.map(({ path }) => path)).toEqual(['/v1/events?job=a%20b']);
  expect(timers.pauses).toEqual([]);
});

test('so is a minute without any, and the piece that was asked for is still awaited', async () => {
  pieces = ['nothing', 'piece'];
  for (const look of [0, 1]) {
    const next = changes.next();
    expect(timers.limits[look]?.ms).toBe(60_000);
    timers.limits[look]?.end();
    await next;
  }
  expect(pieces).toEqual(['piece']);
  expect(streams).toHaveLength(1);
});

describe('without a stream', () => {
  const refused = new CommandFailure(1, 'too many streams');

  test('the pauses grow from 50 ms to a second, and a new one is asked for each time', async () => {
    pieces = Array<Piece>(12).fill(refused);
    for (let look = 0; look < 12; look += 1) await changes.next();
    expect(timers.pauses.slice(0, 3)).toEqual([50, 75, 112.5]);
    expect(timers.pauses.at(-1)).toBe(1_000);
    expect(Math.max(...timers.pauses)).toBe(1_000);
    expect(streams).toHaveLength(12);
  });

  test('one that has ended is opened again, and the pauses begin anew after a piece', async () => {
    pieces = ['end', 'end', 'piece', 'end'];
    for (let look = 0; look < 4; look += 1) await changes.next();
    expect(timers.pauses).toEqual([50, 75, 50]);
    expect(streams).toHaveLength(3);
  });

  test('a failure of another kind is none of the agent', async () => {
    pieces = [new TypeError('a mistake')];
    await expect(changes.next()).rejects.toThrow('a mistake');
  });
});

test('closed, the stream is let go, and its end is no failure', async () => {
  pieces = ['piece', new Error('aborted')];
  await changes.next();
  expect(streams[0]?.signal?.aborted).toBe(false);
  changes.close();
  expect(streams[0]?.signal?.aborted).toBe(true);
  await changes.next();
});
