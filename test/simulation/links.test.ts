/** The links of a task to resources, in virtual time: each is sent once, in order, and none is lost. */
import { expect, test } from 'vitest';
import type { Call, Outcome } from '../../src/core/model/call.ts';
import type { HubJobSettings } from '../../src/core/model/job.ts';
import { HOUR_MS, MINUTE_MS } from '../../src/core/lib/time.ts';
import { HUB_JOB, definition, settings } from '../support/settings.ts';
import { World } from '../support/world.ts';

const ALL: HubJobSettings = {
  ...HUB_JOB,
  resourceAttributes: [{ type: 'FQDN', value: 'files01.example.com' }],
  discoveredResource: 'd-server-1',
  sourceResources: [{ name: 'one' }, { name: 'two' }],
  artifacts: ['arn:aws:s3:::a/1', 'arn:aws:s3:::a/2'],
  application: 'd-application-1',
};

const NAMES: Partial<Record<Call['operation'], (call: never) => string>> = {
  PutResourceAttributes: () => 'attributes',
  AssociateDiscoveredResource: () => 'discovered',
  AssociateSourceResource: ({ name }: { name: string }) => `source ${name}`,
  AssociateCreatedArtifact: ({ artifact }: { artifact: string }) =>
    `artifact ${artifact.slice(-1)}`,
  NotifyApplicationState: ({ status }: { status: string }) => `application ${status}`,
};

const IN_ORDER = [
  'attributes',
  'discovered',
  'source one',
  'source two',
  'application IN_PROGRESS',
  'artifact 1',
  'artifact 2',
  'application COMPLETED',
];

function world(outcome: (call: Call, ms: number) => Outcome | undefined = () => undefined): World {
  const made = new World({
    seed: 1,
    failing: 0,
    jobs: { durationMs: () => 10 * MINUTE_MS, exitCode: () => 0, progressEveryMs: MINUTE_MS },
    settings: settings({ jobs: new Map([['copy', definition('copy', { migrationHub: ALL })]]) }),
    outcome,
  });
  made.calls = [];
  return made;
}

function start(made: World): void {
  made.post({ type: 'start-requested', job: 'copy', origin: 'operator' });
}

function sentLinks(made: World): string[] {
  return (made.calls ?? []).flatMap(({ call }) => NAMES[call.operation]?.(call as never) ?? []);
}

function pendingLinks(made: World): number | undefined {
  return made.state.hubTasks.get('copy')?.links.length;
}

test('each once, in order; what came out only when the run has succeeded', () => {
  const made = world();
  start(made);
  made.runUntil(9 * MINUTE_MS);
  expect(sentLinks(made)).toEqual(IN_ORDER.slice(0, 5));
  made.runUntil(HOUR_MS);
  expect(sentLinks(made)).toEqual(IN_ORDER);
  expect(pendingLinks(made)).toBe(0);
});

test('one that is denied blocks no other, and is sent as soon as it is allowed', () => {
  const made = world((call, ms) =>
    call.operation === 'AssociateDiscoveredResource' && ms < 5 * HOUR_MS
      ? { kind: 'denied', reason: 'AccessDeniedException' }
      : undefined,
  );
  start(made);
  made.runUntil(HOUR_MS);
  const others = IN_ORDER.filter((name) => name !== 'discovered');
  expect(sentLinks(made).filter((name) => name !== 'discovered')).toEqual(others);
  expect(pendingLinks(made)).toBe(1);
  made.runUntil(6 * HOUR_MS);
  expect(pendingLinks(made)).toBe(0);
  // Not more than once in the pause of an operation that is denied.
  expect(sentLinks(made).filter((name) => name === 'discovered').length).toBeLessThan(120);
});

test('an outage of the whole run: imported afterwards, and all links are sent', () => {
  const made = world((_call, ms) =>
    ms < HOUR_MS ? { kind: 'unavailable', reason: 'ECONNREFUSED' } : undefined,
  );
  start(made);
  made.runUntil(2 * HOUR_MS);
  // The application is at its newest state: that it was under way is old news.
  expect(sentLinks(made)).toEqual(IN_ORDER.filter((name) => name !== 'application IN_PROGRESS'));
  expect(pendingLinks(made)).toBe(0);
});

test('kill -9 at any time: none is lost, and at most the one in flight is sent twice', () => {
  const moments = [30, 10 * MINUTE_MS].flatMap((fromMs) =>
    Array.from({ length: 40 }, (_, index) => fromMs + index * 90),
  );
  for (const atMs of moments) {
    const made = world();
    start(made);
    made.runUntil(atMs);
    made.crash();
    made.runUntil(HOUR_MS);
    expect([...new Set(sentLinks(made))].toSorted(), `killed at ${atMs}`).toEqual(
      IN_ORDER.toSorted(),
    );
    expect(sentLinks(made).length).toBeLessThanOrEqual(IN_ORDER.length + 1);
    expect(pendingLinks(made)).toBe(0);
  }
});

test('a task that was deleted after its run is imported again for links that are still pending', () => {
  let isMissing = true;
  const made = world((call, ms) => {
    if (call.operation === 'ImportMigrationTask' && ms > 30 * MINUTE_MS) isMissing = false;
    if (call.operation !== 'AssociateCreatedArtifact') return undefined;
    if (ms < 40 * MINUTE_MS) return { kind: 'unavailable', reason: 'InternalServerError' };
    return isMissing ? { kind: 'missing', reason: 'ResourceNotFoundException' } : undefined;
  });
  start(made);
  made.runUntil(2 * HOUR_MS);
  expect(isMissing).toBe(false);
  expect(pendingLinks(made)).toBe(0);
  expect(made.state.hubTasks.get('copy')?.quarantine).toBeUndefined();
});

test('what the service never finds is put aside, and does not make the task again for ever', () => {
  const made = world((call) =>
    call.operation === 'AssociateDiscoveredResource' || call.operation === 'NotifyApplicationState'
      ? { kind: 'missing', reason: 'ResourceNotFoundException' }
      : undefined,
  );
  start(made);
  made.runUntil(2 * HOUR_MS);
  expect(pendingLinks(made)).toBe(0);
  expect(made.state.hubTasks.get('copy')?.quarantine).toHaveLength(3);
  const imports = (made.calls ?? []).filter(({ call }) => call.operation === 'ImportMigrationTask');
  expect(imports).toHaveLength(2);
  expect(sentLinks(made).filter((name) => name === 'artifact 2')).toHaveLength(1);
});

test('a permission that is missing for many runs does not pile up pending links', () => {
  const made = world((call) =>
    /^(Associate|Put|NotifyApp)/.test(call.operation)
      ? { kind: 'denied', reason: 'AccessDeniedException' }
      : undefined,
  );
  for (let run = 0; run < 30; run++) {
    start(made);
    made.runUntil((run + 1) * 20 * MINUTE_MS);
  }
  expect(pendingLinks(made)).toBe(IN_ORDER.length - 1);
});
