import { describe, expect, test } from 'vitest';
import { nextStep, tightened } from '../../../src/core/runs/stop-escalation.ts';
import type { Ending } from '../../../src/core/model/job.ts';
import type { Escalation, EscalationStep } from '../../../src/core/runs/stop-escalation.ts';
import { HOUR_MS } from '../../../src/core/lib/time.ts';

const SINCE = { wallMs: 0, bootMs: 1000 };

/** Goes through the whole escalation of a tree that never ends. Returns each step with its time since the start. */
function climbAll(graceMs: number): [EscalationStep, number][] {
  const ending = { cause: 'operator', detail: '', since: SINCE, graceMs } as const;
  const climb: Escalation = { lastLookAtMs: -Infinity };
  const taken: [EscalationStep, number][] = [];
  let bootMs = SINCE.bootMs;
  for (;;) {
    const { step, atMs } = nextStep(ending, climb, { wallMs: 0, bootMs });
    if (step === undefined) {
      expect(atMs).toBeGreaterThan(bootMs);
      bootMs = atMs;
      continue;
    }
    taken.push([step, bootMs - SINCE.bootMs]);
    climb.lastLookAtMs = bootMs;
    if (step === 'signal') climb.signalledAtMs = bootMs;
    if (step === 'kill') climb.killedAtMs ??= bootMs;
    if (step === 'give-up') return taken;
  }
}

test('signal, check, kill at the end of the grace, give up ten seconds later', () => {
  const taken = climbAll(3000);
  expect(taken.slice(0, 5)).toEqual([
    ['signal', 0],
    ['check', 100],
    ['check', 1100],
    ['check', 2100],
    ['kill', 3000],
  ]);
  const kills = taken.filter(([step]) => step === 'kill');
  expect(kills.length).toBeGreaterThanOrEqual(39);
  expect(taken.at(-1)).toEqual(['give-up', 13000]);
});

test('processes that cannot be seen are killed again and again: an empty list of survivors is no reason to give up', () => {
  const ending = { cause: 'operator', detail: '', since: SINCE, graceMs: 0 } as const;
  const escalation = { killedAtMs: SINCE.bootMs, lastLookAtMs: SINCE.bootMs };
  const now = { wallMs: 0, bootMs: SINCE.bootMs + HOUR_MS };
  expect(nextStep(ending, escalation, now, false).step).toBe('kill');
  expect(nextStep(ending, escalation, now, true).step).toBe('give-up');
});

test('without a grace the first step is SIGKILL', () => {
  expect(climbAll(0)[0]).toEqual(['kill', 0]);
});

test('an agent that comes back after the grace kills at once', () => {
  const ending = { cause: 'service', detail: '', since: SINCE, graceMs: 1000 } as const;
  // However long the agent was away: a process that was sent no SIGKILL cannot have outlived it.
  for (const bootMs of [5000, HOUR_MS]) {
    expect(nextStep(ending, { lastLookAtMs: 0 }, { wallMs: 0, bootMs }).step).toBe('kill');
  }
});

describe('a second ending', () => {
  const ending = (over: Partial<Ending>): Ending => ({
    ...{ cause: 'operator', detail: 'first', since: SINCE, graceMs: 10_000, ...over },
  });
  const later = (over: Partial<Ending>): Ending =>
    ending({ detail: 'later', since: { wallMs: 0, bootMs: SINCE.bootMs + 2_000 }, ...over });

  test('shortens what is left of the grace, and never makes it longer', () => {
    const before = ending({});
    expect(tightened(before, later({ graceMs: 7_999 }), true)).toEqual({
      ...{ ...before, graceMs: 9_999 },
    });
    for (const graceMs of [8_000, 8_001]) {
      expect(tightened(before, later({ graceMs }), true)).toBe(before);
    }
    expect(tightened(before, later({ graceMs: 0 }), true).graceMs).toBe(2_000);
  });

  test('by an operator who names no grace changes nothing, however short the job’s own is', () => {
    const before = ending({ graceMs: 3_600_000 });
    expect(tightened(before, later({ graceMs: 1 }), false)).toBe(before);
    expect(tightened(before, later({ cause: 'timeout', graceMs: 1 }), false).graceMs).toBe(2_001);
  });

  test('has the stricter cause, from the operator over time and service to a task of somebody else', () => {
    const causes = ['operator', 'timeout', 'service', 'fence', 'gone'] as const;
    for (const [i, cause] of causes.entries()) {
      for (const [j, next] of causes.entries()) {
        const found = tightened(ending({ cause }), later({ cause: next, graceMs: 1 }), true);
        expect([found.cause, found.detail]).toEqual(j > i ? [next, 'later'] : [cause, 'first']);
      }
    }
    // A stricter cause alone leaves the grace.
    expect(tightened(ending({}), later({ cause: 'fence' }), true)).toEqual({
      ...ending({ cause: 'fence', detail: 'later' }),
    });
  });
});
