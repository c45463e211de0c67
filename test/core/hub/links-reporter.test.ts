/** Links of a task: each once, none in the way of another, and what follows from each kind of failure. */
import { describe, expect, test } from 'vitest';
import { HOUR_MS, MINUTE_MS } from '../../../src/core/lib/time.ts';
import type { Call, Operation, Outcome } from '../../../src/core/model/call.ts';
import { Desk, REFUSED, UNAVAILABLE, accepted } from '../../support/desk.ts';
import { HUB, HUB_JOB, definition } from '../../support/settings.ts';

const JOB = definition('copy', {
  migrationHub: {
    ...HUB_JOB,
    resourceAttributes: [{ type: 'FQDN', value: 'a.example.com' }],
    discoveredResource: 'd-server-1',
    artifacts: ['arn:a'],
    application: 'app',
  },
});
const LINKS: readonly Operation[] = [
  ...(['PutResourceAttributes', 'AssociateDiscoveredResource', 'NotifyApplicationState'] as const),
  ...(['AssociateCreatedArtifact', 'AssociateSourceResource'] as const),
];

/** The job runs; `answers` speaks for the calls of one operation, the others are accepted. */
function deskWhere(operation: Operation, answers: (call: Call) => Outcome | undefined): Desk {
  const desk = new Desk({
    jobs: [JOB],
    answers: (call) => (call.operation === operation ? answers(call) : accepted(call)),
  });
  desk.start('copy');
  desk.pass(1_000);
  return desk;
}

const linkCalls = (desk: Desk): string[] =>
  desk.calls.map(({ operation }) => operation).filter((operation) => LINKS.includes(operation));

test('each link is sent once, after the import, with the task that it belongs to', () => {
  const desk = deskWhere('GetHomeRegion', accepted);
  desk.pass(MINUTE_MS);
  expect(linkCalls(desk)).toEqual([
    ...['PutResourceAttributes', 'AssociateDiscoveredResource', 'NotifyApplicationState'],
  ]);
  expect(desk.callsOf('AssociateDiscoveredResource')).toEqual([
    {
      ...{ operation: 'AssociateDiscoveredResource', configurationId: 'd-server-1' },
      ...{ region: 'eu-central-1', stream: 'test-stream', task: 'copy' },
    },
  ]);
  const names = desk.calls.map(({ operation }) => operation);
  expect(names.indexOf('ImportMigrationTask')).toBeLessThan(names.indexOf('PutResourceAttributes'));
  expect(desk.task('copy').links).toEqual([]);
});

test('the state of an application has no task, and the service’s time in whole seconds', () => {
  const desk = deskWhere('GetHomeRegion', accepted);
  const [call] = desk.callsOf('NotifyApplicationState');
  expect(call).toEqual({
    ...{ operation: 'NotifyApplicationState', application: 'app', status: 'IN_PROGRESS' },
    ...{ region: 'eu-central-1', stampS: expect.any(Number) as number },
  });
  expect(Math.abs((call?.stampS ?? 0) * 1000 - desk.now.wallMs)).toBeLessThan(2_000);
  expect(Number.isInteger(call?.stampS)).toBe(true);
});

test('nothing is sent before the task is imported', () => {
  const desk = deskWhere('ImportMigrationTask', () => UNAVAILABLE);
  desk.pass(MINUTE_MS);
  expect(linkCalls(desk)).toEqual([]);
});

test('a link that fails is repeated alone, and delays no other', () => {
  let isDown = true;
  const desk = deskWhere('AssociateDiscoveredResource', (call) =>
    isDown ? UNAVAILABLE : accepted(call),
  );
  desk.pass(20_000);
  expect(desk.callsOf('PutResourceAttributes')).toHaveLength(1);
  expect(desk.callsOf('NotifyApplicationState')).toHaveLength(1);
  expect(desk.callsOf('AssociateDiscoveredResource').length).toBeGreaterThan(2);
  expect(desk.task('copy').links).toHaveLength(1);
  isDown = false;
  desk.pass(MINUTE_MS);
  expect(desk.task('copy').links).toEqual([]);
});

test('an operation without its policy is left alone for an hour, the others go on', () => {
  const desk = deskWhere('AssociateDiscoveredResource', () => ({
    ...{ kind: 'disabled', reason: 'no Discovery role' },
  }));
  desk.pass(HOUR_MS - 2_000);
  expect(desk.callsOf('AssociateDiscoveredResource')).toHaveLength(1);
  expect(desk.task('copy').links).toHaveLength(1);
  expect(desk.eventNames()).toContain('hub.feature_disabled');
  desk.pass(4_000);
  expect(desk.callsOf('AssociateDiscoveredResource')).toHaveLength(2);
});

describe('a link that is refused', () => {
  test('goes into quarantine when the region is confirmed, with its reason', () => {
    const desk = deskWhere('AssociateDiscoveredResource', () => REFUSED);
    desk.pass(MINUTE_MS);
    expect(desk.task('copy')).toMatchObject({
      links: [],
      quarantine: [
        {
          ...{ run: 'copy/1', reason: 'ValidationException' },
          link: { operation: 'AssociateDiscoveredResource', configurationId: 'd-server-1' },
        },
      ],
    });
    const event = desk.events.find(({ event: name }) => name === 'report.refused');
    expect(event).toMatchObject({
      run: 'copy/1',
      fields: { task: 'copy', operation: 'AssociateDiscoveredResource' },
    });
  });

  test('after an outage in which the home region moved is sent again there', () => {
    let region = 'eu-central-1';
    let isOut = true;
    let notified = 0;
    const desk = new Desk({
      jobs: [JOB],
      answers: (call) => {
        if (call.operation === 'GetHomeRegion') {
          return { kind: 'accepted', answer: { homeRegion: region } };
        }
        // The refusal of a report asks for the region, which is confirmed in the outage of the link.
        if (call.operation === 'NotifyMigrationTaskState' && (notified += 1) === 2) return REFUSED;
        if (call.operation !== 'AssociateDiscoveredResource') return accepted(call);
        if (isOut) return UNAVAILABLE;
        return call.region === region ? accepted(call) : REFUSED;
      },
    });
    desk.start('copy');
    desk.pass(4 * MINUTE_MS);
    expect(desk.callsOf('GetHomeRegion')).toHaveLength(2);
    [region, isOut] = ['us-west-2', false];
    desk.pass(2 * MINUTE_MS);
    expect(desk.task('copy')).toMatchObject({ links: [] });
    expect(desk.task('copy').quarantine).toBeUndefined();
    expect(desk.callsOf('AssociateDiscoveredResource').at(-1)?.region).toBe('us-west-2');
  });

  test('because the home region moved while it was in flight is sent again there', () => {
    let region = 'eu-central-1';
    const desk = new Desk({
      jobs: [JOB],
      answers: (call) => {
        if (call.operation === 'GetHomeRegion') {
          return { kind: 'accepted', answer: { homeRegion: region } };
        }
        if (call.operation !== 'AssociateDiscoveredResource') return accepted(call);
        return call.region === 'eu-central-1' ? undefined : accepted(call);
      },
    });
    desk.start('copy');
    desk.pass(1_000);
    region = 'us-west-2';
    desk.settle('AssociateDiscoveredResource', REFUSED);
    expect(desk.task('copy').quarantine).toBeUndefined();
    desk.pass(MINUTE_MS);
    expect(desk.task('copy')).toMatchObject({ links: [] });
    expect(desk.task('copy').quarantine).toBeUndefined();
    expect(desk.callsOf('AssociateDiscoveredResource').map((call) => call.region)).toEqual([
      ...['eu-central-1', 'us-west-2'],
    ]);
  });
});

describe('"not found"', () => {
  const missing: Outcome = { kind: 'missing', reason: 'ResourceNotFoundException' };

  test('imports the task once more; if it stays, the resource is to blame', () => {
    const desk = deskWhere('AssociateDiscoveredResource', () => missing);
    desk.pass(5 * MINUTE_MS);
    expect(desk.callsOf('ImportMigrationTask')).toHaveLength(2);
    expect(desk.callsOf('AssociateDiscoveredResource').length).toBeGreaterThanOrEqual(2);
    expect(desk.task('copy').quarantine).toHaveLength(1);
  });

  test('of an application says nothing of the task', () => {
    const desk = deskWhere('NotifyApplicationState', () => missing);
    desk.pass(5 * MINUTE_MS);
    expect(desk.callsOf('ImportMigrationTask')).toHaveLength(1);
    expect(desk.task('copy').quarantine).toHaveLength(1);
  });
});

test('after a success the artifacts follow, also if another run has begun', () => {
  const desk = deskWhere('GetHomeRegion', accepted);
  desk.exit(desk.runOf('copy'));
  desk.start('copy');
  desk.pass(MINUTE_MS);
  expect(desk.callsOf('AssociateCreatedArtifact')).toHaveLength(1);
  const states = desk.callsOf('NotifyApplicationState').map(({ status }) => status);
  expect(states.at(-1)).toBe('IN_PROGRESS');
});

test('with the destination turned off nothing is sent', () => {
  const desk = new Desk({ jobs: [JOB], answers: () => undefined });
  desk.start('copy');
  const { migrationHub } = JOB;
  expect([migrationHub !== undefined, HUB.createStream]).toEqual([true, true]);
  expect(linkCalls(desk)).toEqual([]);
});

test('outbox retry sends a link that failed at once', () => {
  const desk = deskWhere('PutResourceAttributes', () => UNAVAILABLE);
  desk.pass(5 * MINUTE_MS);
  const sent = () => linkCalls(desk).filter((name) => name === 'PutResourceAttributes').length;
  const before = sent();
  desk.post({ type: 'outbox-requested', action: 'retry', by: 'anna', choice: {} });
  desk.pass(1);
  expect(sent()).toBe(before + 1);
});

test('a link that is refused counts for the run that has the task now', () => {
  const desk = deskWhere('PutResourceAttributes', () => undefined);
  desk.exit(desk.runOf('copy'));
  desk.pass(1_000);
  desk.answers = (call) =>
    call.operation === 'NotifyMigrationTaskState' ? undefined : accepted(call);
  desk.start('copy');
  desk.settle('PutResourceAttributes', REFUSED);
  desk.answers = (call) => (call.operation === 'PutResourceAttributes' ? REFUSED : accepted(call));
  desk.pass(MINUTE_MS);
  expect(desk.task('copy').quarantine?.map(({ run }) => run)).toEqual(['copy/2']);
});
