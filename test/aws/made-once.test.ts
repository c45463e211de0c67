import { expect, test } from 'vitest';
import { madeOnce } from '../../src/aws/made-once.ts';

test('a failure is not kept: the next use tries again, and the first success serves all', async () => {
  let tries = 0;
  const get = madeOnce(() => {
    tries += 1;
    return tries < 3 ? Promise.reject(new Error(`try ${tries}`)) : Promise.resolve({ tries });
  });
  const together = await Promise.allSettled([get(), get()]);
  expect(together.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(tries).toBe(1);
  await expect(get()).rejects.toThrow('try 2');
  const made = await get();
  expect(await get()).toBe(made);
  expect(tries).toBe(3);
});
