/** The limits of the account, as AWS publishes them and as a test changes them. */
import { describe, expect, test } from 'vitest';
import { createRateLimits } from '../../../src/simulator/faults/rate-limits.ts';
import type { RateLimitChanges } from '../../../src/simulator/faults/rate-limits.ts';

const START = 1_790_000_000_000;

function account(changes: RateLimitChanges = {}) {
  const limits = createRateLimits(changes, START);
  const take = (service: string, operation: string, atMs = 0): number =>
    limits.take(service, operation, START + atMs);
  /** How many calls at once are within the limit. */
  const burst = (service: string, operation: string): number => {
    for (let calls = 0; calls < 1_000; calls += 1) if (take(service, operation) > 0) return calls;
    return Infinity;
  };
  return { limits, take, burst };
}

test.each([
  ...['ReportTaskProgress', 'SetTaskStatus'].map((name) => [name, 10] as const),
  ...['PollForTask', 'DescribeObjects', 'QueryObjects'].map((name) => [name, 2] as const),
  ...['ReportTaskRunnerHeartbeat', 'ActivatePipeline', 'CreatePipeline', 'DeletePipeline'].map(
    (name) => [name, 1] as const,
  ),
  ...['DescribePipelines', 'GetPipelineDefinition', 'ListPipelines', 'PutPipelineDefinition'].map(
    (name) => [name, 1] as const,
  ),
  ...['SetStatus', 'ValidatePipelineDefinition'].map((name) => [name, 1] as const),
])('%s: 100 at once, %i a second', (operation, perSecond) => {
  const { burst, take } = account();
  expect(burst('DataPipeline', operation)).toBe(100);
  expect(take('DataPipeline', operation)).toBeCloseTo(1_000 / perSecond);
  expect(take('DataPipeline', operation, 1_000 / perSecond)).toBe(0);
  expect(take('DataPipeline', operation, 1_000 / perSecond)).toBeGreaterThan(0);
});

test('Migration Hub has an assumed limit, and each of its operations its own', () => {
  const { burst, take } = account();
  expect(burst('MigrationHub', 'NotifyMigrationTaskState')).toBe(100);
  expect(take('MigrationHub', 'NotifyMigrationTaskState')).toBeCloseTo(100);
  expect(take('MigrationHub', 'ImportMigrationTask')).toBe(0);
});

test('an operation without a published limit has none', () => {
  expect(account().burst('DataPipeline', 'EvaluateExpression')).toBe(Infinity);
});

describe('idle time saves up calls', () => {
  test('to the burst limit and not more', () => {
    const { burst, take } = account({ PollForTask: { perSecond: 2, burst: 3 } });
    expect(burst('DataPipeline', 'PollForTask')).toBe(3);
    const later = 3_600_000;
    for (const call of [1, 2, 3])
      expect(take('DataPipeline', 'PollForTask', later), `${call}`).toBe(0);
    expect(take('DataPipeline', 'PollForTask', later)).toBe(500);
  });

  test('and a clock that goes back saves up nothing, and takes nothing away', () => {
    const { take } = account({ PollForTask: { perSecond: 1, burst: 2 } });
    expect(take('DataPipeline', 'PollForTask', 10_000)).toBe(0);
    expect(take('DataPipeline', 'PollForTask', 0)).toBe(0);
    expect(take('DataPipeline', 'PollForTask', 0)).toBe(1_000);
  });
});

test('a limit can be changed and taken away while calls are made', () => {
  const { burst, limits, take } = account({ PollForTask: { perSecond: 1, burst: 1 } });
  expect(burst('DataPipeline', 'PollForTask')).toBe(1);
  limits.change({ PollForTask: { perSecond: 4, burst: 2 } }, START);
  expect(burst('DataPipeline', 'PollForTask')).toBe(2);
  expect(take('DataPipeline', 'PollForTask')).toBe(250);
  limits.change({ PollForTask: null }, START);
  expect(burst('DataPipeline', 'PollForTask')).toBe(Infinity);
});
