/** Every switch with each of two values, set while the simulator runs. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { showSwitches, SWITCHES } from '../../src/simulator/lib/behaviour.ts';
import type { SwitchName } from '../../src/simulator/lib/behaviour.ts';
import {
  HOUR,
  MINUTE,
  notification,
  rig,
  SECOND,
  SEEN,
  TASK,
  until,
  withTask,
} from './simulator-driver.ts';
import type { Rig } from './simulator-driver.ts';

interface Case {
  /** The values as they are set, and the behaviour with each. */
  readonly answers: readonly (readonly [value: string, seen: unknown])[];
  readonly look: (made: Rig) => Promise<unknown>;
}

const NOT_FOUND = 'TaskNotFoundException';
const INVALID = 'InvalidInputException';
const TAKEN = undefined;
const WORK = { name: 'A', workerGroup: 'files', command: 'true' };

interface Task {
  readonly taskId: string;
  readonly attemptId: string;
}

async function poll({ pipeline }: Rig): Promise<Task | undefined> {
  const answer = await pipeline('PollForTask', { workerGroup: 'files' });
  return answer.body['taskObject'] as Task | undefined;
}

/** A task with its first report. */
async function owned(
  made: Rig,
  fields: Readonly<Record<string, string>> = {},
): Promise<Task & { readonly pipelineId: string; readonly instanceId: string }> {
  const submitted = made.simulator.submitShellActivity({ ...WORK, fields });
  const task = await poll(made);
  if (task === undefined) throw new Error('no task');
  await made.pipeline('ReportTaskProgress', { taskId: task.taskId });
  return { ...task, ...submitted };
}

/** The answer to a late report: an error's name, or the body. */
async function report(made: Rig, taskId: string): Promise<unknown> {
  const { error, body } = await made.pipeline('ReportTaskProgress', { taskId });
  return error ?? body['canceled'];
}

async function notify(made: Rig, status: string, at: number): Promise<string | undefined> {
  return (await made.hub('NotifyMigrationTaskState', notification(status, at, 60))).error;
}

const field = (key: string, stringValue: string) => ({ key, stringValue });
const object = (id: string, ...fields: readonly object[]) => ({ id, name: id, fields });

async function withPrecondition(
  made: Rig,
  type: string,
): Promise<(id: string) => string | undefined> {
  const { pipelineId } = (await made.pipeline('CreatePipeline', { name: 'p', uniqueId: 'u' })).body;
  const pipelineObjects = [
    object('Default', field('scheduleType', 'ondemand'), field('workerGroup', 'files')),
    object('Ready', field('type', type), field('command', 'true'), field('maximumRetries', '1')),
    object('Copy', field('type', 'ShellCommandActivity'), field('command', 'true'), {
      key: 'precondition',
      refValue: 'Ready',
    }),
  ];
  await made.pipeline('PutPipelineDefinition', { pipelineId, pipelineObjects });
  await made.pipeline('ActivatePipeline', { pipelineId });
  return (id) =>
    made.simulator.state().pipelines[0]?.instances.find((each) => each.id.startsWith(`@${id}_`))
      ?.status;
}

async function answerOfPoll(made: Rig, status: string): Promise<void> {
  const task = await poll(made);
  await made.pipeline('SetTaskStatus', { taskId: task?.taskId, taskStatus: status });
}

const CASES: Readonly<Record<SwitchName, Case>> = {
  createExistingStream: {
    answers: [
      ['accept', TAKEN],
      ['refuse', INVALID],
    ],
    look: async ({ hub }) =>
      (await hub('CreateProgressUpdateStream', { ProgressUpdateStreamName: 'S' })).error,
  },
  importExistingTask: {
    answers: [
      ['accept', TAKEN],
      ['refuse', INVALID],
    ],
    look: async ({ hub }) => (await hub('ImportMigrationTask', TASK)).error,
  },
  outOfOrderUpdate: {
    answers: [
      ['accept', [TAKEN, TAKEN, SEEN - 1]],
      ['keep-newest', [TAKEN, TAKEN, SEEN]],
      ['refuse-older', [TAKEN, INVALID, SEEN]],
      ['refuse', [INVALID, INVALID, SEEN]],
    ],
    look: async (made) => {
      await notify(made, 'IN_PROGRESS', SEEN);
      const [equal, older] = [
        await notify(made, 'IN_PROGRESS', SEEN),
        await notify(made, 'IN_PROGRESS', SEEN - 1),
      ];
      const task = (await made.hub('DescribeMigrationTask', TASK)).body['MigrationTask'];
      return [equal, older, (task as { UpdateDateTime: number }).UpdateDateTime];
    },
  },
  updateAfterFinal: {
    answers: [
      ['accept', TAKEN],
      ['refuse', INVALID],
    ],
    look: async (made) => {
      await notify(made, 'COMPLETED', SEEN);
      return notify(made, 'IN_PROGRESS', SEEN + 1);
    },
  },
  futureUpdateMsMax: {
    answers: [
      ['never', TAKEN],
      ['5m', INVALID],
    ],
    look: (made) => notify(made, 'IN_PROGRESS', SEEN + 301),
  },
  staleAfterFinal: {
    answers: [
      ['never', 0],
      ['as-promised', 40],
    ],
    look: async (made) => {
      await notify(made, 'COMPLETED', SEEN);
      made.clock.advance(100 * SECOND);
      return made.simulator.audit().migrationHub.staleSeconds;
    },
  },
  streamDeletionMs: {
    answers: [
      ['5s', INVALID],
      ['0ms', TAKEN],
    ],
    look: async ({ hub }) => {
      await hub('DeleteProgressUpdateStream', { ProgressUpdateStreamName: 'S' });
      return (await hub('CreateProgressUpdateStream', { ProgressUpdateStreamName: 'S' })).error;
    },
  },
  readWithoutHomeRegion: {
    answers: [
      ['refuse', 'HomeRegionNotSetException'],
      ['accept', TAKEN],
    ],
    look: async ({ hub, simulator }) => {
      simulator.setHomeRegion(undefined);
      return (await hub('ListMigrationTasks')).error;
    },
  },
  dataAfterHomeRegionChange: {
    answers: [
      ['stays', ['ResourceNotFoundException', TAKEN]],
      ['moves', [TAKEN, TAKEN]],
    ],
    look: async (made) => {
      made.simulator.setHomeRegion('eu-central-1');
      const after = await notify(made, 'IN_PROGRESS', SEEN);
      made.simulator.setHomeRegion('us-west-2');
      return [after, await notify(made, 'IN_PROGRESS', SEEN + 1)];
    },
  },
  attributeMatchMs: {
    answers: [
      ['never', [0, 0]],
      ['5m', [0, 1]],
    ],
    look: async ({ hub, clock }) => {
      const ResourceAttributeList = [{ Type: 'FQDN', Value: 'a.example' }];
      await hub('PutResourceAttributes', { ...TASK, ResourceAttributeList });
      const count = async () =>
        ((await hub('ListDiscoveredResources', TASK)).body['DiscoveredResourceList'] as []).length;
      const before = await count();
      clock.advance(5 * MINUTE);
      return [before, await count()];
    },
  },
  unknownApplication: {
    answers: [
      ['accept', TAKEN],
      ['not-found', 'ResourceNotFoundException'],
      ['policy-error', 'PolicyErrorException'],
    ],
    look: async ({ hub }) =>
      (await hub('NotifyApplicationState', { ApplicationId: 'a', Status: 'COMPLETED' })).error,
  },
  pageTokenMs: {
    answers: [
      ['24h', TAKEN],
      ['1h', 'InvalidToken'],
    ],
    look: async ({ hub, clock }) => {
      await hub('CreateProgressUpdateStream', { ProgressUpdateStreamName: 'T' });
      const { NextToken } = (await hub('ListProgressUpdateStreams', { MaxResults: 1 })).body;
      clock.advance(2 * HOUR);
      return (await hub('ListProgressUpdateStreams', { MaxResults: 1, NextToken })).error;
    },
  },
  badTokenName: {
    answers: [
      ['InvalidToken', 'InvalidToken'],
      [INVALID, INVALID],
    ],
    look: async ({ hub }) => (await hub('ListMigrationTasks', { NextToken: 'Zm9v' })).error,
  },
  retryAfterSeconds: {
    answers: [
      ['told', 10],
      ['zero', 0],
    ],
    look: async ({ hub, simulator }) => {
      simulator.setLimits({ ListMigrationTasks: { perSecond: 0.1, burst: 1 } });
      await hub('ListMigrationTasks');
      return (await hub('ListMigrationTasks')).body['RetryAfterSeconds'];
    },
  },

  pollMs: {
    answers: [
      ['90s', 1],
      ['30s', 0],
    ],
    look: async (made) => {
      const held = poll(made);
      await until(() => made.simulator.state().heldPolls === 1);
      made.clock.advance(31 * SECOND);
      const { heldPolls } = made.simulator.state();
      made.clock.advance(60 * SECOND);
      await held;
      return heldPolls;
    },
  },
  acknowledgeMs: {
    answers: [
      ['2m', 0],
      ['1m', 1],
    ],
    look: async (made) => {
      made.simulator.submitShellActivity(WORK);
      await poll(made);
      made.clock.advance(MINUTE + 1);
      return made.simulator.state().readyTasks;
    },
  },
  progressMs: {
    answers: [
      ['15m', false],
      ['5m', NOT_FOUND],
    ],
    look: async (made) => {
      const { taskId } = await owned(made);
      made.clock.advance(6 * MINUTE);
      return report(made, taskId);
    },
  },
  progressLapse: {
    answers: [
      ['hand-out-again', 1],
      ['new-attempt', 2],
    ],
    look: async (made) => {
      const { attemptId } = await owned(made);
      made.clock.advance(18 * MINUTE);
      const again = await poll(made);
      return again?.attemptId === attemptId ? 1 : 2;
    },
  },
  taskIdAfterLapse: {
    answers: [
      ['new', false],
      ['same', true],
    ],
    look: async (made) => {
      const { taskId } = await owned(made);
      made.clock.advance(16 * MINUTE);
      return (await poll(made))?.taskId === taskId;
    },
  },
  reportAfterLapse: {
    answers: [
      ['not-found', NOT_FOUND],
      ['canceled', true],
    ],
    look: async (made) => {
      const { taskId } = await owned(made);
      made.clock.advance(16 * MINUTE);
      return report(made, taskId);
    },
  },
  reportAfterEnd: {
    answers: [
      ['not-found', NOT_FOUND],
      ['accept', false],
    ],
    look: async (made) => {
      const { taskId } = await owned(made);
      await made.pipeline('SetTaskStatus', { taskId, taskStatus: 'FINISHED' });
      return report(made, taskId);
    },
  },
  reportAfterDelete: {
    answers: [
      ['deleted', 'PipelineDeletedException'],
      ['not-found', 'PipelineNotFoundException'],
      ['canceled', true],
    ],
    look: async (made) => {
      const { taskId, pipelineId } = await owned(made);
      await made.pipeline('DeletePipeline', { pipelineId });
      return report(made, taskId);
    },
  },
  reportAfterAttemptTimeout: {
    answers: [
      ['canceled', true],
      ['not-found', NOT_FOUND],
    ],
    look: async (made) => {
      const { taskId } = await owned(made, { attemptTimeout: '5 minutes' });
      made.clock.advance(6 * MINUTE);
      return report(made, taskId);
    },
  },
  statusAfterCancel: {
    answers: [
      ['ignore', TAKEN],
      ['not-found', NOT_FOUND],
    ],
    look: async (made) => {
      const { taskId, pipelineId } = await owned(made);
      made.simulator.cancel(pipelineId);
      return (await made.pipeline('SetTaskStatus', { taskId, taskStatus: 'FAILED' })).error;
    },
  },
  serviceErrorId: {
    answers: [
      ['accept', TAKEN],
      ['refuse', 'InvalidRequestException'],
    ],
    look: async (made) => {
      const { taskId } = await owned(made);
      const ended = { taskId, taskStatus: 'FAILED', errorId: 'Service_Error' };
      return (await made.pipeline('SetTaskStatus', ended)).error;
    },
  },
  pollOfGoneClient: {
    answers: [
      ['skip', [1, 0]],
      ['hand-out', [0, 1]],
    ],
    look: async (made) => {
      const abort = new AbortController();
      const gone = made.call(
        'DataPipeline.PollForTask',
        { workerGroup: 'files' },
        '',
        abort.signal,
      );
      await until(() => made.simulator.state().heldPolls === 1);
      abort.abort();
      await expect(gone).rejects.toThrow();
      await until(() => made.simulator.journal().at(-1)?.outcome === 'client hung up');
      made.simulator.submitShellActivity(WORK);
      const { readyTasks, ownedTasks } = made.simulator.state();
      return [readyTasks, ownedTasks.length];
    },
  },
  preconditionFalse: {
    answers: [
      ['retry', 'SCHEDULED'],
      ['fail', 'FAILED'],
    ],
    look: async (made) => {
      const statusOf = await withPrecondition(made, 'ShellCommandPrecondition');
      await answerOfPoll(made, 'FALSE');
      return statusOf('Ready');
    },
  },
  preconditionFailed: {
    answers: [
      ['fail', 'FAILED'],
      ['wait', 'WAITING_ON_DEPENDENCIES'],
    ],
    look: async (made) => {
      const statusOf = await withPrecondition(made, 'Exists');
      await answerOfPoll(made, 'FAILED');
      made.clock.advance(2 * MINUTE);
      await answerOfPoll(made, 'FAILED');
      return statusOf('Copy');
    },
  },
  systemPrecondition: {
    answers: [
      ['met', 'WAITING_FOR_RUNNER'],
      ['unmet', 'FAILED'],
    ],
    look: async (made) => (await withPrecondition(made, 'S3KeyExists'))('Copy'),
  },
  maximumRetriesDefault: {
    answers: [
      ['3', 'SCHEDULED'],
      ['0', 'FAILED'],
    ],
    look: async (made) => {
      const { taskId } = await owned(made);
      await made.pipeline('SetTaskStatus', { taskId, taskStatus: 'FAILED' });
      return made.simulator.state().pipelines[0]?.instances[0]?.status;
    },
  },
  maximumRetriesMax: {
    answers: [
      ['5', false],
      ['2', true],
    ],
    look: (made) => isErrored(made, field('maximumRetries', '3')),
  },
  retryDelayMsMin: {
    answers: [
      ['2m', true],
      ['1m', false],
    ],
    look: (made) => isErrored(made, field('retryDelay', '1 minute')),
  },
  pipelinesMax: {
    answers: [
      ['100', TAKEN],
      ['0', 'InvalidRequestException'],
    ],
    look: async ({ pipeline }) =>
      (await pipeline('CreatePipeline', { name: 'p', uniqueId: 'u' })).error,
  },
  maxActiveInstances: {
    answers: [
      ['5', 2],
      ['1', 1],
    ],
    look: async (made) => {
      await hourly(made, '2026-01-01T00:00:00');
      made.clock.advance(HOUR);
      return made.simulator.state().readyTasks;
    },
  },
  backfillMsMax: {
    answers: [
      ['24h', 'InvalidRequestException'],
      ['never', TAKEN],
    ],
    look: (made) => hourly(made, '2025-12-30T00:00:00'),
  },
  describeObjectsPage: {
    answers: [
      ['25', false],
      ['1', true],
    ],
    look: async (made) => {
      const { pipelineId, instanceId } = made.simulator.submitShellActivity(WORK);
      const described = await made.pipeline('DescribeObjects', {
        pipelineId,
        objectIds: ['A', instanceId],
      });
      return described.body['hasMoreResults'];
    },
  },
  throttlingName: {
    answers: [
      ['ThrottlingException', 'ThrottlingException'],
      ['Throttling', 'Throttling'],
    ],
    look: async ({ pipeline, simulator }) => {
      simulator.addFault({ operation: 'ListPipelines', fault: 'throttle' });
      return (await pipeline('ListPipelines')).error;
    },
  },
};

async function isErrored(made: Rig, more: object): Promise<unknown> {
  const { pipelineId } = (await made.pipeline('CreatePipeline', { name: 'p', uniqueId: 'u' })).body;
  const pipelineObjects = [
    object('Default', field('scheduleType', 'ondemand'), field('workerGroup', 'files')),
    object('A', field('type', 'ShellCommandActivity'), field('command', 'true'), more),
  ];
  const answer = await made.pipeline('ValidatePipelineDefinition', { pipelineId, pipelineObjects });
  return answer.body['errored'];
}

async function hourly(made: Rig, startDateTime: string): Promise<string | undefined> {
  const { pipelineId } = (await made.pipeline('CreatePipeline', { name: 'p', uniqueId: 'u' })).body;
  const pipelineObjects = [
    object('Default', field('scheduleType', 'cron'), field('workerGroup', 'files'), {
      key: 'schedule',
      refValue: 'Hourly',
    }),
    object(
      'Hourly',
      field('type', 'Schedule'),
      field('period', '1 hour'),
      field('startDateTime', startDateTime),
    ),
    object('A', field('type', 'ShellCommandActivity'), field('command', 'true')),
  ];
  await made.pipeline('PutPipelineDefinition', { pipelineId, pipelineObjects });
  return (await made.pipeline('ActivatePipeline', { pipelineId })).error;
}

test.each(Object.entries(CASES))('%s', async (name, { answers, look }) => {
  // The first one is the default.
  const found = showSwitches().find((each) => each.name === name);
  expect(answers[0]?.[0]).toBe(found?.value);
  expect(answers.length).toBeGreaterThan(1);
  for (const [value, seen] of answers) {
    const made = await withTask(await rig());
    const response = await fetch(`${made.url}/_simulator/switches`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ [name]: value }),
    });
    expect(response.status).toBe(200);
    expect(await look(made), `${name}=${value}`).toEqual(seen);
  }
});

test('an unknown name or value is reported, and nothing is set', async () => {
  const { url, simulator } = await rig();
  const response = await fetch(`${url}/_simulator/switches`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ pollMs: '10s', reportAfterLapse: 'maybe', colour: 'red' }),
  });
  expect(response.status).toBe(400);
  const { message } = (await response.json()) as { message: string };
  expect(message).toContain(
    'reportAfterLapse: "maybe" is not one of its values: not-found | canceled',
  );
  expect(message).toContain('colour: no such switch');
  expect(simulator.switches().find((each) => each.name === 'pollMs')?.value).toBe('90s');
});

test('src/simulator/README.md has every switch with its values and its default', () => {
  const page = readFileSync(new URL('../../src/simulator/README.md', import.meta.url), 'utf8');
  const rows = page.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
  for (const { name, value, description: says } of showSwitches()) {
    const row = rows.find((cells) => cells[1] === `\`${name}\``);
    expect(row?.[2], name).toBe(value);
    expect(row?.at(-2), name).toBe(says.replaceAll('|', '\\|'));
  }
  expect(Object.keys(SWITCHES)).toHaveLength(Object.keys(CASES).length);
});
