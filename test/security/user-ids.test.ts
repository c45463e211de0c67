import { expect, test } from 'vitest';
import { findUser } from '../../src/jobs/process/user.ts';

test('a number that overflows to 0 is not root', async () => {
  expect(await findUser('4294967296')).toBeUndefined();
  expect(await findUser('8589934592')).toBeUndefined();
  expect(await findUser('0')).toMatchObject({ name: 'root', uid: 0 });
  expect(await findUser('root')).toMatchObject({ name: 'root', uid: 0 });
});
