/** A task as PollForTask hands it out: an attempt of an activity that has the job's name. */
import type { PolledTask } from '../../src/core/model/call.ts';

export function polledTask(job: string, attempt = 1, instance = 1): PolledTask {
  const attemptId = `@${job}_${instance}_Attempt=${attempt}`;
  const fields = [
    { key: '@componentParent', refValue: job },
    { key: '@instanceParent', refValue: `@${job}_${instance}` },
    { key: 'type', stringValue: 'ShellCommandActivity' },
  ];
  return {
    taskId: '',
    pipelineId: 'df-1',
    attemptId,
    objects: [{ id: attemptId, name: attemptId, fields }],
  };
}
