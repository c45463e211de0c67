/** The state file: a restarted simulator continues where it stopped. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createSimulator } from '../../src/simulator/simulator.ts';
import { StateFileError } from '../../src/simulator/state-file.ts';
import { closeRigs, MINUTE, notification, rig, SEEN, TASK, withTask } from './simulator-driver.ts';
import type { Rig } from './simulator-driver.ts';

let directory: string;
let stateFile: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'simulator-state-'));
  stateFile = join(directory, 'state');
});
afterEach(async () => {
  await closeRigs();
  rmSync(directory, { recursive: true });
});

/** Ends one simulator and starts the next with the same clock. */
async function again(made: Rig): Promise<Rig> {
  const { pipelines, streams } = made.simulator.state();
  const at = made.clock.now();
  await made.simulator.close();
  const next = await rig({ stateFile });
  next.clock.advance(at - next.clock.now());
  expect(next.simulator.state()).toMatchObject({ pipelines, streams });
  return next;
}

interface Task {
  readonly taskId: string;
  readonly attemptId: string;
}

async function poll({ pipeline }: Rig): Promise<Task> {
  return (await pipeline('PollForTask', { workerGroup: 'files' })).body['taskObject'] as Task;
}

const WORK = { name: 'A', workerGroup: 'files', command: 'true' };

test('streams, tasks, history, the home region, switches and tokens are there after a restart', async () => {
  let made = await withTask(await rig({ stateFile, homeRegion: 'eu-central-1' }));
  for (const second of [0, 1, 2]) {
    await made.hub(
      'NotifyMigrationTaskState',
      notification('IN_PROGRESS', SEEN + second, 60, second),
    );
  }
  await made.hub('AssociateSourceResource', { ...TASK, SourceResource: { Name: 'wave 1' } });
  made.simulator.setSwitches({ updateAfterFinal: 'refuse' });
  const first = await made.hub('ListMigrationTaskUpdates', { ...TASK, MaxResults: 2 });
  made = await again(made);
  expect((await made.config('GetHomeRegion')).body).toEqual({ HomeRegion: 'eu-central-1' });
  const rest = await made.hub('ListMigrationTaskUpdates', {
    ...TASK,
    MaxResults: 2,
    NextToken: first.body['NextToken'],
  });
  expect(rest.body['MigrationTaskUpdateList']).toMatchObject([{ UpdateDateTime: SEEN + 2 }]);
  await made.hub('NotifyMigrationTaskState', notification('COMPLETED', SEEN + 3, 60));
  made = await again(made);
  const late = await made.hub(
    'NotifyMigrationTaskState',
    notification('IN_PROGRESS', SEEN + 4, 60),
  );
  expect(late.error).toBe('InvalidInputException');
});

test('a task stays with its runner over a restart, and its window continues', async () => {
  let made = await rig({ stateFile });
  const { instanceId } = made.simulator.submitShellActivity(WORK);
  const { taskId } = await poll(made);
  await made.pipeline('ReportTaskProgress', { taskId });
  made.clock.advance(10 * MINUTE);
  made = await again(made);
  made.clock.advance(4 * MINUTE);
  expect((await made.pipeline('ReportTaskProgress', { taskId })).body).toEqual({ canceled: false });
  made = await again(made);
  made.clock.advance(15 * MINUTE + 1);
  expect(made.simulator.state().readyTasks).toBe(1);
  const second = await poll(made);
  expect(second.attemptId).toBe(`${instanceId}_Attempt=1`);
  expect(second.taskId).not.toBe(taskId);
  made = await again(made);
  expect((await made.pipeline('ReportTaskProgress', { taskId })).error).toBe(
    'TaskNotFoundException',
  );
  const failed = { taskId: second.taskId, taskStatus: 'FAILED', errorMessage: 'no' };
  expect((await made.pipeline('SetTaskStatus', failed)).status).toBe(200);
  made = await again(made);
  made.clock.advance(2 * MINUTE);
  expect((await poll(made)).attemptId).toBe(`${instanceId}_Attempt=2`);
});

test('a cancel that no report was answered with is reported after the restart; new ids are new', async () => {
  let made = await rig({ stateFile });
  const { pipelineId } = made.simulator.submitShellActivity(WORK);
  const { taskId } = await poll(made);
  made.simulator.cancel(pipelineId);
  made = await again(made);
  // As the first call, like the one before the restart: reset random numbers would give the same id.
  const other = made.simulator.submitShellActivity(WORK);
  expect(other.pipelineId).not.toBe(pipelineId);
  const report = await made.pipeline('ReportTaskProgress', { taskId });
  expect(report.body).toEqual({ canceled: true });
});

test('options of the start override the switches of the file', async () => {
  const made = await rig({ stateFile });
  made.simulator.setSwitches({ pollMs: '10s', progressMs: '5m' });
  await made.simulator.close();
  const next = await rig({ stateFile, behaviour: { pollMs: 20_000 } });
  const values = Object.fromEntries(
    next.simulator.switches().map((each) => [each.name, each.value]),
  );
  expect([values['pollMs'], values['progressMs']]).toEqual(['20s', '5m']);
});

test('changes are written without a call', async () => {
  const made = await rig({ stateFile });
  await made.hub('CreateProgressUpdateStream', { ProgressUpdateStreamName: 'S' });
  made.clock.advance(1_000);
  const copy = join(directory, 'copy');
  writeFileSync(copy, readFileSync(stateFile));
  const other = createSimulator({ stateFile: copy });
  expect(other.state().streams).toMatchObject([{ name: 'S' }]);
  await other.close();
});

test('a file that is not a state file, is cut, or has a flipped bit is refused with its name, and not changed', async () => {
  const made = await withTask(await rig({ stateFile }));
  await made.simulator.close();
  const good = readFileSync(stateFile);
  const turned = Buffer.from(good);
  turned[good.length - 5] = (turned[good.length - 5] ?? 0) ^ 1;
  for (const bad of [
    Buffer.from('pipelines: []\n'),
    Buffer.alloc(0),
    good.subarray(0, -1),
    turned,
  ]) {
    writeFileSync(stateFile, bad);
    expect(() => createSimulator({ stateFile })).toThrow(StateFileError);
    expect(() => createSimulator({ stateFile })).toThrow(`${stateFile} is not a state file`);
    expect(readFileSync(stateFile)).toEqual(bad);
  }
});

test('a write error is reported, and the simulator continues', async () => {
  const errors: string[] = [];
  const made = await rig({
    stateFile: join(directory, 'none/state'),
    onStateError: (error) => errors.push(error.message),
  });
  made.clock.advance(1_000);
  expect(errors).toEqual([expect.stringContaining('cannot write the state file')]);
  expect((await made.hub('ListMigrationTasks')).status).toBe(200);
});
