/** The handlers themselves, called as Node calls them: no signal is sent. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { onSignals } from '../../src/system/signals.ts';

const NAMES = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGPIPE'] as const;
type Handler = (signal: string) => void;

const listeners = () => NAMES.map((name) => process.listeners(name) as Handler[]);
let before: Handler[][];
let asked: string[];
let off: () => void;

/** What was added for a signal is called. */
function raise(name: (typeof NAMES)[number]): void {
  const index = NAMES.indexOf(name);
  const added = listeners()[index]?.filter((one) => before[index]?.includes(one) !== true) ?? [];
  expect(added).toHaveLength(1);
  added[0]?.(name);
}

beforeEach(() => {
  before = listeners();
  asked = [];
  off = onSignals({
    stop: (signal) => asked.push(signal),
    reload: () => asked.push('reload'),
  });
  vi.spyOn(process, 'exit').mockImplementation((code) => {
    throw new Error(`exit ${code}`);
  });
});
afterEach(() => {
  off();
  vi.restoreAllMocks();
});

test.each([
  ['SIGTERM', 'SIGTERM', 143],
  ['SIGINT', 'SIGINT', 130],
  ['SIGTERM', 'SIGINT', 130],
] as const)('after %s a %s ends the process with %i', (first, second, code) => {
  raise(first);
  expect(asked).toEqual([first]);
  expect(() => raise(second)).toThrow(`exit ${code}`);
  expect(asked).toEqual([first]);
});

test('a reload is one each time, also after a stop; a closed reader is nothing', () => {
  for (const name of ['SIGHUP', 'SIGPIPE', 'SIGTERM', 'SIGHUP'] as const) raise(name);
  expect(asked).toEqual(['reload', 'SIGTERM', 'reload']);
});

test('all of them are taken away', () => {
  off();
  expect(listeners()).toEqual(before);
});
