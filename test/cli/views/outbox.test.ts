/** The outbox as an operator reads it: what is pending, since when, and what delays it. */
import { expect, test } from 'vitest';
import { renderOutbox } from '../../../src/cli/views/outbox.ts';
import type { OutboxEntry } from '../../../src/core/model/outbox.ts';

const VIEW = { width: 120, color: false, now: new Date('2026-11-22T03:00:00.000Z') };
const ENTRY: OutboxEntry = {
  ...{ job: 'copy', run: 2, destination: 'migrationHub', operation: 'NotifyMigrationTaskState' },
  ...{ task: 'copy', message: 'FAILED', attempts: 0, quarantined: false },
};
const rows = (...entries: readonly Partial<OutboxEntry>[]): string[] =>
  renderOutbox(
    entries.map((entry) => ({ ...ENTRY, ...entry })),
    VIEW,
  );

test('nothing pending is no line', () => {
  expect(renderOutbox([], VIEW)).toEqual([]);
});

test('what has not been tried yet has no number of tries, and comes now', () => {
  expect(rows({})).toEqual(['JOB   RUN  TO   REPORT  NEXT', 'copy    2  hub  FAILED  now']);
});

test('age, tries and the time of the next one', () => {
  const since = '2026-11-22T02:00:00.000Z';
  const nextTryAt = '2026-11-22T03:00:20.000Z';
  expect(
    rows(
      { since, attempts: 1, nextTryAt },
      { job: 'a\u0007b', attempts: 12, lastError: 'no\nway' },
    ),
  ).toEqual([
    'JOB   RUN  TO   REPORT    AGE  TRIES  NEXT    LAST ERROR',
    'copy    2  hub  FAILED  1h00m      1  in 20s',
    'a b     2  hub  FAILED            12  now     no way',
  ]);
});

test('a status is shown alone, every other call with its operation; what is refused is red', () => {
  const put = { operation: 'PutResourceAttributes', message: 'FQDN' } as const;
  const set = { operation: 'SetTaskStatus', destination: 'dataPipeline' } as const;
  expect(rows(put, { ...set, quarantined: true }).slice(1)).toEqual([
    'copy    2  hub       PutResourceAttributes FQDN  now',
    'copy    2  pipeline  FAILED                      refused',
  ]);
  const view = { ...VIEW, color: true };
  const nextTryAt = '2026-11-22T03:00:20.000Z';
  const shown = renderOutbox(
    [
      { ...ENTRY, quarantined: true },
      { ...ENTRY, nextTryAt },
    ],
    view,
  );
  expect(shown[1]).toContain('\u001b[31mrefused');
  expect(shown[2]).toContain('\u001b[33min 20s');
});
