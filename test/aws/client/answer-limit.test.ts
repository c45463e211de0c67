/** The limit for the size of an answer: 4 MB in all, however many pieces it comes in, and one byte more is an error. */
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { ANSWER_BYTES_MAX, limitAnswer } from '../../../src/aws/client/answer-limit.ts';

function answer(): { message: IncomingMessage; failed: Promise<Error> } {
  const message = new IncomingMessage(new Socket());
  const failed = new Promise<Error>((resolve) => message.once('error', resolve));
  limitAnswer(message);
  return { message, failed };
}

test('an answer of just so many bytes passes whole', async () => {
  const { message } = answer();
  let bytes = 0;
  message.on('data', (chunk: Buffer) => (bytes += chunk.length));
  const ended = new Promise((resolve) => message.once('end', resolve));
  for (let piece = 0; piece < 4; piece += 1) message.push(Buffer.alloc(ANSWER_BYTES_MAX / 4));
  message.push(null);
  await ended;
  expect([bytes, message.errored]).toEqual([ANSWER_BYTES_MAX, null]);
});

test('one byte more ends it with a clear error, and no more is taken', async () => {
  const { message, failed } = answer();
  message.push(Buffer.alloc(ANSWER_BYTES_MAX));
  expect(message.push('é')).toBe(false);
  expect((await failed).message).toBe('the answer is larger than 4 MB');
  expect(message.destroyed).toBe(true);
});

test('what is no answer over HTTP is left alone', () => {
  expect(() => limitAnswer(Buffer.alloc(1))).not.toThrow();
  expect(() => limitAnswer(undefined)).not.toThrow();
});
