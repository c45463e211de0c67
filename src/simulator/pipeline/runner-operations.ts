/** The operations that a task runner calls: PollForTask, ReportTaskProgress, SetTaskStatus, heartbeats. */
import { invalidRequest } from '../lib/errors.ts';
import { Later, operation } from '../lib/operation.ts';
import type { Operation } from '../lib/operation.ts';
import { REFUSAL } from './context.ts';
import type { PipelineContext } from './context.ts';
import { bytesOf, OBJECT_BYTES_MAX } from '../definition/definition.ts';
import { pipelineShapes } from './shapes.ts';
import type { Field } from '../definition/objects.ts';
import { attemptObject } from './task-object.ts';
import type { Poll } from './task-queue-ports.ts';

export function runnerOperations(
  context: PipelineContext,
): readonly (readonly [string, Operation])[] {
  const { clock, behaviour, runs, runners } = context;
  const { queue } = runs;
  return [
    [
      'PollForTask',
      operation(pipelineShapes.PollForTask, REFUSAL, (input, { now, isGone }) => {
        const { workerGroup, hostname } = input;
        const output = queue.take(workerGroup, hostname, now);
        if (output !== undefined) return output;
        return new Later((settle) => {
          const finish = (answer: Parameters<typeof settle>[0]): void => {
            stopTimer();
            settle(answer);
          };
          const poll: Poll = { workerGroup, hostname, isGone, settle: finish };
          const stopTimer = clock.after(behaviour.pollMs, () => {
            // "200 without taskObject" (API): there is no task.
            if (queue.giveUp(poll)) settle({});
          });
          queue.wait(poll, now);
          return () => {
            // With `pollOfGoneClient: hand-out` the service ignores that the client has hung up.
            if (behaviour.pollOfGoneClient === 'hand-out') return;
            stopTimer();
            queue.giveUp(poll);
          };
        });
      }),
    ],

    [
      'ReportTaskProgress',
      operation(pipelineShapes.ReportTaskProgress, REFUSAL, (input, { now }) => {
        const fields = input.fields ?? [];
        refuseBadFields(fields);
        const { attempt, canceled } = queue.report(input.taskId, now);
        if (!canceled) {
          const merged = merge(attempt.reported, fields);
          // The fields of the report become fields of the attempt object, whose size is limited (DPG, limits).
          if (bytesOf(attemptObject({ ...attempt, reported: merged }).fields) > OBJECT_BYTES_MAX) {
            throw invalidRequest(
              `The object ${attempt.id} would have more than ${OBJECT_BYTES_MAX} bytes.`,
            );
          }
          attempt.reported = merged;
          attempt.reportedAt = now;
        }
        return { canceled };
      }),
    ],

    [
      'SetTaskStatus',
      operation(pipelineShapes.SetTaskStatus, REFUSAL, (input, { now }) => {
        if (
          behaviour.serviceErrorId === 'refuse' &&
          input.errorId?.startsWith('Service_') === true
        ) {
          throw invalidRequest("The errorId starts with 'Service_', which is reserved.");
        }
        const attempt = queue.end(input.taskId, input.taskStatus, now);
        if (attempt !== undefined) {
          attempt.reported = merge(attempt.reported, errorFields(input));
          if (input.taskStatus === 'FALSE') runs.notMet(attempt, now);
          else runs.endAttempt(attempt, input.taskStatus, now);
        }
        return {};
      }),
    ],

    [
      'ReportTaskRunnerHeartbeat',
      operation(pipelineShapes.ReportTaskRunnerHeartbeat, REFUSAL, (input, { now }) => ({
        terminate: runners.heartbeat(input.taskrunnerId, now),
      })),
    ],
  ];
}

function refuseBadFields(fields: readonly Field[]): void {
  for (const { key, stringValue, refValue } of fields) {
    if (stringValue !== undefined && refValue !== undefined) {
      throw invalidRequest(`The field '${key}' has both a string value and a reference.`);
    }
    // "Fields beginning with the at sign (@) are read-only and set by the web service" (API, Operator).
    if (key.startsWith('@')) throw invalidRequest(`The field '${key}' is read-only.`);
  }
}

function merge(old: readonly Field[], fresh: readonly Field[]): readonly Field[] {
  const replaced = new Set(fresh.map((field) => field.key));
  return [...old.filter((field) => !replaced.has(field.key)), ...fresh];
}

function errorFields(input: {
  readonly errorId?: string;
  readonly errorMessage?: string;
  readonly errorStackTrace?: string;
}): readonly Field[] {
  return (['errorId', 'errorMessage', 'errorStackTrace'] as const).flatMap((key) => {
    const stringValue = input[key];
    return stringValue === undefined ? [] : [{ key, stringValue }];
  });
}
