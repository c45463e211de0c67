/** The body of a request: what is read, what is refused, and how much all of them may take together. */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { BodyMemory, readBody } from '../../../src/control/lib/read-body.ts';

const JSON_TYPE = { 'content-type': 'application/json' };

function request(
  chunks: readonly Buffer[],
  headers: Record<string, string> = JSON_TYPE,
): IncomingMessage {
  return Object.assign(Readable.from(chunks), { headers }) as unknown as IncomingMessage;
}
const bytes = (text: string): Buffer => Buffer.from(text);

describe('a body', () => {
  test('is read whatever pieces it comes in; an absent one is an empty object, of whatever kind', async () => {
    const memory = new BodyMemory();
    const whole = bytes('{"a":"ü"}');
    const pieces = Array.from(whole, (byte) => Buffer.from([byte]));
    expect(await readBody(request(pieces), memory)).toEqual({ a: 'ü' });
    expect(await readBody(request([], {}), memory)).toEqual({});
  });

  test.each([
    ['application/json; charset=utf-8', true],
    ['APPLICATION/JSON', true],
    ['application/json5', false],
    ['text/plain', false],
    ['', false],
  ])('of the kind %j is read: %s', async (type, isRead) => {
    const reading = readBody(request([bytes('{}')], { 'content-type': type }), new BodyMemory());
    if (isRead) expect(await reading).toEqual({});
    else await expect(reading).rejects.toThrow('send the body as application/json');
  });

  test.each([
    ['half', bytes('{"a":'), /^body: not valid JSON/],
    ['not in UTF-8', Buffer.from([0x22, 0xff, 0x22]), /^body: not valid JSON/],
  ])('that is %s is refused', async (_what, chunk, message) => {
    await expect(readBody(request([chunk]), new BodyMemory())).rejects.toThrow(message);
  });

  test('has its limit: exactly so many bytes pass, one more does not, announced or not', async () => {
    const memory = new BodyMemory();
    expect(await readBody(request([bytes('"4567"')]), memory, 6)).toBe('4567');
    await expect(readBody(request([bytes('"4567 "')]), memory, 6)).rejects.toThrow(
      'at most 6 bytes',
    );
    const announced = (length: string): Promise<unknown> =>
      readBody(request([bytes('1')], { ...JSON_TYPE, 'content-length': length }), memory, 6);
    expect(await announced('6')).toBe(1);
    await expect(announced('7')).rejects.toThrow('at most 6 bytes');
  });
});

describe('all bodies together', () => {
  const MB = 1024 * 1024;

  test('take 48 MB, and what was given back can be taken again', () => {
    const memory = new BodyMemory();
    memory.take(48 * MB);
    memory.giveBack(1);
    memory.take(1);
    expect(() => memory.take(1)).toThrow('too many large requests');
  });

  test('each gives back what it took, read or refused', async () => {
    const memory = new BodyMemory();
    expect(await readBody(request([bytes('[1'), bytes(']')]), memory)).toEqual([1]);
    await expect(readBody(request([bytes('[1')]), memory)).rejects.toThrow('not valid JSON');
    await expect(readBody(request([bytes('[1]')]), memory, 2)).rejects.toThrow('has at most');
    memory.take(48 * MB);
    // This one is too much for all, and leaves nothing either.
    await expect(readBody(request([bytes('[1]')]), memory)).rejects.toThrow('too many large');
    expect(() => memory.take(1)).toThrow('too many large requests');
    memory.giveBack(2);
    memory.take(1);
  });
});
