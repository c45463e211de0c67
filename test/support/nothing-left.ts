/** For files that share a process with others: what others rely on is as it was when a file has ended. */
import { afterAll, beforeAll, expect } from 'vitest';

/** What tests change for a time, by its name. */
function shared(): ReadonlyMap<string, unknown> {
  const { Date, clearTimeout, fetch, setTimeout } = globalThis;
  return new Map<string, unknown>([
    ...Object.entries({ Date, clearTimeout, fetch, setTimeout }),
    ['performance.now', Reflect.get(performance, 'now')],
    ['process.kill', Reflect.get(process, 'kill')],
    ['the working directory', process.cwd()],
    ...Object.entries(process.env).map(([name, value]) => [`$${name}`, value] as const),
  ]);
}

let before: ReadonlyMap<string, unknown>;
beforeAll(() => {
  before = shared();
});
afterAll(() => {
  const after = shared();
  // Names only: a variable may hold a secret.
  const names = [...new Set([...before.keys(), ...after.keys()])];
  const changed = names.filter((name) => before.get(name) !== after.get(name));
  expect(changed, 'left changed for the files after this one').toEqual([]);
});
