import { describe, expect, test } from 'vitest';
import { createSimulator } from '../../../src/simulator/simulator.ts';
import {
  createManualClock,
  MINUTE,
  notification,
  rig,
  SECOND,
  SEEN,
  withTask,
} from '../simulator-driver.ts';
import type { Rig } from '../simulator-driver.ts';

const taskAudit = (made: Rig) => made.simulator.audit().migrationHub.tasks[0]!;

/** Notifies. UpdateDateTime is by the simulator's clock unless an argument gives it. */
function notifier(made: Rig) {
  return (
    status: string,
    nextUpdateSeconds: number,
    percent?: number,
    at = made.clock.now() / 1_000,
  ) => made.hub('NotifyMigrationTaskState', notification(status, at, nextUpdateSeconds, percent));
}

describe('staleness', () => {
  test('a task is stale from the end of its promise to the next report, to the millisecond', async () => {
    const made = await withTask(await rig());
    const notify = notifier(made);
    expect(made.simulator.audit().migrationHub.tasks).toEqual([]);
    await notify('IN_PROGRESS', 60);
    made.clock.advance(60 * SECOND);
    expect(taskAudit(made)).toMatchObject({ isStale: false, staleSeconds: 0 });
    made.clock.advance(2_500);
    expect(taskAudit(made)).toMatchObject({ isStale: true, staleSeconds: 2.5 });
    await notify('IN_PROGRESS', 60);
    made.clock.advance(10 * SECOND);
    expect(taskAudit(made)).toMatchObject({
      isStale: false,
      staleSeconds: 2.5,
      staleIntervals: [{ from: '2026-01-01T00:01:00.000Z', to: '2026-01-01T00:01:02.500Z' }],
    });
    expect(made.simulator.audit().violations).toEqual([
      '2.500 seconds in which a migration task was stale',
    ]);
  });

  test('a finished task is never stale', async () => {
    for (const status of ['COMPLETED', 'FAILED']) {
      const made = await withTask(await rig());
      await notifier(made)(status, 0);
      made.clock.advance(60 * MINUTE);
      expect(made.simulator.audit()).toMatchObject({
        migrationHub: { staleSeconds: 0 },
        violations: [],
      });
    }
  });

  test('staleness counts from UpdateDateTime, not from the time of arrival', async () => {
    const made = await withTask(await rig());
    const notify = notifier(made);
    await notify('IN_PROGRESS', 60, undefined, SEEN - 90);
    // The promise had ended before the report arrived: the task is stale at once.
    made.clock.advance(5 * SECOND);
    expect(taskAudit(made).staleSeconds).toBe(5);
    await notify('IN_PROGRESS', 60, undefined, SEEN - 80);
    made.clock.advance(5 * SECOND);
    expect(taskAudit(made)).toMatchObject({ staleSeconds: 10, staleIntervals: [{}] });
  });

  test('a refused report does not end staleness; an accepted one whose answer is lost does', async () => {
    const made = await withTask(await rig());
    const notify = notifier(made);
    await notify('IN_PROGRESS', 60);
    made.clock.advance(61 * SECOND);
    made.simulator.addFault({ operation: 'NotifyMigrationTaskState', fault: 'error', count: 1 });
    await notify('IN_PROGRESS', 60);
    expect(taskAudit(made)).toMatchObject({ isStale: true, updates: 1 });
    made.simulator.addFault({
      operation: 'NotifyMigrationTaskState',
      fault: 'lose-answer',
      count: 1,
    });
    await expect(notify('IN_PROGRESS', 60)).rejects.toThrow();
    expect(taskAudit(made)).toMatchObject({ isStale: false, updates: 2, staleSeconds: 1 });
  });

  test('the tasks of a deleted stream are never stale', async () => {
    const made = await withTask(await rig());
    await notifier(made)('IN_PROGRESS', 60);
    await made.hub('DeleteProgressUpdateStream', { ProgressUpdateStreamName: 'S' });
    made.clock.advance(5 * MINUTE);
    expect(made.simulator.audit().migrationHub.staleSeconds).toBe(0);
  });
});

describe('the order of reports', () => {
  test('UpdateDateTime must increase and percent must not fall within a run', async () => {
    const made = await withTask(await rig());
    const notify = notifier(made);
    await notify('IN_PROGRESS', 60, 40);
    await notify('IN_PROGRESS', 60, 50);
    expect(taskAudit(made).notIncreasing).toBe(1);
    made.clock.advance(SECOND);
    await notify('IN_PROGRESS', 60, 49);
    expect(taskAudit(made)).toMatchObject({ notIncreasing: 1, percentFell: 1 });
  });

  test('after a final state only IN_PROGRESS opens the task again, and percent starts at zero', async () => {
    const made = await withTask(await rig());
    const notify = notifier(made);
    await notify('COMPLETED', 60, 100);
    made.clock.advance(SECOND);
    await notify('IN_PROGRESS', 60, 0);
    expect(taskAudit(made)).toMatchObject({ afterFinal: 0, percentFell: 0 });
    made.clock.advance(SECOND);
    await notify('FAILED', 60);
    made.clock.advance(SECOND);
    await notify('FAILED', 60);
    expect(taskAudit(made).afterFinal).toBe(1);
  });

  test('a final report may be repeated only if its answer was lost', async () => {
    const made = await withTask(await rig());
    const notify = notifier(made);
    made.simulator.addFault({ operation: 'NotifyMigrationTaskState', fault: 'truncate', count: 1 });
    await expect(notify('COMPLETED', 60, 100, SEEN)).rejects.toThrow();
    await notify('COMPLETED', 60, 100, SEEN);
    expect(taskAudit(made)).toMatchObject({ repeated: 1, afterFinal: 0, notIncreasing: 0 });
    await notify('COMPLETED', 60, 100, SEEN);
    expect(taskAudit(made)).toMatchObject({ repeated: 1, afterFinal: 1, notIncreasing: 1 });
  });
});

test('invalid requests are listed, but not those that a fault rule made invalid', async () => {
  const made = await rig();
  await made.hub('CreateProgressUpdateStream', {});
  made.simulator.addFault({ operation: '*', fault: 'error', name: 'InvalidInputException' });
  await made.hub('CreateProgressUpdateStream', {});
  expect(made.simulator.audit().invalidRequests).toMatchObject({
    count: 1,
    newest: [{ operation: 'CreateProgressUpdateStream', error: 'InvalidInputException' }],
  });
  expect(made.simulator.audit().operations['CreateProgressUpdateStream']).toEqual({
    calls: 2,
    ok: 0,
    overLimit: 0,
    throttled: 0,
    faulted: 1,
    errors: { InvalidInputException: 2 },
  });
});

test('a second poll of a host before the first is answered is recorded', async () => {
  const made = await rig();
  const poll = (hostname: string) =>
    made.pipeline('PollForTask', { workerGroup: 'files', hostname });
  const polls = [poll('a'), poll('b')];
  await Promise.race([...polls, made.pipeline('ListPipelines')]);
  expect(made.simulator.audit().dataPipeline.overlappingPolls).toBe(0);
  polls.push(poll('a'));
  while (made.simulator.state().heldPolls < 3)
    await made.pipeline('ReportTaskRunnerHeartbeat', { taskrunnerId: 'r' });
  expect(made.simulator.audit().dataPipeline.overlappingPolls).toBe(1);
  made.clock.advance(90 * SECOND);
  await Promise.all(polls);
});

test('the journal keeps the newest calls, and the audit counts them all', async () => {
  const made = await rig({ journalSize: 3 });
  for (const name of ['a', 'b', 'c', 'd', 'e']) {
    await made.hub('CreateProgressUpdateStream', { ProgressUpdateStreamName: name });
  }
  expect(made.simulator.journal()).toMatchObject(
    ['c', 'd', 'e'].map((ProgressUpdateStreamName) => ({
      service: 'MigrationHub',
      operation: 'CreateProgressUpdateStream',
      request: { ProgressUpdateStreamName },
      outcome: 'ok',
      status: 200,
      delivered: true,
    })),
  );
  expect(made.simulator.audit().operations['CreateProgressUpdateStream']).toMatchObject({
    calls: 5,
    ok: 5,
  });
});

test('the services can be called without HTTP, in virtual time', () => {
  const clock = createManualClock();
  const simulator = createSimulator({ clock });
  const bodies: string[] = [];
  const call = (operation: string, body: object) =>
    simulator.gateway.call(
      { target: `DataPipeline.${operation}`, body: JSON.stringify(body) },
      (delivery) => {
        if (delivery.kind === 'answer') bodies.push(delivery.body);
        return true;
      },
    );
  call('PollForTask', { workerGroup: 'files' });
  clock.advance(30 * SECOND);
  expect(bodies).toEqual([]);
  simulator.submitShellActivity({ name: 'A', workerGroup: 'files', command: 'true' });
  expect(bodies).toHaveLength(1);
  const { taskObject } = JSON.parse(bodies[0] ?? '') as { taskObject: { taskId: string } };
  call('ReportTaskProgress', { taskId: taskObject.taskId });
  expect(bodies[1]).toBe('{"canceled":false}');
  clock.advance(15 * MINUTE + 1);
  expect(simulator.audit().dataPipeline.progressLapses).toBe(1);
});
