/** The operations on migration tasks: import, notify, describe, list, and the history of reports. */
import type { Behaviour } from '../lib/behaviour.ts';
import { invalidInput } from '../lib/errors.ts';
import type { MigrationTask, TaskUpdate } from './records.ts';
import { hubShapes } from './shapes.ts';
import type { ResourceAttribute } from './shapes.ts';
import { PAGE_SIZE } from './streams.ts';
import type { HubContext } from './context.ts';
import type { Operation } from '../lib/operation.ts';
import { defined } from '../lib/defined.ts';

export function taskOperations(hub: HubContext): readonly (readonly [string, Operation])[] {
  const { records, behaviour, pager } = hub;
  return [
    hub.write('ImportMigrationTask', hubShapes.ImportMigrationTask, (input, { now }) => {
      const { tasks } = records.writableStream(input.ProgressUpdateStream, now);
      if (tasks.has(input.MigrationTaskName) && behaviour.importExistingTask === 'refuse') {
        throw invalidInput(`The migration task ${input.MigrationTaskName} already exists.`);
      }
      return () => {
        records.importTask(input.ProgressUpdateStream, input.MigrationTaskName, now);
      };
    }),

    hub.write('NotifyMigrationTaskState', hubShapes.NotifyMigrationTaskState, (input, { now }) => {
      const task = records.writableTask(input.ProgressUpdateStream, input.MigrationTaskName, now);
      const update: TaskUpdate = {
        state: input.Task,
        updateMs: input.UpdateDateTime,
        nextUpdateSeconds: input.NextUpdateSeconds,
      };
      refuseBySwitch(task, update, behaviour, now);
      return () => {
        task.updates.push(update);
        const last = task.current;
        const isOlder = last !== undefined && update.updateMs <= last.updateMs;
        if (!isOlder || behaviour.outOfOrderUpdate !== 'keep-newest') task.current = update;
      };
    }),

    hub.write('PutResourceAttributes', hubShapes.PutResourceAttributes, (input, { now }) => {
      const task = records.writableTask(input.ProgressUpdateStream, input.MigrationTaskName, now);
      return () => {
        task.attributes = withoutUnmanagedVmFields(input.ResourceAttributeList);
        task.attributesAt = now;
      };
    }),

    hub.read('DescribeMigrationTask', hubShapes.DescribeMigrationTask, (input, { now }) => {
      const task = records.task(input.ProgressUpdateStream, input.MigrationTaskName, now);
      return {
        MigrationTask: {
          ProgressUpdateStream: task.stream,
          MigrationTaskName: task.name,
          ...(task.current === undefined
            ? {}
            : { Task: task.current.state, UpdateDateTime: task.current.updateMs / 1_000 }),
          ResourceAttributeList: task.attributes,
        },
      };
    }),

    hub.read('ListMigrationTasks', hubShapes.ListMigrationTasks, (input, { now }) => {
      const { ResourceName: resource } = input;
      const all = records
        .tasks(now)
        .filter((task) => resource === undefined || isOfResource(task, resource));
      const scope = `ListMigrationTasks|${resource ?? ''}`;
      const page = pager.page(all, input.MaxResults ?? PAGE_SIZE, scope, input.NextToken, now);
      return {
        MigrationTaskSummaryList: page.items.map(summary),
        ...defined({ NextToken: page.next }),
      };
    }),

    hub.read('ListMigrationTaskUpdates', hubShapes.ListMigrationTaskUpdates, (input, { now }) => {
      const task = records.task(input.ProgressUpdateStream, input.MigrationTaskName, now);
      const scope = `ListMigrationTaskUpdates|${task.stream}|${task.name}`;
      const size = input.MaxResults ?? PAGE_SIZE;
      const page = pager.page(task.updates, size, scope, input.NextToken, now);
      return {
        MigrationTaskUpdateList: page.items.map((update) => ({
          UpdateDateTime: update.updateMs / 1_000,
          UpdateType: 'MIGRATION_TASK_STATE_UPDATED',
          MigrationTaskState: update.state,
        })),
        ...defined({ NextToken: page.next }),
      };
    }),
  ];
}

function refuseBySwitch(
  task: MigrationTask,
  update: TaskUpdate,
  behaviour: Behaviour,
  now: number,
): void {
  const last = task.current;
  if (update.updateMs - now > behaviour.futureUpdateMsMax) {
    throw invalidInput('UpdateDateTime is in the future.');
  }
  if (last === undefined) return;
  const { outOfOrderUpdate } = behaviour;
  const isOlder = update.updateMs < last.updateMs;
  const isRefusedEqual = outOfOrderUpdate === 'refuse' && update.updateMs === last.updateMs;
  if (isRefusedEqual || (isOlder && outOfOrderUpdate.startsWith('refuse'))) {
    throw invalidInput('UpdateDateTime is not later than that of the last update.');
  }
  const isFinal = last.state.Status === 'COMPLETED' || last.state.Status === 'FAILED';
  if (behaviour.updateAfterFinal === 'refuse' && isFinal) {
    throw invalidInput(`The migration task is ${last.state.Status}.`);
  }
}

/** "If any VM field is given without VM_MANAGER_ID, all VM fields are discarded" (API, PutResourceAttributes). */
function withoutUnmanagedVmFields(
  given: readonly ResourceAttribute[],
): readonly ResourceAttribute[] {
  const hasManager = given.some((attribute) => attribute.Type === 'VM_MANAGER_ID');
  return hasManager ? given : given.filter((attribute) => !attribute.Type.startsWith('VM_'));
}

/** "Filter migration tasks by discovered resource name" (API): any resource name that the task has. */
function isOfResource(task: MigrationTask, resource: string): boolean {
  return (
    task.discoveredResources.has(resource) ||
    task.sourceResources.has(resource) ||
    task.attributes.some((attribute) => attribute.Value === resource)
  );
}

function summary(task: MigrationTask): Readonly<Record<string, unknown>> {
  return {
    ProgressUpdateStream: task.stream,
    MigrationTaskName: task.name,
    ...(task.current === undefined
      ? {}
      : { ...task.current.state, UpdateDateTime: task.current.updateMs / 1_000 }),
  };
}
