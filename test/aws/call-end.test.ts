/** A call ends once, for its first reason, whoever waits for it and whenever they began. */
import { expect, test } from 'vitest';
import { CallEnd } from '../../src/aws/call-end.ts';

const never = (): Promise<never> => new Promise(() => undefined);

test('a call that is not ended has the result of its promise, good or bad', async () => {
  expect(await new CallEnd().race(Promise.resolve(7))).toBe(7);
  await expect(new CallEnd().race(Promise.reject(new Error('no')))).rejects.toThrow('no');
});

test('an end rejects what is waited for, and tells the handler once', async () => {
  const end = new CallEnd();
  let told = 0;
  end.onabort = () => (told += 1);
  const waited = end.race(never());
  expect([end.aborted, end.reason]).toEqual([false, undefined]);
  const reason = new Error('too late');
  end.abort(reason);
  end.abort(new Error('the agent is closing'));
  await expect(waited).rejects.toBe(reason);
  expect([end.aborted, end.reason, told]).toEqual([true, reason, 1]);
});

test('what begins after the end is over at once', async () => {
  const end = new CallEnd();
  const reason = new Error('the agent is closing');
  end.abort(reason);
  await expect(end.race(never())).rejects.toBe(reason);
  await expect(end.race(Promise.resolve(7))).rejects.toBe(reason);
});

test('an end after the result changes nothing of it', async () => {
  const end = new CallEnd();
  const waited = end.race(Promise.resolve(7));
  expect(await waited).toBe(7);
  end.abort(new Error('too late'));
  expect(await waited).toBe(7);
});
