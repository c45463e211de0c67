/** For files that share a process with others: what others rely on is as it was when a file has ended, and variables are put back. */
import { readFileSync } from 'node:fs';
import { afterAll, expect } from 'vitest';

/** What tests change for a time, by its name. */
function shared(): ReadonlyMap<string, unknown> {
  const { Date, clearTimeout, fetch, setTimeout } = globalThis;
  return new Map<string, unknown>([
    ...Object.entries({ Date, clearTimeout, fetch, setTimeout }),
    ['performance.now', Reflect.get(performance, 'now')],
    ['process.kill', Reflect.get(process, 'kill')],
    ['process.umask', umask()],
    ['the working directory', process.cwd()],
  ]);
}

/** As Linux shows it: process.umask() is deprecated, since it sets the value while it reads it. */
function umask(): string | undefined {
  return /^Umask:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
}

// Read anew for each file, before it is loaded.
const before = shared();
const environment = { ...process.env };

afterAll(() => {
  for (const name of Object.keys(process.env)) {
    if (!(name in environment)) Reflect.deleteProperty(process.env, name);
  }
  Object.assign(process.env, environment);
  const after = shared();
  const names = [...new Set([...before.keys(), ...after.keys()])];
  const changed = names.filter((name) => before.get(name) !== after.get(name));
  expect(changed, 'left changed for the files after this one').toEqual([]);
});
