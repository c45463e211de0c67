/** Columns of text, exactly as they are drawn. */
import { describe, expect, test } from 'vitest';
import { renderTable } from '../../../src/cli/terminal/table.ts';
import type { Column } from '../../../src/cli/terminal/table.ts';
import { painter } from '../../../src/cli/terminal/terminal.ts';

const COLUMNS: readonly Column[] = [
  { title: 'NAME', shrinkTo: 4 },
  { title: 'N', align: 'right' },
  { title: 'WHY', shrinkTo: 3 },
];
const table = (rows: readonly (readonly string[])[], width = 80, columns = COLUMNS): string[] => {
  const cells = rows.map((row) => row.map((text) => ({ text })));
  return renderTable(columns, cells, width, painter(false));
};

test('each column is as wide as its widest text, numbers are on the right, and no line ends in spaces', () => {
  expect(
    table([
      ['copy', '5', 'slow'],
      ['nightly', '120', ''],
    ]),
  ).toEqual(['NAME       N  WHY', 'copy       5  slow', 'nightly  120']);
});

test('a column that nothing stands in is left out', () => {
  expect(table([['copy', '', 'slow'], ['b']])).toEqual(['NAME  WHY', 'copy  slow', 'b']);
  expect(table([])).toEqual(['']);
});

describe('where room is short', () => {
  const row = ['a-long-name', '5', 'a reason'];

  test('what fits exactly is whole', () => {
    expect(table([row], 24)[1]).toBe('a-long-name  5  a reason');
  });

  test('the widest column that may shrink does, as far as it may', () => {
    expect(table([row], 23)[1]).toBe('a-long-na…  5  a reason');
    expect(table([row], 20)[1]).toBe('a-long…  5  a reason');
    expect(table([row], 18)[1]).toBe('a-lon…  5  a reas…');
    expect(table([row], 12)[1]).toBe('a-l…  5  a …');
    expect(table([row], 1)[1]).toBe('a-l…  5  a …');
  });

  test('a column that may not shrink does not', () => {
    const columns: readonly Column[] = [{ title: 'A' }, { title: 'B', shrinkTo: 2 }];
    expect(table([['whole text', 'xy']], 5, columns)[1]).toBe('whole text  xy');
  });
});

test('titles are faint, a cell has its style, and colours take no room', () => {
  const cells = [
    [{ text: 'copy' }, { text: '5', style: 'red' as const }, { text: '', style: 'red' as const }],
    [{ text: 'b' }, { text: '12' }, { text: 'x' }],
  ];
  expect(renderTable(COLUMNS, cells, 80, painter(true))).toEqual([
    '\u001b[2mNAME\u001b[22m   \u001b[2mN\u001b[22m  \u001b[2mWHY\u001b[22m',
    'copy   \u001b[31m5\u001b[39m',
    'b     12  x',
  ]);
});
