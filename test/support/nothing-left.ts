/** For files that share a process with others: what others rely on is as it was when a file has ended. */
import { afterAll, beforeAll, expect } from 'vitest';

/** What tests change for a time. */
function shared(): unknown {
  const { Date, clearTimeout, fetch, performance, process, setTimeout } = globalThis;
  return {
    functions: [Date, clearTimeout, fetch, performance.now, process.kill, setTimeout],
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
