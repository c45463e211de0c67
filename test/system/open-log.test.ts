/** The log on standard output: for people on a terminal, with colours unless somebody wants none; JSON everywhere else. */
import type * as tty from 'node:tty';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { prettyLines } from '../../src/system/pretty-lines.ts';
import { openLog } from '../../src/system/logger.ts';

const out = vi.hoisted(() => ({ isTerminal: false, formatted: 0, colours: [] as unknown[] }));
vi.mock(import('node:tty'), async (original) => {
  const real: typeof tty = await original();
  return { ...real, default: real, isatty: (fd) => (fd === 1 ? out.isTerminal : real.isatty(fd)) };
});
vi.mock('pino-pretty', () => ({
  isColorSupported: true,
  prettyFactory: ({ colorize }: { colorize: boolean }) => {
    out.colours.push(colorize);
    return (line: string) => line;
  },
}));
beforeEach(() => {
  Object.assign(out, { isTerminal: false, colours: [] });
  const { NO_COLOR } = process.env;
  Reflect.deleteProperty(process.env, 'NO_COLOR');
  onTestFinished(() => {
    if (NO_COLOR === undefined) Reflect.deleteProperty(process.env, 'NO_COLOR');
    else process.env['NO_COLOR'] = NO_COLOR;
  });
});
afterEach(() => void vi.restoreAllMocks());

describe('lines are formatted', () => {
  test('on a terminal', async () => {
    out.isTerminal = true;
    await openLog('fatal');
    expect(out.colours).toEqual([true]);
  });

  test('and nowhere else', async () => {
    await openLog('fatal');
    expect(out.colours).toEqual([]);
  });
});

test.each([
  ['', true],
  ['1', false],
])('NO_COLOR=%s', (value, hasColours) => {
  process.env['NO_COLOR'] = value;
  const lines: string[] = [];
  prettyLines({ write: (line) => lines.push(line) }).write('a line');
  expect([out.colours, lines]).toEqual([[hasColours], ['a line']]);
});
