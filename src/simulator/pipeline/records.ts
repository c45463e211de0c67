/**
 * The state of Data Pipeline: pipelines, their definitions, the instances of a run and the attempts of
 * an instance. Records only; `runs.ts` and `task-queue.ts` change them.
 */
import { ServiceError } from '../lib/errors.ts';
import type { Definition } from '../definition/definition.ts';
import type { Field } from '../definition/objects.ts';

/** DPG, "Interpreting pipeline status codes". */
type PipelineState = 'PENDING' | 'SCHEDULED' | 'DEACTIVATING' | 'INACTIVE' | 'FINISHED';

export type InstanceStatus =
  | 'WAITING_ON_DEPENDENCIES'
  | 'WAITING_FOR_RUNNER'
  | 'RUNNING'
  | 'SCHEDULED'
  | 'PAUSED'
  | 'FINISHED'
  | 'FAILED'
  | 'CANCELED'
  | 'CASCADE_FAILED';

export type AttemptStatus =
  'WAITING_FOR_RUNNER' | 'RUNNING' | 'FINISHED' | 'FAILED' | 'CANCELED' | 'TIMEDOUT';

export interface Pipeline {
  readonly id: string;
  readonly name: string;
  readonly uniqueId: string;
  readonly description: string | undefined;
  readonly tags: Map<string, string>;
  readonly createdAt: number;
  state: PipelineState;
  isDeleted: boolean;
  latest?: Definition;
  active?: Definition;
  isErrored: boolean;
  version: number;
  firstActivatedAt?: number;
  lastActivatedAt?: number;
  lastDeactivatedAt?: number;
  /** How many runs were made of each component that has a schedule. */
  readonly runsMade: Map<string, number>;
  readonly pausedComponents: Set<string>;
  readonly instances: Map<string, Instance>;
}

export interface Instance {
  readonly id: string;
  readonly pipeline: Pipeline;
  readonly componentId: string;
  readonly scheduledStart: number;
  readonly scheduledEnd: number;
  /** Inherited and evaluated. */
  readonly fields: readonly Field[];
  /** Ids of the instances that must finish first. */
  readonly dependsOn: readonly string[];
  /** Ids of the instances of its preconditions, which must finish first as well. */
  readonly preconditions: readonly string[];
  /** When it is late (lateAfterTimeout) and gets terminated (onLateAction); Infinity if never. */
  readonly terminateAt: number;
  /** When a precondition that is not met fails (preconditionTimeout, from its first start). */
  giveUpAt?: number;
  /** Why it ended without a report of its runner: errorMessage, cancellationReason, @cascadeFailedOn. */
  cause: readonly Field[];
  readonly attempts: Attempt[];
  status: InstanceStatus;
  startedAt?: number;
  endedAt?: number;
  /** When the next attempt is made, if a failed one is to be retried. */
  retryAt?: number;
  /** The number of attempts after which a failure is final. A RERUN raises it. */
  attemptsMax: number;
}

export interface Attempt {
  readonly id: string;
  readonly number: number;
  readonly instance: Instance;
  status: AttemptStatus;
  startedAt?: number;
  endedAt?: number;
  hostname?: string;
  reportedAt?: number;
  /** Fields from the runner: those that it reported, and the error of SetTaskStatus. */
  reported: readonly Field[];
}

export class PipelineRecords {
  #pipelines = new Map<string, Pipeline>();

  snapshot(): Map<string, Pipeline> {
    return this.#pipelines;
  }

  restore(pipelines: Map<string, Pipeline>): void {
    this.#pipelines = pipelines;
  }

  add(pipeline: Pipeline): void {
    this.#pipelines.set(pipeline.id, pipeline);
  }

  all(): readonly Pipeline[] {
    return [...this.#pipelines.values()].filter((pipeline) => !pipeline.isDeleted);
  }

  /** The number of all pipelines, the deleted ones included. */
  made(): number {
    return this.#pipelines.size;
  }

  get(id: string): Pipeline {
    const pipeline = this.#pipelines.get(id);
    if (pipeline === undefined) throw pipelineNotFound(id);
    if (pipeline.isDeleted) throw pipelineDeleted(id);
    return pipeline;
  }

  /** For the operations that do not model PipelineDeletedException. */
  getOrNotFound(id: string): Pipeline {
    const pipeline = this.#pipelines.get(id);
    if (pipeline === undefined || pipeline.isDeleted) throw pipelineNotFound(id);
    return pipeline;
  }
}

export function isEnded(instance: Instance): boolean {
  const { status } = instance;
  return (
    status === 'FINISHED' ||
    status === 'FAILED' ||
    status === 'CANCELED' ||
    status === 'CASCADE_FAILED'
  );
}

export function pipelineDeleted(id: string): ServiceError {
  return new ServiceError('PipelineDeletedException', `Pipeline with id: ${id} is deleted`);
}

export function pipelineNotFound(id: string): ServiceError {
  return new ServiceError('PipelineNotFoundException', `Pipeline with id: ${id} does not exist`);
}

export function taskNotFound(): ServiceError {
  return new ServiceError('TaskNotFoundException', 'The specified task was not found.');
}
