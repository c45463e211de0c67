/** For files that share a process with others: what others rely on is as it was when a file has ended, and variables are put back. */
import { readFileSync } from 'node:fs';
import { afterAll, expect, vi } from 'vitest';
import { until } from './until.ts';

/** What tests exchange for a time, by its name: functions of these objects, the mask of new files, the working directory. */
function shared(): ReadonlyMap<string, unknown> {
  const functions = Object.entries({ globalThis, performance, process }).flatMap(([of, object]) =>
    namesOf(object).map((name) => [`${of}.${name}`, functionAt(object, name)] as const),
  );
  return new Map<string, unknown>([
    ...functions.filter(([, value]) => value !== undefined),
    ['the mask of new files', umask()],
    ['the working directory', process.cwd()],
  ]);
}

function namesOf(object: object): string[] {
  const prototype: unknown = Object.getPrototypeOf(object);
  const inherited = typeof prototype === 'object' && prototype !== null ? prototype : {};
  return [...Object.getOwnPropertyNames(object), ...Object.getOwnPropertyNames(inherited)];
}

/** Undefined for what is no function, and for what only a getter knows: some of them load a part of Node. */
function functionAt(object: object, name: string): unknown {
  const own = Object.getOwnPropertyDescriptor(object, name);
  const value: unknown = own === undefined ? Reflect.get(object, name) : own.value;
  return typeof value === 'function' ? value : undefined;
}

/** As Linux shows it: process.umask() is deprecated, since it sets the value while it reads it. */
function umask(): string | undefined {
  return /^Umask:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
}

/** What keeps a thread, a port or a process of the machine from the files after this one. */
const HELD = ['FSReqCallback', 'FSReqPromise', 'FSEventWrap', 'ProcessWrap', 'TCPServerWrap'];

function held(): string[] {
  return process.getActiveResourcesInfo().filter((kind) => HELD.includes(kind));
}

/** Kept for all files of the process: what the first of them found. */
const FIRST = Symbol.for('migration-agent.test.shared-at-first');

function sharedAtFirst(): ReadonlyMap<string, unknown> {
  const known: unknown = Reflect.get(globalThis, FIRST);
  if (known instanceof Map) return known;
  const first = shared();
  Reflect.set(globalThis, FIRST, first);
  return first;
}

const before = sharedAtFirst();
// Read anew for each file, before it is loaded.
const heldBefore = held();
const environment = { ...process.env };

afterAll(async () => {
  // Vitest does so before the next file. A spy on a fake function puts the fake one back, and this file left it.
  vi.restoreAllMocks();
  for (const name of Object.keys(process.env)) {
    if (!(name in environment)) Reflect.deleteProperty(process.env, name);
  }
  Object.assign(process.env, environment);
  const after = shared();
  const changed = [...before.keys()].filter((name) => before.get(name) !== after.get(name));
  expect(changed, 'left changed for the files after this one').toEqual([]);
  await until(
    'everything is closed that the file has opened',
    () => held().length <= heldBefore.length,
    () => held().join(),
  );
});
