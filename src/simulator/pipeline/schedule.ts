/**
 * When a component of an active pipeline runs next. `cron` runs at the start of an interval, `timeseries`
 * (the default) at its end (DPG, scheduleType); an `ondemand` component runs by activation only.
 */
import { parsePipelineTime } from '../lib/clock.ts';
import { isActivity, isOnDemand } from '../definition/definition.ts';
import type { Definition } from '../definition/definition.ts';
import { byId, effectiveFields, parsePeriod, refsOf, valueOf } from '../definition/fields.ts';
import { instanceId } from './instances.ts';
import type { Pipeline } from './records.ts';
import type { Field } from '../definition/objects.ts';

interface ScheduledRun {
  readonly index: number;
  readonly startAt: number;
  readonly endAt: number;
  readonly dueAt: number;
}

export function nextRun(
  pipeline: Pipeline,
  definition: Definition,
  componentId: string,
): ScheduledRun | undefined {
  return runAt(pipeline, definition, componentId, pipeline.runsMade.get(componentId) ?? 0);
}

/** Undefined if the component has no run of that index: it is no activity, has no schedule, or its schedule has ended. */
function runAt(
  pipeline: Pipeline,
  definition: Definition,
  componentId: string,
  index: number,
): ScheduledRun | undefined {
  if (isOnDemand(definition)) return undefined;
  const objects = byId(definition.objects);
  const fields = effectiveFields(objects, componentId);
  const scheduleId = refsOf(fields, 'schedule')[0];
  if (!isActivity(fields) || scheduleId === undefined) return undefined;

  const timing = timingOf(effectiveFields(objects, scheduleId), pipeline.firstActivatedAt);
  if (timing === undefined) return undefined;

  const { firstAt, periodMs, lastAt, occurrences } = timing;
  const startAt = firstAt + index * periodMs;
  if (index >= occurrences || startAt >= lastAt) return undefined;
  const endAt = startAt + periodMs;
  const isCron = valueOf(fields, 'scheduleType')?.toLowerCase() === 'cron';
  return { index, startAt, endAt, dueAt: isCron ? startAt : endAt };
}

function timingOf(
  schedule: readonly Field[],
  firstActivatedAt: number | undefined,
):
  | {
      readonly firstAt: number;
      readonly periodMs: number;
      readonly lastAt: number;
      readonly occurrences: number;
    }
  | undefined {
  const periodMs = parsePeriod(valueOf(schedule, 'period') ?? '');
  const firstAt = parsePipelineTime(valueOf(schedule, 'startDateTime') ?? '') ?? firstActivatedAt;
  if (periodMs === undefined || firstAt === undefined) return undefined;
  const lastAt = parsePipelineTime(valueOf(schedule, 'endDateTime') ?? '') ?? Infinity;
  return {
    firstAt,
    periodMs,
    lastAt,
    occurrences: Number(valueOf(schedule, 'occurrences') ?? Infinity),
  };
}

/** The instances of one activation of an on-demand pipeline. */
export function onDemandRun(
  pipeline: Pipeline,
  definition: Definition,
  now: number,
): { readonly startAt: number; readonly componentIds: readonly string[] } {
  const objects = byId(definition.objects);
  const componentIds = [...objects.keys()].filter((id) => isActivity(effectiveFields(objects, id)));
  // Instance ids have whole seconds: two activations within a second must not have the same one.
  let startAt = Math.floor(now / 1_000) * 1_000;
  while (componentIds.some((id) => pipeline.instances.has(instanceId(id, startAt)))) {
    startAt += 1_000;
  }
  return { startAt, componentIds };
}

/** ActivatePipeline with a startTimestamp: "the date and time to resume the pipeline" (API). */
export function skipRunsBefore(pipeline: Pipeline, definition: Definition, startMs: number): void {
  for (const { id } of definition.objects) {
    for (;;) {
      const run = nextRun(pipeline, definition, id);
      if (run === undefined || run.startAt >= startMs) break;
      pipeline.runsMade.set(id, run.index + 1);
    }
  }
}

/** A start "earlier than 1 day ago" blocks activation, to prevent accidental backfills (DPG, Schedule). */
export function isLongBackfill(
  pipeline: Pipeline,
  definition: Definition,
  now: number,
  backfillMsMax: number,
): boolean {
  return definition.objects.some(({ id }) => {
    const first = runAt(pipeline, definition, id, 0);
    return first !== undefined && now - first.startAt > backfillMsMax;
  });
}
