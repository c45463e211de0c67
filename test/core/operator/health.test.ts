/** What degrades the agent, and when: what cannot heal by itself at the first answer, outages at the third. */
import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../../src/core/model/call.ts';
import { healthLine, healthOf, problems } from '../../../src/core/operator/health.ts';
import { MINUTE_MS, SECOND_MS } from '../../../src/core/lib/time.ts';
import { HUB, definition, settings } from '../../support/settings.ts';
import { World } from '../../support/world.ts';

type Answer = Extract<Outcome, { reason: string }>;

/** An agent with one job, whose calls of `operation` are all answered so. */
function agentWhose(answer: Answer, operation: string, more: Parameters<typeof settings>[0] = {}) {
  const world = new World({
    seed: 1,
    failing: 0,
    jobs: { durationMs: () => 10 * MINUTE_MS, exitCode: () => 0, progressEveryMs: MINUTE_MS },
    settings: settings({ jobs: new Map([['a', definition('a')]]), ...more }),
    outcome: (call) => (call.operation === operation ? answer : undefined),
  });
  world.post({ type: 'start-requested', job: 'a', origin: 'operator' });
  const found = () => problems(world.planner.view(), world.time.now());
  return { world, found };
}

const DENIED: Answer = {
  kind: 'denied',
  reason: 'AccessDeniedException: User: arn:aws:iam::1:user/x is not authorized',
};
const NO_HOME_REGION: Answer = {
  kind: 'no-home-region',
  reason: 'HomeRegionNotSetException: none',
};
const NO_CREDENTIALS: Answer = {
  kind: 'denied',
  reason: 'CredentialsProviderError: Could not load credentials from any providers',
};

describe('P11 a problem that cannot recover by itself shows at the first answer', () => {
  test.each([
    [
      'GetHomeRegion',
      NO_CREDENTIALS,
      /^GetHomeRegion fails: CredentialsProviderError: Could not load.*instance role/,
    ],
    [
      'NotifyMigrationTaskState',
      DENIED,
      /^NotifyMigrationTaskState fails: AccessDeniedException.*not authorized; add to the IAM policy.*\{"Effect":"Allow","Action":"mgh:NotifyMigrationTaskState","Resource":"\*"\}$/,
    ],
    [
      'GetHomeRegion',
      NO_HOME_REGION,
      /has no home region \(HomeRegionNotSetException: none\); set one/,
    ],
  ])('%s: %j', (operation, answer, sentence) => {
    const { world, found } = agentWhose(answer, operation, { migrationHub: HUB });
    let calls = 0;
    for (let atMs = 0; calls === 0 && atMs < MINUTE_MS; atMs += SECOND_MS / 4) {
      world.runUntil(atMs);
      calls =
        [...world.planner.view().pacing.all()].find(([name]) => name === operation)?.[1].failed ??
        0;
    }
    expect(calls).toBe(1);
    expect(found().join('\n')).toMatch(sentence);
    expect(healthOf(found())).toBe('degraded');
  });

  test('a stream that is missing and that the agent may not create', () => {
    const { world, found } = agentWhose(
      { kind: 'missing', reason: 'ResourceNotFoundException: no such stream' },
      'ImportMigrationTask',
      { migrationHub: { ...HUB, createStream: false } },
    );
    world.runUntil(10 * SECOND_MS);
    expect(found().join('\n')).toMatch(
      /^ImportMigrationTask fails: ResourceNotFoundException: no such stream; create the stream .*createStream: true$/,
    );
  });

  test('no destination at all', () => {
    const { hostname, rates, jobs, keepRunsMs, shellStop } = settings({});
    const world = new World({
      seed: 1,
      failing: 0,
      jobs: { durationMs: () => MINUTE_MS, exitCode: () => 0, progressEveryMs: MINUTE_MS },
      settings: { hostname, rates, jobs, keepRunsMs, shellStop },
    });
    expect(problems(world.planner.view(), world.time.now())).toEqual([
      expect.stringMatching(/^no destination is configured.*add migrationHub or dataPipeline/),
    ]);
  });
});

test('an outage shows at the third answer, and operations that fail alike are one problem', () => {
  const { world, found } = agentWhose(
    { kind: 'unavailable', reason: 'ECONNREFUSED' },
    'NotifyMigrationTaskState',
  );
  const failed = () =>
    [...world.planner.view().pacing.all()].find(
      ([name]) => name === 'NotifyMigrationTaskState',
    )?.[1].failed ?? 0;
  let seenAt: number | undefined;
  for (let atMs = 0; seenAt === undefined && atMs < 10 * MINUTE_MS; atMs += SECOND_MS / 4) {
    world.runUntil(atMs);
    if (found().length > 0) seenAt = failed();
  }
  expect(seenAt).toBe(3);
  expect(found()).toEqual(['NotifyMigrationTaskState fails: ECONNREFUSED']);
});

test('the line names the first problem and counts the others', () => {
  expect(healthLine([])).toBe('healthy');
  expect(healthLine(['a'])).toBe('degraded: a');
  expect(healthLine(['a', 'b', 'c'])).toBe('degraded: a (and 2 more)');
});
