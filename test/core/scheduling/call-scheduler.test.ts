/** Which call is made when a gate opens, which slots go back, and what an answer means for the operation. */
import { describe, expect, test } from 'vitest';
import { after } from '../../../src/core/lib/time.ts';
import type { Now } from '../../../src/core/lib/time.ts';
import type { Action } from '../../../src/core/model/action.ts';
import type { Call, Operation, Outcome } from '../../../src/core/model/call.ts';
import type { PendingCall } from '../../../src/core/scheduling/call-queue.ts';
import { CallScheduler } from '../../../src/core/scheduling/call-scheduler.ts';
import { Pacing } from '../../../src/core/scheduling/pacing.ts';
import type { Reporter } from '../../../src/core/scheduling/reporter.ts';
import { Reporters } from '../../../src/core/scheduling/reporters.ts';
import { ResumeHold } from '../../../src/core/scheduling/resume-hold.ts';
import { Durability } from '../../../src/core/state/durability.ts';
import { PersistentState } from '../../../src/core/state/persistent-state.ts';
import { Timeline } from '../../../src/core/state/timeline.ts';
import { START, UNAVAILABLE } from '../../support/desk.ts';
import { settings } from '../../support/settings.ts';

const REPORT = 'ReportTaskProgress';
const STATUS = 'SetTaskStatus';
const OK: Outcome = { kind: 'accepted', answer: {} };

/** Has the pending call that the test gives it, and remembers what it was told. */
class TestReporter implements Reporter {
  readonly key: string;
  pending: PendingCall | undefined;
  /** What it builds when its turn comes; `undefined`: the call is no longer needed. */
  built: Call | undefined;
  readonly settledWith: string[] = [];

  constructor(key: string, pending: Partial<PendingCall> = {}) {
    this.key = key;
    this.pending = { operation: REPORT, readyAtMs: 0, sinceMs: 0, ...pending };
    const { operation } = this.pending;
    this.built = { operation, taskId: key } as Call;
  }

  next(): PendingCall | undefined {
    return this.pending;
  }

  call(): Call | undefined {
    return this.built;
  }

  settled(_call: Call, outcome: Outcome): { type: 'runner-terminated' } {
    this.settledWith.push(outcome.kind);
    this.pending = undefined;
    return { type: 'runner-terminated' };
  }
}

function schedulerOf(...given: TestReporter[]) {
  const state = new PersistentState();
  const parts = {
    settings: { current: settings() },
    pacing: new Pacing(),
    reporters: new Reporters(),
    durability: new Durability(),
    resumeHold: new ResumeHold(),
    timeline: new Timeline(state),
    random: () => 1,
  };
  for (const reporter of given) parts.reporters.add(reporter);
  const calls = new CallScheduler(parts);
  let now = START;
  calls.refresh(now);
  const decide = (): string[] => calls.decide(now).map(text);
  const settle = (id: number, outcome: Outcome, sentAt = now) => {
    const reporter = given[id - 1];
    const call = { operation: REPORT, taskId: reporter?.key ?? '' } as const;
    return calls.settled({ type: 'call-settled', id, call, outcome, sentAt }, now);
  };
  const pass = (ms: number): Now => (now = after(now, ms));
  const events = () => [...state.takeChanges().events].map(({ event, fields }) => [event, fields]);
  return { ...parts, calls, decide, settle, pass, events, now: () => now };
}

function text(action: Action): string {
  if (action.type === 'ask-gate') return `ask ${action.slots} ${action.operation}`;
  if (action.type === 'return-slots') return `return ${action.slots} ${action.operation}`;
  if (action.type !== 'call') return action.type;
  return `call ${action.id} ${'taskId' in action.call ? action.call.taskId : ''}`;
}

describe('a gate', () => {
  test('is asked for what is ready, once', () => {
    const { decide } = schedulerOf(
      ...[new TestReporter('a'), new TestReporter('b')],
      new TestReporter('later', { readyAtMs: START.bootMs + 1 }),
    );
    expect(decide()).toEqual([`ask 2 ${REPORT}`]);
    expect(decide()).toEqual([]);
  });

  test('that opens makes the most urgent call, built at that moment', () => {
    const [a, b] = [new TestReporter('a', { sinceMs: 5 }), new TestReporter('b', { sinceMs: 3 })];
    const { calls, decide } = schedulerOf(a, b);
    decide();
    b.built = { operation: REPORT, taskId: 'b, as it is now' };
    calls.gateOpened(REPORT, 1);
    expect(decide()).toEqual(['call 1 b, as it is now']);
    calls.gateOpened(REPORT, 1);
    expect(decide()).toEqual(['call 2 a']);
  });

  test('gets back what is not used', () => {
    const { calls, decide, reporters } = schedulerOf(new TestReporter('a'));
    decide();
    reporters.remove('a');
    calls.refresh(START);
    calls.gateOpened(REPORT, 3);
    expect(decide()).toEqual([`return 3 ${REPORT}`]);
    expect(decide()).toEqual([]);
  });

  test('that gives more than may be in flight gets the rest back', () => {
    const many = Array.from({ length: 40 }, (_, i) => new TestReporter(`r${i}`));
    const { calls, decide } = schedulerOf(...many);
    expect(decide()).toEqual([`ask 32 ${REPORT}`]);
    calls.gateOpened(REPORT, 40);
    const actions = decide();
    expect(actions.filter((one) => one.startsWith('call'))).toHaveLength(32);
    expect(actions).toContain(`return 8 ${REPORT}`);
  });

  test('is asked for each operation apart', () => {
    const { decide } = schedulerOf(
      ...[new TestReporter('a'), new TestReporter('b', { operation: STATUS })],
    );
    expect(decide()).toEqual([`ask 1 ${REPORT}`, `ask 1 ${STATUS}`]);
  });
});

describe('a reporter', () => {
  test('that needs its call no more, or another, is passed over', () => {
    const [a, b, c] = [new TestReporter('a'), new TestReporter('b'), new TestReporter('c')];
    const { calls, decide } = schedulerOf(a, b, c);
    decide();
    a.built = undefined;
    b.built = { operation: STATUS, taskId: 'b', status: 'FINISHED' };
    calls.gateOpened(REPORT, 3);
    expect(decide()).toEqual(['call 1 c', `return 2 ${REPORT}`]);
    // They are asked again what they need.
    a.pending = { operation: STATUS, readyAtMs: 0, sinceMs: 0 };
    b.pending = undefined;
    calls.refresh(START);
    expect(decide()).toEqual([`ask 1 ${STATUS}`]);
  });

  test('has one call in flight', () => {
    const a = new TestReporter('a');
    const { calls, decide, reporters } = schedulerOf(a);
    decide();
    calls.gateOpened(REPORT, 1);
    decide();
    reporters.touch('a');
    calls.refresh(START);
    expect(decide()).toEqual([]);
  });

  test('that was replaced gets the answer to its own call, and the new one its turn', () => {
    const old = new TestReporter('a');
    const { calls, decide, reporters, settle } = schedulerOf(old);
    decide();
    calls.gateOpened(REPORT, 1);
    decide();
    const next = new TestReporter('a');
    reporters.add(next);
    calls.refresh(START);
    expect(decide()).toEqual([]);
    expect(settle(1, OK)).toEqual({ type: 'runner-terminated' });
    expect([old.settledWith, next.settledWith]).toEqual([['accepted'], []]);
    calls.refresh(START);
    expect(decide()).toEqual([`ask 1 ${REPORT}`]);
  });
});

describe('an answer', () => {
  function answered(outcome: Outcome, times = 1) {
    const a = new TestReporter('a');
    const made = schedulerOf(a);
    for (let id = 1; id <= times; id++) {
      a.pending = { operation: REPORT, readyAtMs: 0, sinceMs: 0 };
      made.reporters.touch('a');
      made.calls.refresh(made.now());
      made.decide();
      made.calls.gateOpened(REPORT, 1);
      made.decide();
      made.events();
      made.calls.settled(
        {
          ...{ type: 'call-settled', id, outcome, sentAt: made.now() },
          call: { operation: REPORT, taskId: 'a' },
        },
        made.now(),
      );
      made.pass(120_000);
    }
    return made;
  }

  test('that is accepted has no event, and ends the flight', () => {
    const { events, pacing } = answered(OK);
    expect(pacing.of(REPORT).inFlight).toBe(0);
    expect(events()).toEqual([]);
  });

  test('that fails is an event with the pause that follows', () => {
    expect(answered(UNAVAILABLE).events()).toEqual([
      [
        'report.failed',
        {
          ...{ operation: REPORT, outcome: 'unavailable', reason: 'ECONNREFUSED' },
          pausedForMs: 500,
        },
      ],
    ]);
    const throttled: Outcome = { kind: 'throttled', reason: 'slow down', retryAfterMs: 7_000 };
    expect(answered(throttled).events()).toEqual([
      [
        'report.throttled',
        {
          ...{ operation: REPORT, outcome: 'throttled', reason: 'slow down' },
          pausedForMs: 7_000,
        },
      ],
    ]);
  });

  test('that blames the payload pauses nothing', () => {
    const [[event, fields] = []] = answered({ kind: 'refused', reason: 'bad' }).events();
    expect([event, fields]).toEqual([
      'report.failed',
      { operation: REPORT, outcome: 'refused', reason: 'bad' },
    ]);
  });

  test('of an operation that fails for the third time says so', () => {
    expect(answered(UNAVAILABLE, 2).events()).toHaveLength(1);
    expect(answered(UNAVAILABLE, 3).events()[1]).toEqual([
      ...['service.failing', { operation: REPORT, outcome: 'unavailable', reason: 'ECONNREFUSED' }],
    ]);
  });

  test('that is the first accepted one after that says so too', () => {
    const made = answered(UNAVAILABLE, 3);
    const { calls, decide, events, reporters } = made;
    reporters.add(new TestReporter('b'));
    calls.refresh(made.now());
    decide();
    calls.gateOpened(REPORT, 1);
    decide();
    events();
    const call = { operation: REPORT, taskId: 'b' } as const;
    calls.settled({ type: 'call-settled', id: 4, call, outcome: OK, sentAt: START }, made.now());
    expect(events()).toEqual([['service.recovered', { operation: REPORT }]]);
  });

  test('to a call that nobody made is nothing', () => {
    const { settle } = schedulerOf(new TestReporter('a'));
    expect(settle(7, OK)).toBeUndefined();
  });
});

describe('after a sleep', () => {
  test('only pipeline tasks are reported, and other slots go back', () => {
    const { calls, decide, resumeHold, settle } = schedulerOf(
      ...[new TestReporter('a'), new TestReporter('b', { operation: STATUS })],
    );
    decide();
    resumeHold.begin(['a'], START);
    calls.gateOpened(STATUS, 1);
    calls.gateOpened(REPORT, 1);
    expect(decide()).toEqual(['call 1 a', `return 1 ${STATUS}`]);
    expect(calls.wakeAtMs(START)).toBe(START.bootMs + 10_000);
    settle(1, OK);
    expect(decide()).toEqual([`ask 1 ${STATUS}`]);
  });
});

describe('while the store takes no changes', () => {
  test.each<[string, Partial<PendingCall>, boolean]>([
    ['a heartbeat goes on', { sinceMs: undefined as never }, true],
    ['a change that is on disk goes out', { isDurable: true }, true],
    ['a change that is not waits', {}, false],
  ])('%s', (_what, pending, isMade) => {
    const a = new TestReporter('a', pending);
    if (pending.sinceMs === undefined && 'sinceMs' in pending) {
      a.pending = { operation: REPORT, readyAtMs: 0, deadline: { urgentAtMs: 1, byMs: 2 } };
    }
    const { calls, decide, durability, reporters } = schedulerOf();
    durability.committed(false);
    reporters.add(a);
    calls.refresh(START);
    expect(decide()).toEqual(isMade ? [`ask 1 ${REPORT}`] : []);
  });
});

describe('when to wake up', () => {
  test('when the next reporter is ready', () => {
    const later = new TestReporter('a', { readyAtMs: START.bootMs + 700 });
    expect(schedulerOf(later).calls.wakeAtMs(START)).toBe(START.bootMs + 700);
    expect(schedulerOf(new TestReporter('a')).calls.wakeAtMs(START)).toBe(Infinity);
    expect(schedulerOf().calls.wakeAtMs(START)).toBe(Infinity);
  });

  test('when a pause ends, and not before', () => {
    const { calls, pacing } = schedulerOf(new TestReporter('a'));
    pacing.of(REPORT).pausedUntilMs = START.bootMs + 900;
    expect(calls.wakeAtMs(START)).toBe(START.bootMs + 900);
    const later = schedulerOf(new TestReporter('a', { readyAtMs: START.bootMs + 700 }));
    later.pacing.of(REPORT).pausedUntilMs = START.bootMs + 900;
    expect(later.calls.wakeAtMs(START)).toBe(START.bootMs + 900);
  });

  test('for whatever comes first', () => {
    const { calls } = schedulerOf(
      ...[700, 300].map((ms, i) => {
        const operation: Operation = i === 0 ? REPORT : STATUS;
        return new TestReporter(`${i}`, { operation, readyAtMs: START.bootMs + ms });
      }),
    );
    expect(calls.wakeAtMs(START)).toBe(START.bootMs + 300);
  });
});

describe('whether something is left to send', () => {
  const UNTIL_MS = START.bootMs + 5_000;
  test('a ready call is, one that is ready later is not', () => {
    expect(schedulerOf(new TestReporter('a')).calls.isBusy(START, UNTIL_MS)).toBe(true);
    const later = new TestReporter('a', { readyAtMs: START.bootMs + 1 });
    expect(schedulerOf(later).calls.isBusy(START, UNTIL_MS)).toBe(false);
  });

  test('not if its operation pauses until then', () => {
    const { calls, pacing } = schedulerOf(new TestReporter('a'));
    pacing.of(REPORT).pausedUntilMs = UNTIL_MS;
    expect(calls.isBusy(START, UNTIL_MS)).toBe(false);
    pacing.of(REPORT).pausedUntilMs = UNTIL_MS - 1;
    expect(calls.isBusy(START, UNTIL_MS)).toBe(true);
  });

  test('a call in flight is; a poll is not', () => {
    const { calls, decide, settle } = schedulerOf(new TestReporter('a'));
    decide();
    calls.gateOpened(REPORT, 1);
    decide();
    expect(calls.isBusy(START, UNTIL_MS)).toBe(true);
    settle(1, OK);
    calls.refresh(START);
    expect(calls.isBusy(START, UNTIL_MS)).toBe(false);
    const poll = new TestReporter('a', { operation: 'PollForTask' });
    expect(schedulerOf(poll).calls.isBusy(START, UNTIL_MS)).toBe(false);
  });
});
