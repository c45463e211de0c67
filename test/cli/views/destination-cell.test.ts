/** The delivery of a run in one cell. */
import { expect, test } from 'vitest';
import { destinationCell } from '../../../src/cli/views/destination-cell.ts';
import type { HubDestination } from '../../../src/core/model/status.ts';

const NOW = new Date('2026-11-22T03:12:00.000Z');

test.each<[Partial<HubDestination>, string | undefined, string, string | undefined]>([
  [{ delivery: 'delivered' }, undefined, 'delivered', 'green'],
  [
    { delivery: 'delivered', lastAcceptedAt: '2026-11-22T03:10:00.000Z' },
    undefined,
    'delivered 2m',
    'green',
  ],
  [{ delivery: 'refused' }, undefined, 'refused', 'red'],
  [{ delivery: 'withheld' }, undefined, 'withheld', 'dim'],
  [{}, '2026-11-22T03:11:41.000Z', 'pending 19s', 'yellow'],
  [{}, undefined, 'not yet', undefined],
  [{ slackSeconds: 59 }, undefined, '-/59s', undefined],
  [{ slackSeconds: 0 }, undefined, '-/0s', undefined],
  [{ slackSeconds: -3_599 }, undefined, '-/-59m59s', 'red'],
  [{ lastAcceptedAt: '2026-11-22T03:10:00.000Z' }, undefined, '2m/-', undefined],
])('the delivery %o of a run that ended %s is %s', (rest, endedAt, text, style) => {
  const cell = destinationCell({ task: 't', delivery: 'pending', ...rest }, NOW, endedAt);
  expect(cell).toEqual(style === undefined ? { text } : { text, style });
});
