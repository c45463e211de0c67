/** A pipeline with one shell activity in one step, with the operations that a user would call. */
import type { DataPipeline } from '../pipeline/data-pipeline.ts';
import type { Output } from '../lib/operation.ts';
import { isEnded } from '../pipeline/records.ts';

export interface ShellActivity {
  /** The component's id and name, and the pipeline's name. */
  readonly name: string;
  readonly workerGroup: string;
  readonly command: string;
  readonly scriptArguments?: readonly string[];
  /** Further fields of the activity, such as reportProgressTimeout or maximumRetries. */
  readonly fields?: Readonly<Record<string, string>>;
}

export interface Submitted {
  readonly pipelineId: string;
  readonly instanceId: string;
}

export function submitShellActivity(
  pipeline: DataPipeline,
  activity: ShellActivity,
  now: number,
): Submitted {
  const call = (name: string, body: unknown): Output => {
    const output = pipeline.service.operations.get(name)?.(body, { now, isGone: () => false });
    return output as Output;
  };
  const uniqueId = `quick-${pipeline.records.made()}`;
  const { pipelineId } = call('CreatePipeline', { name: activity.name, uniqueId }) as {
    readonly pipelineId: string;
  };
  const field = (key: string, stringValue: string): Output => ({ key, stringValue });
  const put = call('PutPipelineDefinition', {
    pipelineId,
    pipelineObjects: [
      { id: 'Default', name: 'Default', fields: [field('scheduleType', 'ondemand')] },
      {
        id: activity.name,
        name: activity.name,
        fields: [
          field('type', 'ShellCommandActivity'),
          field('workerGroup', activity.workerGroup),
          field('command', activity.command),
          ...(activity.scriptArguments ?? []).map((each) => field('scriptArgument', each)),
          ...Object.entries(activity.fields ?? {}).map(([key, value]) => field(key, value)),
        ],
      },
    ],
  });
  if (put['errored'] === true) {
    throw new Error(`The activity is not valid: ${JSON.stringify(put['validationErrors'])}`);
  }
  call('ActivatePipeline', { pipelineId });
  const [instanceId = ''] = pipeline.records.get(pipelineId).instances.keys();
  return { pipelineId, instanceId };
}

export function cancelPipeline(pipeline: DataPipeline, pipelineId: string, now: number): number {
  const live = [...pipeline.records.get(pipelineId).instances.values()].filter(
    (instance) => !isEnded(instance),
  );
  for (const instance of live) pipeline.runs.cancel(instance, 'Canceled by SetStatus.', now);
  pipeline.runs.advance(now);
  return live.length;
}
