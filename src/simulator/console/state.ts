/** The current state of the simulator, for GET /_simulator/state. */
import { isoTime } from '../lib/clock.ts';
import type { SimulatorClock } from '../lib/clock.ts';
import type { DataPipeline } from '../pipeline/data-pipeline.ts';
import type { Faults, FaultShown } from '../faults/faults.ts';
import type { HomeRegion } from '../hub/home-region.ts';
import type { MigrationHub } from '../hub/migration-hub.ts';

export interface SimulatorState {
  readonly now: string;
  readonly homeRegion: string | null;
  readonly streams: readonly {
    readonly name: string;
    readonly isBeingDeleted: boolean;
    readonly tasks: readonly Readonly<Record<string, unknown>>[];
  }[];
  readonly applications: Readonly<Record<string, string>>;
  readonly pipelines: readonly {
    readonly id: string;
    readonly name: string;
    readonly state: string;
    readonly instances: readonly {
      readonly id: string;
      readonly status: string;
      readonly attempts: readonly {
        readonly id: string;
        readonly status: string;
        readonly hostname: string | null;
        readonly reported: Readonly<Record<string, string | undefined>>;
      }[];
    }[];
  }[];
  readonly ownedTasks: readonly Readonly<Record<string, unknown>>[];
  readonly readyTasks: number;
  readonly heldPolls: number;
  readonly taskRunners: readonly {
    readonly taskRunnerId: string;
    readonly lastHeartbeatAt: string;
  }[];
  readonly faults: readonly (Omit<FaultShown, 'addedAt'> & { readonly addedAt: string })[];
}

export function stateOf(parts: {
  readonly clock: SimulatorClock;
  readonly homeRegion: HomeRegion;
  readonly hub: MigrationHub;
  readonly pipeline: DataPipeline;
  readonly faults: Faults;
}): SimulatorState {
  const { clock, homeRegion, hub, pipeline, faults } = parts;
  const now = clock.now();
  const { ready, polls } = pipeline.runs.queue.counts();
  return {
    now: isoTime(now),
    homeRegion: homeRegion.current() ?? null,
    streams: hub.records.streams(now).map((stream) => ({
      name: stream.name,
      isBeingDeleted: stream.goneAt !== undefined,
      tasks: [...stream.tasks.values()].map((task) => ({
        name: task.name,
        ...task.current?.state,
        ...(task.current === undefined
          ? {}
          : {
              updateDateTime: isoTime(task.current.updateMs),
              nextUpdateSeconds: task.current.nextUpdateSeconds,
            }),
        updates: task.updates.length,
        resourceAttributes: task.attributes,
        createdArtifacts: [...task.artifacts.keys()],
        discoveredResources: [...task.discoveredResources.keys()],
        sourceResources: [...task.sourceResources.keys()],
      })),
    })),
    applications: Object.fromEntries(
      [...hub.records.applications].map(([id, { status }]) => [id, status]),
    ),
    pipelines: pipeline.records.all().map(({ id, name, state, instances }) => ({
      id,
      name,
      state,
      instances: [...instances.values()].map((instance) => ({
        id: instance.id,
        status: instance.status,
        attempts: instance.attempts.map((attempt) => ({
          id: attempt.id,
          status: attempt.status,
          hostname: attempt.hostname ?? null,
          reported: Object.fromEntries(
            attempt.reported.map((field) => [field.key, field.stringValue ?? field.refValue]),
          ),
        })),
      })),
    })),
    ownedTasks: pipeline.runs.queue.owned().map((task) => ({
      ...task,
      at: isoTime(task.at),
      windowEndsAt: isoTime(task.windowEndsAt),
    })),
    readyTasks: ready,
    heldPolls: polls,
    taskRunners: pipeline.runners.list().map(({ taskRunnerId, lastHeartbeatAt }) => ({
      taskRunnerId,
      lastHeartbeatAt: isoTime(lastHeartbeatAt),
    })),
    faults: faults.list().map(({ addedAt, ...fault }) => ({ ...fault, addedAt: isoTime(addedAt) })),
  };
}
