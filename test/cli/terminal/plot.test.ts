/** Percent over time, exactly as it is drawn. */
import { expect, test } from 'vitest';
import { renderPlot } from '../../../src/cli/terminal/plot.ts';

/** Points a second apart, of a task that did not begin at the epoch. */
const plot = (percents: readonly number[], columns: number): string[] =>
  renderPlot(
    percents.map((percent, index) => ({ atMs: 7_000 + index * 1_000, percent })),
    columns + 6,
  );

test('each column is as high as its percent, in eighths of five rows', () => {
  expect(plot([0, 50, 100, 100], 4)).toEqual([
    ' 100%   ██',
    '        ██',
    '       ▄██',
    '       ███',
    '   0%  ███',
  ]);
});

test('a value holds until the next one, and the last one of a column counts', () => {
  expect(plot([25, 75], 4)).toEqual([
    ' 100%',
    '         ▆',
    '         █',
    '      ▂▂▂█',
    '   0% ████',
  ]);
  expect(plot([100, 100, 25], 1)).toEqual([' 100%', '', '', '      ▂', '   0% █']);
});

test('what is no percent is drawn at the border', () => {
  expect(plot([-50, 500], 2)).toEqual([' 100%  █', '       █', '       █', '       █', '   0%  █']);
});

test('without time between the points, or without room, there is none', () => {
  expect(renderPlot([], 80)).toEqual([]);
  expect(plot([50], 40)).toEqual([]);
  expect(plot([0, 100], 0)).toEqual([]);
  expect(plot([0, 100], 1)).toHaveLength(5);
});
