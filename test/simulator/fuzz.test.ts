/** Every request gets an answer: none ends the simulator or breaks one of its pages. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { journalRow } from '../../src/simulator/audit/journal-row.ts';
import { createSimulator } from '../../src/simulator/simulator.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import { createManualClock, HOUR } from './simulator-driver.ts';

/** `REQUESTS=100000` is the long run. */
const REQUESTS = Number(process.env['REQUESTS'] ?? 800);

const NAMES = [
  'S',
  'T',
  'A',
  'Default',
  '@A_2026-01-01T00:00:00',
  '@A_2026-01-01T00:00:00_Attempt=1',
];
const STATUSES = [
  'IN_PROGRESS',
  'COMPLETED',
  'FINISHED',
  'FAILED',
  'FALSE',
  'TRY_CANCEL',
  'RERUN',
  'PAUSE',
  'RESUME',
  'MARK_FINISHED',
];

/** Almost valid objects of a definition. */
const field = fc.record(
  {
    key: fc.constantFrom(
      'type',
      'schedule',
      'parent',
      'dependsOn',
      'precondition',
      'command',
      'workerGroup',
      'scheduleType',
      'period',
      'startAt',
      'startDateTime',
      'endDateTime',
      'occurrences',
      'maximumRetries',
      'attemptTimeout',
      'lateAfterTimeout',
      'onLateAction',
      '@status',
    ),
    stringValue: fc.constantFrom(
      'ShellCommandActivity',
      'Schedule',
      'ShellCommandPrecondition',
      'Terminate',
      'ondemand',
      'cron',
      '15 minutes',
      '1 hour',
      '0',
      '3',
      'files',
      'FIRST_ACTIVATION_DATE_TIME',
      '2026-01-01T00:00:00',
      '#{parent.#{x}}',
      '#{command}',
      '',
    ),
    refValue: fc.constantFrom(...NAMES),
  },
  { requiredKeys: ['key'] },
);
const object = fc.record({
  id: fc.constantFrom(...NAMES),
  name: fc.constantFrom(...NAMES),
  fields: fc.array(field, { maxLength: 8 }),
});

/** Members of some operation, with values that it may accept. */
const request = fc.record(
  {
    ProgressUpdateStream: fc.constantFrom(...NAMES),
    ProgressUpdateStreamName: fc.constantFrom(...NAMES),
    MigrationTaskName: fc.constantFrom(...NAMES),
    Task: fc.record({
      Status: fc.constantFrom(...STATUSES),
      ProgressPercent: fc.integer({ min: -1, max: 101 }),
    }),
    UpdateDateTime: fc.double({ noNaN: true, noDefaultInfinity: true }),
    NextUpdateSeconds: fc.integer(),
    ResourceAttributeList: fc.array(
      fc.record({ Type: fc.constantFrom('FQDN', 'VM_NAME'), Value: fc.string() }),
    ),
    SourceResource: fc.record({ Name: fc.string() }),
    ApplicationId: fc.constantFrom(...NAMES),
    Status: fc.constantFrom(...STATUSES),
    MaxResults: fc.integer({ min: 0, max: 11 }),
    NextToken: fc.base64String(),
    HomeRegion: fc.constantFrom('us-west-2', 'eu-west-1', 'Mars'),
    Target: fc.constant({ Type: 'ACCOUNT' }),
    name: fc.constantFrom(...NAMES),
    uniqueId: fc.constantFrom(...NAMES),
    pipelineId: fc.constantFrom('PIPELINE', 'df-0'),
    pipelineIds: fc.constant(['PIPELINE']),
    pipelineObjects: fc.array(object, { maxLength: 5 }),
    objectIds: fc.array(fc.constantFrom(...NAMES), { maxLength: 3 }),
    objectId: fc.constantFrom(...NAMES),
    expression: fc.constantFrom('#{command}', '#{parent.x.y}', '#{', '}#{}'),
    sphere: fc.constantFrom('COMPONENT', 'INSTANCE', 'ATTEMPT', 'ALL'),
    status: fc.constantFrom(...STATUSES),
    startTimestamp: fc.double({ min: 0, max: 2e9, noNaN: true }),
    workerGroup: fc.constant('files'),
    taskId: fc.constantFrom('TASK', 'x'),
    taskStatus: fc.constantFrom(...STATUSES),
    fields: fc.array(field, { maxLength: 3 }),
    taskrunnerId: fc.string(),
  },
  { requiredKeys: [] },
);

/** Any JSON now and then. */
const body = fc.oneof(
  { weight: 4, arbitrary: request.map((each) => JSON.stringify(each)) },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.string() },
);

test(
  `${REQUESTS} requests of any kind are answered, and time goes on between them`,
  { timeout: 600_000 },
  () => {
    const clock = createManualClock();
    const simulator = createSimulator({ clock, enforceLimits: false, journalSize: 10 });
    const call = fc.record({
      target: fc.constantFrom(...simulator.gateway.targets),
      body,
      passMs: fc.constantFrom(0, 0, 1_000, 200_000, HOUR),
    });
    let pipelineId = '';
    let taskId = '';
    fc.assert(
      fc.property(call, (each) => {
        const text = each.body.replaceAll('PIPELINE', pipelineId).replaceAll('TASK', taskId);
        const { status, body } = answerOf(simulator, each.target, text);
        expect([0, 200, 400]).toContain(status);
        if (typeof body['pipelineId'] === 'string') pipelineId = body['pipelineId'];
        const task = body['taskObject'] as { readonly taskId: string } | undefined;
        if (task !== undefined) taskId = task.taskId;
        clock.advance(each.passMs);
        for (const entry of simulator.journal()) journalRow(entry);
        simulator.state();
        simulator.audit();
      }),
      // The effect of a request depends on those before it: shrinking a single request finds no cause.
      { numRuns: REQUESTS, endOnFailure: true },
    );
    expect(pipelineId).toMatch(/^df-/);
  },
);

function answerOf(simulator: Simulator, target: string, text: string) {
  let answer: { readonly status: number; readonly body: Readonly<Record<string, unknown>> } = {
    status: 0,
    body: {},
  };
  const hangUp = simulator.gateway.call({ target, body: text }, (delivery) => {
    if (delivery.kind !== 'answer') return false;
    answer = {
      status: delivery.status,
      body: JSON.parse(delivery.body) as Readonly<Record<string, unknown>>,
    };
    return true;
  });
  hangUp();
  return answer;
}
