/**
 * Reads a task as PollForTask handed it out: which activity it is, which job the configuration maps it to,
 * and how long the service waits for reports. Fields are a multimap: order and repetition carry meaning.
 */
import type { PolledTask, PipelineObject } from './call.ts';
import type { JobDefinition } from './job.ts';
import { periodMs } from './period.ts';
import type { ActivityRule, PipelineSettings, Settings } from './settings.ts';

/** What to do with a task; `refuse`: the host does not allow it, and why. */
export type Assignment =
  | { readonly kind: 'run'; readonly definition: JobDefinition }
  | { readonly kind: 'refuse'; readonly name: string; readonly reason: string };

/** The configured job for a task: the first rule that matches (P9: nothing runs that no rule names). */
export function assignment(task: PolledTask, settings: Settings): Assignment {
  const attempt = attemptObject(task);
  const name = componentName(task);
  const rule = settings.dataPipeline?.activities.find((one) => isMatch(one, task, attempt));
  const refuse = (reason: string): Assignment => ({
    kind: 'refuse',
    name: `${task.pipelineId}.${name}`,
    reason,
  });
  if (rule === undefined) {
    const type = field(attempt, 'type') ?? 'unknown type';
    return refuse(`no activity of this host's configuration matches ${type} "${name}"`);
  }
  const timeoutMs = periodMs(field(attempt, 'attemptTimeout') ?? '');
  if (rule.job !== undefined) {
    const definition = settings.jobs.get(rule.job);
    if (definition === undefined) return refuse(`the configuration has no job "${rule.job}"`);
    return { kind: 'run', definition: withTimeout(definition, timeoutMs) };
  }
  return shellAssignment(task, settings, refuse, timeoutMs);
}

/** `reportProgressTimeout` of the task's own fields, or the configured window. */
export function windowMs(task: PolledTask, settings: PipelineSettings): number {
  return periodMs(field(attemptObject(task), 'reportProgressTimeout') ?? '') ?? settings.windowMs;
}

/** Pipeline and instance, without the attempt: `@Copy_2012-12-12T00:00:00_Attempt=2` is the instance's second. */
export function instanceKey(task: PolledTask): string {
  const parent = ref(attemptObject(task), '@instanceParent');
  return `${task.pipelineId}/${parent ?? task.attemptId.replace(/_Attempt=\d+$/, '')}`;
}

function shellAssignment(
  task: PolledTask,
  settings: Settings,
  refuse: (reason: string) => Assignment,
  timeoutMs: number | undefined,
): Assignment {
  const attempt = attemptObject(task);
  const command = field(attempt, 'command');
  if (command === undefined) {
    return refuse('only `command` is run here; scriptUri and other activities are not supported');
  }
  if (field(attempt, 'stage')?.toLowerCase() === 'true') {
    return refuse('stage=true needs S3 staging, which is not supported');
  }
  const words = attempt.fields
    .filter((one) => one.key === 'scriptArgument')
    .map((one) => one.stringValue ?? '');
  const name = `${task.pipelineId}.${componentName(task)}`;
  return {
    kind: 'run',
    definition: withTimeout(
      {
        name,
        command: ['/bin/sh', '-c', command, name, ...words],
        environment: {},
        autostart: false,
        progress: { parser: 'percent' },
        stop: settings.shellStop,
        ...(settings.migrationHub === undefined
          ? {}
          : {
              migrationHub: {
                task: '{job}',
                resourceAttributes: [],
                sourceResources: [],
                artifacts: [],
              },
            }),
      },
      timeoutMs,
    ),
  };
}

/** The shorter of the job's own timeout and the activity's. */
function withTimeout(definition: JobDefinition, timeoutMs: number | undefined): JobDefinition {
  if (timeoutMs === undefined) return definition;
  return { ...definition, timeoutMs: Math.min(timeoutMs, definition.timeoutMs ?? Infinity) };
}

function isMatch(rule: ActivityRule, task: PolledTask, attempt: PipelineObject): boolean {
  return Object.entries(rule.match).every(([key, wanted]) => {
    if (key === 'name') return componentName(task) === wanted;
    if (key === 'id') return ref(attempt, '@componentParent') === wanted || attempt.id === wanted;
    return attempt.fields.some(
      (one) => one.key === key && (one.stringValue ?? one.refValue) === wanted,
    );
  });
}

/** The activity's name as its author wrote it: the component that the attempt came from. */
function componentName(task: PolledTask): string {
  const attempt = attemptObject(task);
  const id = ref(attempt, '@componentParent') ?? ref(attempt, 'parent');
  const component = task.objects.find((object) => object.id === id);
  if (component !== undefined) return component.name;
  return id ?? attempt.name.replace(/^@/, '').replace(/_\d{4}-\d\d-\d\dT.*$/, '');
}

function attemptObject(task: PolledTask): PipelineObject {
  return (
    task.objects.find((object) => object.id === task.attemptId) ??
    task.objects.find((object) => /_Attempt=\d+$/.test(object.id)) ??
    task.objects[0] ?? { id: task.attemptId, name: task.attemptId, fields: [] }
  );
}

function field(object: PipelineObject, key: string): string | undefined {
  return object.fields.find((one) => one.key === key)?.stringValue;
}

function ref(object: PipelineObject, key: string): string | undefined {
  const found = object.fields.find((one) => one.key === key);
  return found?.refValue ?? found?.stringValue;
}
