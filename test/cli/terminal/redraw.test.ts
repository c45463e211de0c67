/** The moving picture on a terminal that is narrow, short, or changes its size. */
import { expect, test } from 'vitest';

import { displayWidth } from '../../../src/cli/terminal/printable.ts';
import { createRedraw } from '../../../src/cli/terminal/redraw.ts';
import { Collector } from '../terminal-in-memory.ts';

/** What a terminal of that size shows after the text: a small one that knows what `createRedraw` uses. */
function screenOf(text: string, columns: number, rows: number): string[] {
  let screen = Array.from({ length: rows }, () => '');
  let row = 0;
  for (const [token] of text.matchAll(/\u001b\[\d*[AKJH]|\r|\n|[^\u001b\r\n]+/g)) {
    const up = /^\u001b\[(?<count>\d+)A$/.exec(token)?.groups?.['count'];
    if (up !== undefined) row = Math.max(0, row - Number(up));
    else if (token === '\u001b[H') row = 0;
    else if (token === '\u001b[2K') screen[row] = '';
    else if (token === '\u001b[J') screen = screen.map((line, index) => (index < row ? line : ''));
    else if (token === '\n') row += 1;
    else if (token !== '\r') {
      expect(displayWidth(token)).toBeLessThanOrEqual(columns);
      screen[row] = token;
    }
    if (row === rows) {
      screen = [...screen.slice(1), ''];
      row -= 1;
    }
  }
  return screen.filter((line) => line !== '');
}

const picture = (name: string, lines: number) =>
  Array.from({ length: lines }, (_, index) => `${name} ${index} ${'x'.repeat(50)}`).join('\n');

test('a new picture covers the old one, whichever of them is higher', () => {
  const redraw = createRedraw(new Collector({ columns: 30, rows: 10 }));
  const text = `before\n${redraw(picture('a', 3))}${redraw(picture('b', 6))}${redraw(picture('c', 2))}`;
  expect(screenOf(text, 30, 10)).toEqual([
    'before',
    `c 0 ${'x'.repeat(25)}…`,
    `c 1 ${'x'.repeat(25)}…`,
  ]);
});

test('a picture higher than the terminal is cut, so that the next one finds its place', () => {
  const redraw = createRedraw(new Collector({ columns: 80, rows: 5 }));
  const text = `before\n${redraw(picture('a', 30))}${redraw(picture('b', 2))}`;
  expect(screenOf(text, 80, 5).map((line) => line.slice(0, 3))).toEqual(['b 0', 'b 1']);
});

test('a terminal that changed its size is drawn from its corner', () => {
  const terminal = { columns: 80, rows: 10 };
  const redraw = createRedraw(Object.assign(new Collector(terminal), terminal));
  const output = Object.assign(new Collector(terminal), { columns: 80 });
  const other = createRedraw(output);
  redraw(picture('a', 3));
  other(picture('a', 3));
  Object.assign(output, { columns: 40 });
  expect(other(picture('b', 3))).toMatch(/^\u001b\[H\u001b\[J/);
  expect(redraw(picture('b', 3))).toMatch(/^\r\u001b\[3A/);
});
