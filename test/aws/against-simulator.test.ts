/**
 * Every call against the simulator over real HTTP: it checks each member by the AWS documents
 * and stores what is reported.
 */
import { MigrationHubClient } from '@aws-sdk/client-migration-hub';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createGates } from '../../src/aws/budget/gates.ts';
import type { Rates } from '../../src/aws/budget/gates.ts';
import {
  AssociateSourceResourceCommand,
  DisassociateSourceResourceCommand,
  ListMigrationTaskUpdatesCommand,
  ListSourceResourcesCommand,
} from '../../src/aws/source-resources.ts';
import { HUB_OPERATIONS, PIPELINE_OPERATIONS } from '../../src/core/model/call.ts';
import type { Call, Outcome } from '../../src/core/model/call.ts';
import type { Rate } from '../../src/core/model/settings.ts';
import type { Services } from '../../src/ports.ts';
import { createSimulator } from '../../src/simulator/simulator.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import { CALLS, servicesAt, setEnvironment, SHORT } from './aws-stub.ts';

const HOME = 'eu-central-1';

let simulator: Simulator;
let services: Services;
let url: string;

beforeEach(async () => {
  setEnvironment();
  simulator = createSimulator({ homeRegion: HOME, behaviour: { pollMs: 300 } });
  ({ url } = await simulator.listen(0));
  services = servicesAt(url);
});

afterEach(async () => {
  vi.useRealTimers();
  services.close();
  await simulator.close();
});

async function accepted(call: Call): Promise<Extract<Outcome, { kind: 'accepted' }>> {
  const outcome = await services.send(call);
  expect(outcome).toMatchObject({ kind: 'accepted' });
  return outcome as Extract<Outcome, { kind: 'accepted' }>;
}

/** A stamp that the simulator, which checks for the future, agrees with. */
function notifyNow(): Call {
  const stampS = Math.floor(simulator.now() / 1000);
  return { ...CALLS.NotifyMigrationTaskState, stampS };
}

describe('Migration Hub', () => {
  test('accepts a task from its import to its final report, with all associations', async () => {
    expect((await accepted(CALLS.GetHomeRegion)).answer.homeRegion).toBe(HOME);
    await accepted(CALLS.CreateProgressUpdateStream);
    await accepted(CALLS.ImportMigrationTask);
    await accepted(notifyNow());
    await accepted(CALLS.PutResourceAttributes);
    await accepted(CALLS.AssociateDiscoveredResource);
    await accepted(CALLS.AssociateSourceResource);
    await accepted(CALLS.AssociateCreatedArtifact);
    const { application, operation, region, status } = CALLS.NotifyApplicationState;
    const stampS = Math.floor(simulator.now() / 1000);
    await accepted({ application, operation, region, status, stampS });
    expect(simulator.audit().invalidRequests.count).toBe(0);
    const state = JSON.stringify(simulator.state());
    expect(state).toContain('IN_PROGRESS');
    expect(state).toContain('copying');
  });

  test('returns its date, within a second of its clock', async () => {
    const { serverDateMs } = await accepted(CALLS.GetHomeRegion);
    expect(Math.abs((serverDateMs ?? 0) - simulator.now())).toBeLessThan(2000);
  });

  test('returns not-found for an unknown stream and an unknown task', async () => {
    expect((await services.send(CALLS.ImportMigrationTask)).kind).toBe('missing');
    await accepted(CALLS.CreateProgressUpdateStream);
    expect((await services.send(notifyNow())).kind).toBe('missing');
  });

  test('refuses a call in another region than the home region, and all without one', async () => {
    const elsewhere = { ...CALLS.CreateProgressUpdateStream, region: 'us-west-2' };
    expect((await services.send(elsewhere)).kind).toBe('refused');
    simulator.setHomeRegion(undefined);
    expect((await services.send(CALLS.CreateProgressUpdateStream)).kind).toBe('no-home-region');
    expect((await accepted(CALLS.GetHomeRegion)).answer).toEqual({});
  });

  test('throttles with RetryAfterSeconds', async () => {
    simulator.setLimits({ CreateProgressUpdateStream: { perSecond: 0.2, burst: 1 } });
    await accepted(CALLS.CreateProgressUpdateStream);
    expect(await services.send(CALLS.CreateProgressUpdateStream)).toMatchObject({
      kind: 'throttled',
      retryAfterMs: 5000,
    });
  });

  test('knows the operations that the published client lacks', async () => {
    await accepted(CALLS.CreateProgressUpdateStream);
    await accepted(CALLS.ImportMigrationTask);
    await accepted(notifyNow());
    const client = new MigrationHubClient({ endpoint: url, region: HOME });
    const onTask = { ProgressUpdateStream: 'stream', MigrationTaskName: 'task' };
    await client.send(
      new AssociateSourceResourceCommand({
        ...onTask,
        SourceResource: { Name: 'srv', Description: 'd' },
      }),
    );
    expect(await client.send(new ListSourceResourcesCommand(onTask))).toMatchObject({
      SourceResourceList: [{ Name: 'srv', Description: 'd' }],
    });
    await client.send(
      new DisassociateSourceResourceCommand({ ...onTask, SourceResourceName: 'srv' }),
    );
    expect(await client.send(new ListSourceResourcesCommand(onTask))).toMatchObject({
      SourceResourceList: [],
    });
    expect(
      await client.send(new ListMigrationTaskUpdatesCommand({ ...onTask, MaxResults: 10 })),
    ).toMatchObject({
      MigrationTaskUpdateList: [
        { MigrationTaskState: { Status: 'IN_PROGRESS', StatusDetail: 'copying' } },
      ],
    });
    client.destroy();
  });
});

describe('Data Pipeline', () => {
  const WORK = {
    name: 'Copy',
    workerGroup: 'files',
    command: 'copy $1',
    scriptArguments: ['b', 'a'],
  };

  async function polled(): Promise<string> {
    const { answer } = await accepted(CALLS.PollForTask);
    expect(answer.task).toBeDefined();
    return answer.task!.taskId;
  }

  test('hands a task out, and accepts its progress and its end', async () => {
    simulator.submitShellActivity(WORK);
    const { answer } = await accepted(CALLS.PollForTask);
    const attempt = answer.task?.objects.find(({ id }) => id === answer.task?.attemptId);
    const argumentsGiven = attempt?.fields.filter(({ key }) => key === 'scriptArgument');
    expect(argumentsGiven?.map(({ stringValue }) => stringValue)).toEqual(['b', 'a']);
    const { taskId } = answer.task!;
    expect((await accepted({ ...CALLS.ReportTaskProgress, taskId })).answer.canceled).toBe(false);
    await accepted({ ...CALLS.SetTaskStatus, taskId });
    expect(JSON.stringify(simulator.state())).toContain('FAILED');
    expect(simulator.audit().invalidRequests.count).toBe(0);
  });

  test('holds a poll and answers without a task', async () => {
    const startMs = performance.now();
    expect((await accepted(CALLS.PollForTask)).answer).toEqual({});
    expect(performance.now() - startMs).toBeGreaterThan(250);
  });

  test('returns that a task is canceled, that a runner must terminate, and that a task does not exist', async () => {
    const { pipelineId } = simulator.submitShellActivity(WORK);
    const taskId = await polled();
    await accepted({ ...CALLS.ReportTaskProgress, taskId });
    simulator.cancel(pipelineId);
    expect((await accepted({ ...CALLS.ReportTaskProgress, taskId })).answer.canceled).toBe(true);
    expect((await services.send({ ...CALLS.ReportTaskProgress, taskId: 'nobody' })).kind).toBe(
      'gone',
    );
    expect((await accepted(CALLS.ReportTaskRunnerHeartbeat)).answer.terminate).toBe(false);
    simulator.setTerminate('files-host-01');
    expect((await accepted(CALLS.ReportTaskRunnerHeartbeat)).answer.terminate).toBe(true);
  });

  test('accepts any output of a job', async () => {
    simulator.submitShellActivity(WORK);
    const taskId = await polled();
    await accepted({
      ...CALLS.ReportTaskProgress,
      taskId,
      detail: '\u001b[1m\u0000😀'.repeat(9000),
    });
    await accepted({
      ...CALLS.SetTaskStatus,
      taskId,
      errorMessage: '\uffff\u0007😀'.repeat(9000),
      errorStackTrace: 'ä\ud800\u001b[0m\n'.repeat(9000),
    });
    expect(simulator.audit().invalidRequests.count).toBe(0);
  });
});

describe('a fault of the way', () => {
  test.each(['drop', 'blackhole', 'lose-answer', 'truncate', 'garbage'] as const)(
    '%s is unavailable for either service',
    async (fault) => {
      simulator.addFault({ operation: '*', fault });
      const hasty = servicesAt(url, { limits: SHORT });
      for (const call of [CALLS.CreateProgressUpdateStream, CALLS.ReportTaskRunnerHeartbeat]) {
        expect((await hasty.send(call)).kind).toBe('unavailable');
      }
      hasty.close();
    },
  );

  test.each([
    [403, 'unavailable'],
    [413, 'refused'],
    [429, 'throttled'],
    [503, 'unavailable'],
  ] as const)('an empty answer with status %d is %s', async (status, kind) => {
    simulator.addFault({ operation: '*', fault: 'status', status });
    for (const call of [CALLS.CreateProgressUpdateStream, CALLS.ReportTaskRunnerHeartbeat]) {
      expect((await services.send(call)).kind).toBe(kind);
    }
  });
});

describe('gates and services together, in virtual time', () => {
  const START_MS = Date.UTC(2026, 0, 1);
  const SECONDS = 3;
  /** Time stands still while a request is under way, so that a busy machine changes nothing. */
  const CLOCK = {
    now: () => START_MS + performance.now(),
    after: (ms: number, wake: () => void) => {
      const timer = setTimeout(wake, ms);
      return () => clearTimeout(timer);
    },
  };

  /** Calls as fast as gates for `asked` let them, against a service that allows `allowed`. */
  async function flow(asked: Rate, allowed: Rate): Promise<{ count: number; overLimit: number }> {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const service = createSimulator({ homeRegion: HOME, clock: CLOCK });
    const address = await service.listen(0);
    service.setLimits({ ReportTaskRunnerHeartbeat: allowed });
    const client = servicesAt(address.url);
    const sent: Promise<Outcome>[] = [];
    const gates = createGates({
      rates: Object.fromEntries(
        [...HUB_OPERATIONS, ...PIPELINE_OPERATIONS].map((operation) => [operation, asked]),
      ) as unknown as Rates,
      monotonicMs: () => performance.now(),
      post: (event) => {
        if (event.type !== 'gate-opened') return;
        for (let i = 0; i < event.slots; i++) {
          sent.push(client.send(CALLS.ReportTaskRunnerHeartbeat));
        }
      },
    });
    gates.ask('ReportTaskRunnerHeartbeat', 1000);
    for (let ms = 0; ms < SECONDS * 1000; ms += 10) {
      await vi.advanceTimersByTimeAsync(10);
      await Promise.all(sent);
    }
    const closed = gates.close();
    await vi.advanceTimersByTimeAsync(1000);
    await closed;
    client.close();
    const { overLimit } = service.audit();
    vi.useRealTimers();
    await service.close();
    return { count: sent.length, overLimit };
  }

  test('use the limit of the service and never exceed it', async () => {
    const rate = { perSecond: 40, burst: 20 };
    const { count, overLimit } = await flow(rate, rate);
    expect(overLimit).toBe(0);
    // Nine tenths of the rate, and the burst without the calls of 200 ms.
    expect(count).toBeGreaterThanOrEqual(12 + SECONDS * 36);
    expect(count).toBeLessThanOrEqual(rate.burst + SECONDS * rate.perSecond);
  });

  test('the service notices gates whose burst is a second too large', async () => {
    const rate = { perSecond: 40, burst: 20 };
    const { overLimit } = await flow({ ...rate, burst: rate.burst + rate.perSecond }, rate);
    expect(overLimit).toBeGreaterThan(0);
  });
});
