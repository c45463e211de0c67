/** Which runs are forgotten, and when: only old ones of names that the configuration does not have. */
import { describe, expect, test } from 'vitest';
import { DAY_MS, after } from '../../../src/core/lib/time.ts';
import type { Now } from '../../../src/core/lib/time.ts';
import type { Run } from '../../../src/core/model/job.ts';
import { RunRetention } from '../../../src/core/runs/retention.ts';
import { ServiceClock } from '../../../src/core/scheduling/service-clock.ts';
import { PersistentState } from '../../../src/core/state/persistent-state.ts';
import { RunIndex } from '../../../src/core/state/run-index.ts';
import { Timeline } from '../../../src/core/state/timeline.ts';
import { START, aRun } from '../../support/desk.ts';
import { HUB, definition, settings } from '../../support/settings.ts';

const KEEP_MS = 30 * DAY_MS;
const LATER = after(START, KEEP_MS);
const PASS_MS = 30_000;

function ended(number: number, over: Partial<Run> = {}): Run {
  return aRun({
    job: 'old',
    id: `old/${number}`,
    number,
    state: 'failed',
    endedAt: START,
    agesFromMs: START.wallMs,
    ...over,
  });
}

function retentionOf(
  runs: readonly Run[],
  options: { isClockKnown?: boolean; hasHub?: boolean } = {},
) {
  const { isClockKnown = true, hasHub = true } = options;
  const state = new PersistentState();
  for (const run of runs) state.recoverRun(run);
  const clock = new ServiceClock({ state, timeline: new Timeline(state) }, START);
  if (isClockKnown) clock.learn(START.wallMs - 500, START, START);
  const index = new RunIndex(state);
  const forgotten: string[] = [];
  const { migrationHub, ...none } = settings({ jobs: new Map([['copy', definition('copy')]]) });
  const retention = new RunRetention({
    ...{ clock, index, state },
    settings: { current: hasHub ? { ...none, migrationHub: migrationHub ?? HUB } : none },
    forget: (run) => {
      forgotten.push(run.id);
      state.dropRun(run);
      index.remove(run);
    },
  });
  const passed = (now: Now): string[] => {
    retention.timePassed(now);
    return forgotten.splice(0);
  };
  return { retention, passed, state };
}

test('an ended run of a name that is not configured goes after the time that runs are kept', () => {
  const { passed } = retentionOf([ended(1), ended(1, { job: 'copy', id: 'copy/1' })]);
  expect(passed(after(LATER, -1))).toEqual([]);
  // The next pass comes half a minute later.
  expect(passed(after(LATER, 29_998))).toEqual([]);
  expect(passed(after(LATER, 29_999))).toEqual(['old/1']);
});

test.each<[string, Partial<Run>]>([
  ['that lives', { state: 'running' }],
  ['without a time of its end', { endedAt: undefined as never }],
  ['of which a report is pending', { hub: { task: 'old', delivery: { state: 'pending' } } }],
])('a run %s stays', (_what, over) => {
  expect(retentionOf([ended(1, over)]).passed(LATER)).toEqual([]);
});

describe('its age', () => {
  test('counts from when it was first seen ended, whatever the clock of the host showed at its end', () => {
    for (const wrongMs of [-56, -5, 30].map((years) => years * 365 * DAY_MS)) {
      const wrong = { wallMs: START.wallMs + wrongMs, bootMs: START.bootMs - 10 * 365 * DAY_MS };
      const run = ended(1, { endedAt: wrong });
      delete run.agesFromMs;
      const { passed } = retentionOf([run]);
      expect(passed(START)).toEqual([]);
      expect(run.agesFromMs).toBe(START.wallMs);
      expect(passed(after(LATER, -1))).toEqual([]);
      expect(passed(after(LATER, PASS_MS))).toEqual(['old/1']);
    }
  });

  test('that began to count by a clock of the future counts anew', () => {
    const run = ended(1, { agesFromMs: START.wallMs + 10 * 365 * DAY_MS });
    const { passed } = retentionOf([run]);
    expect(passed(START)).toEqual([]);
    expect(run.agesFromMs).toBe(START.wallMs);
    expect(passed(LATER)).toEqual(['old/1']);
  });

  test('is the lesser by both clocks of a host that reports to no service', () => {
    const options = { isClockKnown: false, hasHub: false };
    const byBoot = { wallMs: LATER.wallMs, bootMs: LATER.bootMs - 1 };
    const byWall = { wallMs: LATER.wallMs - 1, bootMs: LATER.bootMs };
    expect(retentionOf([ended(1)], options).passed(byBoot)).toEqual([]);
    expect(retentionOf([ended(1)], options).passed(byWall)).toEqual([]);
    expect(retentionOf([ended(1)], options).passed(LATER)).toEqual(['old/1']);
  });

  test('counts only by a clock that a service has confirmed, if there is one', () => {
    expect(retentionOf([ended(1)], { isClockKnown: false }).passed(LATER)).toEqual([]);
  });
});

test('what is neither old nor new is no work', () => {
  const runs = Array.from({ length: 150 }, (_, i) => ended(i));
  const { passed, retention, state } = retentionOf(runs);
  state.takeChanges();
  expect(passed(after(START, DAY_MS))).toEqual([]);
  expect(retention.nextMs).toBe(Infinity);
  expect([...state.takeChanges().runs]).toEqual([]);
});

test('a run that another host may have stays, and its age does not count', () => {
  const run = ended(1, { copiedHost: true });
  delete run.agesFromMs;
  const { passed } = retentionOf([run]);
  expect([...passed(START), ...passed(LATER)]).toEqual([]);
  expect(run).not.toHaveProperty('agesFromMs');
});

test('with a service that confirms the time, the clock since boot does not count', () => {
  const endedAt = { wallMs: START.wallMs, bootMs: LATER.bootMs };
  expect(retentionOf([ended(1, { endedAt })]).passed(LATER)).toEqual(['old/1']);
});

test('a hundred go in one turn; the others follow at once, if they may still go', () => {
  const runs = Array.from({ length: 150 }, (_, i) => ended(i));
  const { passed, retention } = retentionOf(runs);
  expect(retention.nextMs).toBe(Infinity);
  expect(passed(LATER)).toHaveLength(100);
  expect(retention.nextMs).toBe(0);
  const last = runs.at(-1);
  // An operator has asked for it again.
  if (last !== undefined) last.hub = { task: 'old', delivery: { state: 'pending' } };
  expect(passed(after(LATER, 1))).toHaveLength(49);
  // Its age goes on.
  expect(last?.agesFromMs).toBe(START.wallMs);
  expect(retention.nextMs).toBe(Infinity);
});
