/** What is known of a terminal, and what is written to one. */
import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { createRedraw } from '../../../src/cli/terminal/redraw.ts';
import {
  heightOf,
  jsonText,
  print,
  printLine,
  wantsColor,
  widthOf,
  write,
} from '../../../src/cli/terminal/terminal.ts';
import type { Output, Terminal } from '../../../src/cli/terminal/terminal.ts';
import { Collector } from '../terminal-in-memory.ts';

const output = (rest: object): Output => rest as Output;

test.each<[boolean | undefined, NodeJS.ProcessEnv, boolean]>([
  [true, {}, true],
  [true, { NO_COLOR: '' }, true],
  [true, { NO_COLOR: '1' }, false],
  [true, { TERM: 'dumb' }, false],
  [true, { TERM: 'xterm' }, true],
  [false, {}, false],
  [undefined, {}, false],
])('a terminal (%s) with %o wants colours: %s', (isTTY, environment, wants) => {
  expect(wantsColor(output({ isTTY }), environment)).toBe(wants);
});

test.each([
  [{}, 80, 24],
  [{ columns: 0, rows: 0 }, 80, 24],
  [{ columns: 1, rows: 1 }, 1, 24],
  [{ columns: 132, rows: 2 }, 132, 2],
])('%o is %i columns wide and %i rows high', (size, width, height) => {
  expect([widthOf(output(size)), heightOf(output(size))]).toEqual([width, height]);
});

test('a reader that is slow is waited for', async () => {
  const slow = Object.assign(new EventEmitter(), { write: () => false });
  let isWritten = false;
  const done = write(output(slow), 'x').then(() => (isWritten = true));
  await new Promise(setImmediate);
  expect(isWritten).toBe(false);
  slow.emit('drain');
  await done;
  await write(output({ write: () => true }), 'x');
});

describe('control characters', () => {
  const HOSTILE = 'a\u001b[2Jb\u0007c';
  const lines = (isTTY: boolean): string[] => {
    const stdout = new Collector(isTTY ? { columns: 80, rows: 24 } : undefined);
    const stderr = new Collector(undefined);
    const terminal = { stdout, stderr } as unknown as Terminal;
    printLine(terminal, HOSTILE);
    print(terminal, `${HOSTILE}\n${HOSTILE}`);
    return [stdout.text, stderr.text];
  };

  test('reach no person, and every byte reaches a program', () => {
    const [toTerminal, messages = ''] = lines(true);
    expect(toTerminal).not.toMatch(/[\u0007\u001b]/);
    expect(messages.split('\n')).toHaveLength(3);
    expect(messages).not.toMatch(/[\u0007\u001b]/);
    expect(lines(false)[0]).toBe(`${HOSTILE}\n`);
  });

  test('are escaped in JSON', () => {
    const document = { a: '\u009b2J' };
    expect(jsonText(document)).not.toContain('\u009b');
    expect(JSON.parse(jsonText(document, 2))).toEqual(document);
  });
});

test('a picture leaves a row to the cursor', () => {
  const redraw = createRedraw(output({ columns: 10, rows: 4 }));
  expect(redraw('1\n2\n3\n4\n5')).toBe('\u001b[2K1\n\u001b[2K2\n\u001b[2K3\n\u001b[J');
  expect(redraw('6')).toBe('\r\u001b[3A\u001b[2K6\n\u001b[J');
  expect(redraw('7')).toBe('\r\u001b[1A\u001b[2K7\n\u001b[J');
});
