/** For files that share a process with others: what others rely on is as it was when a file has ended. */
import { afterAll, beforeAll, expect } from 'vitest';

/** What tests change for a time. */
function shared(): unknown {
  const { Date, clearTimeout, fetch, setTimeout } = globalThis;
  const members: unknown[] = [Reflect.get(performance, 'now'), Reflect.get(process, 'kill')];
  return {
    functions: [Date, clearTimeout, fetch, setTimeout, ...members],
    environment: { ...process.env },
    directory: process.cwd(),
  };
}

let before: unknown;
beforeAll(() => {
  before = shared();
});
afterAll(() => {
  expect(shared(), 'left changed for the files after this one').toEqual(before);
});
