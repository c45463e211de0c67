/** The home region, then the stream: once each, and again only when an answer says so. */
import { describe, expect, test } from 'vitest';
import { MINUTE_MS, SECOND_MS } from '../../../src/core/lib/time.ts';
import type { Outcome } from '../../../src/core/model/call.ts';
import { Desk, REFUSED, UNAVAILABLE, accepted, failing } from '../../support/desk.ts';
import type { DeskOptions } from '../../support/desk.ts';
import { HUB, definition } from '../../support/settings.ts';

const CREATE = 'CreateProgressUpdateStream';
const DENIED: Outcome = { kind: 'denied', reason: 'AccessDeniedException' };
const NO_REGION: Outcome = { kind: 'no-home-region', reason: 'HomeRegionNotSetException' };

function operations(desk: Desk): string[] {
  return desk.calls.map(({ operation }) => operation);
}

function deskOf(options: DeskOptions = {}): Desk {
  return new Desk({ jobs: [definition('copy')], ...options });
}

test('the region is asked for once, then the stream is made there', () => {
  const desk = deskOf();
  desk.pass(5 * MINUTE_MS);
  expect(desk.calls).toEqual([
    { operation: 'GetHomeRegion' },
    { operation: CREATE, region: 'eu-central-1', stream: 'test-stream' },
  ]);
  expect(desk.eventNames()).toEqual(
    expect.arrayContaining(['hub.home_region', 'hub.stream_ready']),
  );
});

test('the next agent knows both', () => {
  const first = deskOf();
  const next = deskOf({ state: first.state });
  next.pass(MINUTE_MS);
  expect(next.calls).toEqual([]);
});

test.each<[string, NonNullable<DeskOptions['settings']>, string[]]>([
  [
    'a configured region is not asked for',
    { migrationHub: { ...HUB, region: 'us-west-2' } },
    [CREATE],
  ],
  [
    'a stream of somebody else is not made',
    { migrationHub: { ...HUB, createStream: false } },
    ['GetHomeRegion'],
  ],
])('%s', (_what, over, expected) => {
  const desk = deskOf({ settings: over });
  desk.pass(MINUTE_MS);
  expect(operations(desk)).toEqual(expected);
});

test('without the destination nothing is called', () => {
  const { migrationHub, ...none } = { migrationHub: undefined };
  expect([migrationHub, none]).toEqual([undefined, {}]);
  const desk = new Desk({ settings: { migrationHub: undefined as never } });
  desk.pass(MINUTE_MS);
  expect(desk.calls).toEqual([]);
});

test('an outage is retried with growing pauses', () => {
  const desk = deskOf({ answers: failing('GetHomeRegion', UNAVAILABLE), random: () => 1 });
  desk.pass(10 * SECOND_MS);
  // After 1 s, 2 s more, 4 s more.
  expect(operations(desk)).toHaveLength(4);
  desk.answers = accepted;
  desk.pass(MINUTE_MS);
  expect(operations(desk)).toContain(CREATE);
});

describe('without a home region', () => {
  test.each<[string, Outcome]>([
    ['refused', NO_REGION],
    ['answered empty', { kind: 'accepted', answer: {} }],
  ])('(%s) it is asked for every two minutes, and shown', (_how, outcome) => {
    const desk = deskOf({ answers: failing('GetHomeRegion', outcome) });
    desk.pass(2 * MINUTE_MS - 2_000);
    expect(operations(desk)).toEqual(['GetHomeRegion']);
    expect(desk.planner.view().hub.obstacle).toMatch(
      /has no home region \(.*\); set one, all reports wait/,
    );
    expect(desk.eventNames().filter((name) => name === 'hub.no_home_region')).toHaveLength(1);
    desk.answers = accepted;
    desk.pass(10 * MINUTE_MS);
    expect(desk.planner.view().hub.obstacle).toBeUndefined();
    expect(desk.planner.view().hub.isReady).toBe(true);
  });
});

describe('a stream that may not be created', () => {
  test('is assumed to exist, and reports are tried', () => {
    const desk = deskOf({ answers: failing(CREATE, DENIED) });
    desk.start('copy');
    desk.pass(MINUTE_MS);
    expect(operations(desk)).toContain('NotifyMigrationTaskState');
    expect(desk.planner.view().hub.obstacle).toBeUndefined();
  });

  test('is a problem as soon as a report finds it missing, until it is made', () => {
    let isMade = false;
    const desk = deskOf({
      answers: (call) => {
        if (isMade) return accepted(call);
        if (call.operation === CREATE) return DENIED;
        if (call.operation !== 'ImportMigrationTask') return accepted(call);
        return { kind: 'missing', reason: 'no stream' };
      },
    });
    desk.start('copy');
    desk.pass(MINUTE_MS);
    expect(desk.planner.view().hub.isReady).toBe(false);
    expect(desk.planner.view().hub.obstacle).toMatch(
      /^the progress update stream eu-central-1\/test-stream does not exist, and CreateProgressUpdateStream fails: AccessDeniedException; allow/,
    );
    isMade = true;
    desk.pass(20 * MINUTE_MS);
    expect(desk.planner.view().hub.obstacle).toBeUndefined();
    expect(operations(desk)).toContain('NotifyMigrationTaskState');
  });

  test('and is refused, may be in the wrong region: that is asked for again', () => {
    const desk = deskOf({ answers: failing(CREATE, REFUSED) });
    desk.pass(10 * SECOND_MS);
    expect(desk.callsOf('GetHomeRegion').length).toBeGreaterThan(1);
  });
});

test('a known region stays in use while GetHomeRegion is denied', () => {
  const state = deskOf().state;
  const desk = deskOf({
    state,
    answers: (call) => (call.operation === 'GetHomeRegion' ? DENIED : accepted(call)),
  });
  desk.start('copy');
  desk.planner.view().hub.confirmRegion(desk.now.bootMs + 1);
  desk.pass(MINUTE_MS);
  expect(desk.callsOf('GetHomeRegion')).toHaveLength(1);
  expect(desk.planner.view().hub.region).toBe('eu-central-1');
  expect(desk.planner.view().hub.isRegionDoubtful).toBe(false);
});

describe('the time is asked for where no other call shows it', () => {
  const asked = (answer: Outcome): Desk => {
    const desk = deskOf({ settings: { migrationHub: { ...HUB, region: 'us-west-2' } } });
    desk.answers = (call) => (call.operation === 'GetHomeRegion' ? answer : accepted(call));
    desk.planner.view().hub.askTime();
    desk.pass(5 * MINUTE_MS);
    return desk;
  };

  test.each<[Outcome]>([[DENIED], [REFUSED], [NO_REGION], [{ kind: 'accepted', answer: {} }]])(
    'once, if the answer is %j',
    (answer) => {
      const desk = asked(answer);
      expect(desk.callsOf('GetHomeRegion')).toHaveLength(1);
      expect(desk.planner.view().hub.isTimeAsked).toBe(false);
    },
  );

  test.each<[Outcome]>([[UNAVAILABLE], [{ kind: 'throttled', reason: 'ThrottlingException' }]])(
    'again, if it is %j',
    (answer) => {
      const desk = asked(answer);
      expect(desk.callsOf('GetHomeRegion').length).toBeGreaterThan(3);
      expect(desk.planner.view().hub.isTimeAsked).toBe(true);
    },
  );
});
