/** The services' clock: when it is believed, what is kept for the next agent, what is worth an event. */
import { describe, expect, test } from 'vitest';
import { DAY_MS, HOUR_MS } from '../../../src/core/lib/time.ts';
import type { Now } from '../../../src/core/lib/time.ts';
import { ServiceClock } from '../../../src/core/scheduling/service-clock.ts';
import { PersistentState } from '../../../src/core/state/persistent-state.ts';
import { Timeline } from '../../../src/core/state/timeline.ts';

const WALL_MS = Date.UTC(2026, 0, 1);
const NOW: Now = { wallMs: WALL_MS, bootMs: 50_000 };
/** Of a clock with a dead battery. */
const IN_1970: Now = { wallMs: 60_000, bootMs: 50_000 };

function clockAt(now: Now, state = new PersistentState()) {
  const clock = new ServiceClock({ state, timeline: new Timeline(state) }, now);
  const taken = () => {
    const changes = state.takeChanges();
    const events = [...changes.events].map(({ event, fields }) => [event, fields]);
    return { events, isSaved: changes.metadata !== undefined };
  };
  /** An answer whose header is ahead of the host by so much. */
  const learn = (aheadMs: number, at = now) => clock.learn(at.wallMs + aheadMs - 500, at, at);
  return { clock, state, taken, learn };
}

test('nothing is known before the first answer: the host stands for the service', () => {
  const { clock } = clockAt(NOW);
  expect([clock.isConfirmed, clock.offsetMs]).toEqual([false, 0]);
  expect(clock.nowMs(NOW)).toBe(WALL_MS);
  expect([clock.isBelieved(NOW), clock.isHostBelieved(NOW)]).toEqual([true, true]);
  expect(clock.isHostWrong).toBe(false);
});

test('an answer moves the clock, and by how much is returned, kept and worth an event', () => {
  const { clock, learn, state, taken } = clockAt(NOW);
  expect(learn(HOUR_MS)).toBe(HOUR_MS);
  expect([clock.isConfirmed, clock.isHostWrong]).toEqual([true, false]);
  expect([clock.offsetMs, clock.nowMs(NOW)]).toEqual([HOUR_MS, WALL_MS + HOUR_MS]);
  expect(state.metadata.clock).toEqual({ offsetMs: HOUR_MS, at: NOW });
  expect(taken()).toEqual({ events: [['clock.offset', { offsetS: 3600 }]], isSaved: true });
});

test.each([
  ['-1.999 s is noise', -1_999, 0],
  ['2 s is the least that counts', 2_000, 2_000],
])('%s', (_what, aheadMs, moved) => {
  const { learn, taken } = clockAt(NOW);
  expect(learn(aheadMs)).toBe(moved);
  expect(taken().events).toHaveLength(moved === 0 ? 0 : 1);
});

test('an offset of zero is kept too, and written again only when it has changed by a second', () => {
  const { learn, state, taken } = clockAt(NOW);
  learn(0);
  expect(state.metadata.clock).toEqual({ offsetMs: 0, at: NOW });
  expect(taken().isSaved).toBe(true);
  learn(0);
  expect(taken().isSaved).toBe(false);
  for (let i = 0; i < 3; i++) learn(10_000);
  expect(taken().isSaved).toBe(true);
  for (let i = 0; i < 9; i++) learn(10_999);
  expect(taken().isSaved).toBe(false);
  for (let i = 0; i < 9; i++) learn(11_000);
  expect(taken().isSaved).toBe(true);
});

describe('the next agent', () => {
  const known = (offsetMs: number): PersistentState => {
    const state = new PersistentState();
    state.metadata = { streams: [], clock: { offsetMs, at: NOW } };
    return state;
  };

  test('begins with what the earlier one knew, and has not seen an answer itself', () => {
    const { clock } = clockAt(NOW, known(HOUR_MS));
    expect([clock.isConfirmed, clock.offsetMs]).toEqual([false, HOUR_MS]);
  });

  test('sees that the host was stepped while no agent ran', () => {
    const later = { wallMs: WALL_MS + 2 * HOUR_MS + 60_000, bootMs: NOW.bootMs + 60_000 };
    expect(clockAt(later, known(HOUR_MS)).clock.offsetMs).toBe(-HOUR_MS);
  });
});

test('a step of the host changes the offset at once, and is kept', () => {
  const { clock, learn, state, taken } = clockAt(NOW);
  clock.hostStepped(HOUR_MS, NOW);
  // Nothing was known: the step may have corrected the host.
  expect([clock.offsetMs, taken().isSaved]).toEqual([0, false]);
  learn(0);
  taken();
  clock.hostStepped(HOUR_MS, NOW);
  expect(state.metadata.clock?.offsetMs).toBe(-HOUR_MS);
  expect(taken().isSaved).toBe(true);
});

describe('whom is believed', () => {
  test('a host in 1970 is not; three answers put the services’ time right, and not the host', () => {
    const { clock } = clockAt(IN_1970);
    expect([clock.isBelieved(IN_1970), clock.isHostBelieved(IN_1970)]).toEqual([false, false]);
    for (let i = 0; i < 3; i++) clock.learn(WALL_MS, IN_1970, IN_1970);
    expect([clock.isBelieved(IN_1970), clock.isHostBelieved(IN_1970)]).toEqual([true, false]);
    expect(clock.isHostWrong).toBe(true);
  });

  test('neither is, while one answer contradicts the host by years', () => {
    const { clock, learn } = clockAt(NOW);
    learn(3_650 * DAY_MS);
    expect([clock.isBelieved(NOW), clock.isHostBelieved(NOW)]).toEqual([false, false]);
    learn(3_650 * DAY_MS);
    learn(3_650 * DAY_MS);
    expect([clock.isBelieved(NOW), clock.isHostBelieved(NOW)]).toEqual([true, true]);
    expect(clock.isHostWrong).toBe(true);
  });

  test('without another answer the host alone is believed again for schedules after 20 s, and for stamps it is not', () => {
    const { clock, learn } = clockAt(NOW);
    learn(3_650 * DAY_MS);
    const at = (ms: number): Now => ({ wallMs: WALL_MS + ms, bootMs: NOW.bootMs + ms });
    expect(clock.isHostBelieved(at(19_999))).toBe(false);
    expect([clock.isHostBelieved(at(20_000)), clock.isBelieved(at(20_000))]).toEqual([true, false]);
  });

  test('a date that is no sample confirms nothing', () => {
    const { clock } = clockAt(NOW);
    clock.learn(60_000, NOW, NOW);
    clock.learn(WALL_MS, { wallMs: WALL_MS - 90_000, bootMs: NOW.bootMs - 90_000 }, NOW);
    expect(clock.isConfirmed).toBe(false);
  });

  test('a host that is a day off is wrong, one that is less is not', () => {
    const right = clockAt(NOW);
    for (let i = 0; i < 3; i++) right.learn(DAY_MS - 1);
    expect(right.clock.isHostWrong).toBe(false);
    const wrong = clockAt(NOW);
    for (let i = 0; i < 3; i++) wrong.learn(-DAY_MS);
    expect(wrong.clock.isHostWrong).toBe(true);
  });
});

describe('what an earlier agent knew', () => {
  const restored = (offsetMs: number, now: Now) => {
    const state = new PersistentState();
    state.metadata.clock = { offsetMs, at: NOW };
    return clockAt(now, state).clock;
  };

  test('stands for the service, whose time is near the last one', () => {
    const clock = restored(20 * DAY_MS, NOW);
    expect([clock.offsetMs, clock.isVouchedFor(NOW)]).toEqual([20 * DAY_MS, true]);
    const behind = restored(-20 * DAY_MS, NOW);
    expect([behind.offsetMs, behind.isVouchedFor(NOW)]).toEqual([-20 * DAY_MS, true]);
  });

  test('is less the step of the host’s clock since, in either direction', () => {
    for (const stepMs of [20 * DAY_MS, -20 * DAY_MS]) {
      const now = { wallMs: NOW.wallMs + stepMs + 1_000, bootMs: NOW.bootMs + 1_000 };
      expect(restored(HOUR_MS, now).offsetMs).toBe(HOUR_MS - stepMs);
    }
  });

  test.each([
    [30 * DAY_MS - 1, true],
    [30 * DAY_MS, false],
    [-HOUR_MS + 1, true],
    [-HOUR_MS, false],
  ])('vouches for a time that is %i ms later: %s', (sinceMs, expected) => {
    const now = { wallMs: NOW.wallMs + sinceMs, bootMs: NOW.bootMs };
    expect(restored(0, NOW).isVouchedFor(now)).toBe(expected);
  });
});

test('an answer with an impossible date moves nothing', () => {
  const { clock, taken } = clockAt(NOW);
  expect(clock.learn(60_000, NOW, NOW)).toBe(0);
  expect([clock.isConfirmed, taken().isSaved]).toEqual([false, false]);
});
