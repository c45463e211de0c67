/** Settings and definitions for tests: sensible, short, each field overridable. */
import { HUB_OPERATIONS, PIPELINE_OPERATIONS } from '../../src/core/model/call.ts';
import type { Operation } from '../../src/core/model/call.ts';
import type { HubJobSettings, JobDefinition } from '../../src/core/model/job.ts';
import type {
  HubSettings,
  PipelineSettings,
  Rate,
  Settings,
} from '../../src/core/model/settings.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/core/lib/time.ts';

export const HUB: HubSettings = {
  stream: 'test-stream',
  createStream: true,
  nextUpdateMs: 5 * MINUTE_MS,
  nextUpdateMaxMs: HOUR_MS,
  finalNextUpdateMs: 365 * DAY_MS,
};

export const PIPELINE: PipelineSettings = {
  workerGroups: ['files'],
  taskRunnerId: 'runner-1',
  concurrency: 4,
  reportEveryMs: MINUTE_MS,
  windowMs: 15 * MINUTE_MS,
  onFence: 'stop',
  heartbeatEveryMs: 15 * MINUTE_MS,
  onTerminate: 'drain',
  activities: [],
};

export const HUB_JOB: HubJobSettings = {
  task: '{job}',
  resourceAttributes: [],
  sourceResources: [],
  artifacts: [],
};

export function definition(name: string, over: Partial<JobDefinition> = {}): JobDefinition {
  return {
    name,
    command: ['true'],
    environment: {},
    autostart: false,
    progress: { parser: 'none' },
    stop: { signal: 'SIGTERM', graceMs: 30 * SECOND_MS },
    migrationHub: HUB_JOB,
    ...over,
  };
}

/** The published limits of Data Pipeline, and the default limits for the Hub. */
export function rates(over: Partial<Record<Operation, Rate>> = {}): Record<Operation, Rate> {
  const hub = HUB_OPERATIONS.map((operation) => [operation, { perSecond: 1, burst: 10 }] as const);
  const pipeline = PIPELINE_OPERATIONS.map(
    (operation) => [operation, { perSecond: 10, burst: 100 }] as const,
  );
  return {
    ...(Object.fromEntries([...hub, ...pipeline]) as Record<Operation, Rate>),
    PollForTask: { perSecond: 2, burst: 100 },
    ReportTaskRunnerHeartbeat: { perSecond: 1, burst: 100 },
    ...over,
  };
}

export function settings(over: Partial<Settings> = {}): Settings {
  return {
    hostname: 'test-host',
    migrationHub: HUB,
    rates: rates(),
    jobs: new Map(),
    keepRunsMs: 30 * DAY_MS,
    shellStop: { signal: 'SIGTERM', graceMs: 30 * SECOND_MS },
    ...over,
  };
}
