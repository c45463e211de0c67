/**
 * Assigns a task that PollForTask returned: to which job the configuration maps it, and how long the service waits for
 * reports.
 */
import type { PolledTask } from '../model/call.ts';
import { defined } from '../lib/defined.ts';
import type { HubJobSettings, JobDefinition } from '../model/job.ts';
import { MINUTE_MS } from '../lib/time.ts';
import { periodMs } from './period.ts';
import type { ActivityRule, PipelineSettings, Settings } from '../model/settings.ts';
import {
  activityFields,
  attemptObject,
  componentId,
  componentName,
  field,
  ref,
  texts,
} from './task-fields.ts';

/** What to do with a task. `refuse`: the host does not allow it, with the reason. */
export type Assignment =
  | {
      readonly kind: 'run';
      readonly definition: JobDefinition;
      /** An exit code other than 0 means that the condition is not met (SetTaskStatus FALSE). */
      readonly isPrecondition: boolean;
    }
  | { readonly kind: 'refuse'; readonly name: string; readonly reason: string };

/** The configured job for a task: the first rule that matches (P9: nothing runs that no rule names). */
export function assignment(task: PolledTask, settings: Settings): Assignment {
  const fields = activityFields(task);
  const name = componentName(task);
  const rule = settings.dataPipeline?.activities.find((one) => isMatch(one, task));
  const refuse = (reason: string): Assignment => ({
    kind: 'refuse',
    name: `${task.pipelineId}.${name}`,
    reason,
  });
  if (rule === undefined) {
    const type = field(fields, 'type') ?? 'unknown type';
    return refuse(`no activity of this host's configuration matches ${type} "${name}"`);
  }
  const definition =
    rule.job === undefined ? shellDefinition(task, settings) : settings.jobs.get(rule.job);
  if (definition === undefined) return refuse(`the configuration has no job "${rule.job ?? ''}"`);
  if (typeof definition === 'string') return refuse(definition);
  const timeoutMs = periodMs(field(fields, 'attemptTimeout') ?? '');
  return {
    kind: 'run',
    definition: withTimeout(definition, timeoutMs),
    isPrecondition: rule.precondition === true,
  };
}

/** `reportProgressTimeout` of the task's own fields, or the configured window. */
export function windowMs(task: PolledTask, settings: PipelineSettings): number {
  return periodMs(field(activityFields(task), 'reportProgressTimeout') ?? '') ?? settings.windowMs;
}

/** Limits a text from outside. */
const VALUE_CHARACTERS_MAX = 60;

export interface UnreadableField {
  readonly field: string;
  readonly value: string;
  /** What is used instead. */
  readonly used: string;
}

/** The periods of a task that are present but cannot be read (`60 mins`). */
export function unreadableFields(task: PolledTask, settings: PipelineSettings): UnreadableField[] {
  const fields = activityFields(task);
  const used = {
    reportProgressTimeout: `window (${settings.windowMs / MINUTE_MS} minutes)`,
    attemptTimeout: 'timeout of the job, or none',
  };
  return Object.entries(used).flatMap(([name, instead]) => {
    const value = field(fields, name);
    return value === undefined || periodMs(value) !== undefined
      ? []
      : [{ field: name, value: value.slice(0, VALUE_CHARACTERS_MAX), used: instead }];
  });
}

/** Pipeline and instance, without the attempt: `@Copy_2012-12-12T00:00:00_Attempt=2` is the instance's second. */
export function instanceKey(task: PolledTask): string {
  const parent = ref(attemptObject(task), '@instanceParent');
  return `${task.pipelineId}/${parent ?? task.attemptId.replace(/_Attempt=\d+$/, '')}`;
}

const SHELL_HUB_SETTINGS: HubJobSettings = {
  task: '{job}',
  resourceAttributes: [],
  sourceResources: [],
  artifacts: [],
};

/** A job that runs the pipeline's own shell command, or the reason why it cannot be run here. */
function shellDefinition(task: PolledTask, settings: Settings): JobDefinition | string {
  const fields = activityFields(task);
  const command = field(fields, 'command');
  const reason = unsupported(task);
  if (command === undefined || reason !== undefined) {
    return reason ?? 'it has no `command`, and the agent runs nothing else';
  }
  const name = `${task.pipelineId}.${componentName(task)}`;
  return {
    name,
    // The arguments are $1, $2 … of the command: data that the shell does not interpret.
    command: ['/bin/sh', '-c', command, name, ...texts(fields, 'scriptArgument')],
    environment: {},
    autostart: false,
    progress: { parser: 'percent' },
    stop: settings.shellStop,
    ...defined({ migrationHub: settings.migrationHub && SHELL_HUB_SETTINGS }),
  };
}

/** Why an activity is refused that needs a feature of AWS's own Task Runner: ignoring it would be a silent failure. */
function unsupported(task: PolledTask): string | undefined {
  const fields = activityFields(task);
  if (field(fields, 'scriptUri') !== undefined) {
    return 'scriptUri needs a download from S3, which is not supported: give `command`, or map the activity to a job';
  }
  if (field(fields, 'stage')?.toLowerCase() === 'true') {
    return 'stage=true needs S3 staging, which is not supported: map the activity to a job';
  }
  if (fields.some(({ key }) => key === 'runsOn')) {
    return 'runsOn names a resource of the pipeline, and this host is none: use workerGroup instead';
  }
  const remote = ['stdout', 'stderr'].find((key) => field(fields, key)?.startsWith('s3:') === true);
  if (remote !== undefined) {
    return `${remote} needs an upload to S3, which is not supported: leave it out; the output is in the job's log`;
  }
  return undefined;
}

/** The shorter of the job's own timeout and the activity's. */
function withTimeout(definition: JobDefinition, timeoutMs: number | undefined): JobDefinition {
  if (timeoutMs === undefined) return definition;
  return { ...definition, timeoutMs: Math.min(timeoutMs, definition.timeoutMs ?? Infinity) };
}

function isMatch(rule: ActivityRule, task: PolledTask): boolean {
  return Object.entries(rule.match).every(([key, wanted]) => {
    if (key === 'name') return componentName(task) === wanted;
    if (key === 'id') return componentId(task) === wanted || attemptObject(task).id === wanted;
    return activityFields(task).some(
      (one) => one.key === key && (one.stringValue ?? one.refValue) === wanted,
    );
  });
}
