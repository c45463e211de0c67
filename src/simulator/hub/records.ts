/**
 * What Migration Hub remembers: streams, their tasks with everything told of them, applications; by home region, since
 * "old data does not move" when it changes (user guide). A stream that is being deleted lingers, then goes with its tasks.
 */
import { invalidInput, resourceNotFound } from '../lib/errors.ts';
import type {
  ApplicationStatus,
  Artifact,
  DiscoveredResource,
  ResourceAttribute,
  SourceResource,
  TaskState,
} from './shapes.ts';

export interface TaskUpdate {
  readonly state: TaskState;
  /** As the migration tool stamped it. */
  readonly updateMs: number;
  readonly nextUpdateSeconds: number;
}

export interface MigrationTask {
  readonly stream: string;
  readonly name: string;
  /** The state that Describe and List show. */
  current?: TaskUpdate;
  /** Every state that was accepted, in the order of arrival. */
  readonly updates: TaskUpdate[];
  attributes: readonly ResourceAttribute[];
  /** When the attributes were put. */
  attributesAt?: number;
  readonly artifacts: Map<string, Artifact>;
  readonly discoveredResources: Map<string, DiscoveredResource>;
  readonly sourceResources: Map<string, SourceResource>;
}

export interface ApplicationState {
  readonly status: ApplicationStatus;
  readonly updatedMs: number;
}

interface Stream {
  readonly name: string;
  readonly tasks: Map<string, MigrationTask>;
  goneAt?: number;
}

/** What one home region holds. */
interface RegionRecords {
  readonly applications: Map<string, ApplicationState>;
  readonly streams: Map<string, Stream>;
}

export interface HubSnapshot {
  readonly regions: Map<string, RegionRecords>;
  readonly region: string;
}

export class HubRecords {
  #regions = new Map<string, RegionRecords>();
  #region = '';

  snapshot(): HubSnapshot {
    return { regions: this.#regions, region: this.#region };
  }

  restore({ regions, region }: HubSnapshot): void {
    this.#regions = regions;
    this.#region = region;
  }

  /** The account's home is there; what the old home holds stays behind or comes along. Undefined: no home, no change. */
  live(region: string | undefined, isMoving: boolean): void {
    if (region === undefined || region === this.#region) return;
    const old = this.#regions.get(this.#region);
    if (old !== undefined && isMoving) {
      this.#regions.delete(this.#region);
      this.#regions.set(region, old);
    }
    this.#region = region;
  }

  get applications(): Map<string, ApplicationState> {
    return this.#here.applications;
  }

  get #streams(): Map<string, Stream> {
    return this.#here.streams;
  }

  get #here(): RegionRecords {
    let here = this.#regions.get(this.#region);
    if (here === undefined) {
      here = { applications: new Map(), streams: new Map() };
      this.#regions.set(this.#region, here);
    }
    return here;
  }

  /** The streams as of `now`; those whose deletion has come to its end are dropped. */
  streams(now: number): readonly Stream[] {
    for (const stream of this.#streams.values()) {
      if (stream.goneAt !== undefined && stream.goneAt <= now) this.#streams.delete(stream.name);
    }
    return [...this.#streams.values()];
  }

  createStream(name: string): void {
    this.#streams.set(name, { name, tasks: new Map() });
  }

  deleteStream(name: string, goneAt: number): void {
    const stream = this.#streams.get(name);
    if (stream !== undefined) stream.goneAt ??= goneAt;
  }

  findStream(name: string, now: number): Stream | undefined {
    const stream = this.#streams.get(name);
    if (stream?.goneAt !== undefined && stream.goneAt <= now) {
      this.#streams.delete(name);
      return undefined;
    }
    return stream;
  }

  /** A stream to write to: one that is being deleted "will throw InvalidInputException" (API). */
  writableStream(name: string, now: number): Stream {
    const stream = this.findStream(name, now);
    if (stream === undefined) throw resourceNotFound(`The progress update stream ${name}`);
    if (stream.goneAt !== undefined) {
      throw invalidInput(`The progress update stream ${name} is being deleted.`);
    }
    return stream;
  }

  task(stream: string, name: string, now: number): MigrationTask {
    const found = this.findStream(stream, now)?.tasks.get(name);
    if (found === undefined) {
      throw resourceNotFound(`The migration task ${name} of the progress update stream ${stream}`);
    }
    return found;
  }

  writableTask(stream: string, name: string, now: number): MigrationTask {
    this.writableStream(stream, now);
    return this.task(stream, name, now);
  }

  importTask(stream: string, name: string, now: number): void {
    const { tasks } = this.writableStream(stream, now);
    if (tasks.has(name)) return;
    tasks.set(name, {
      stream,
      name,
      updates: [],
      attributes: [],
      artifacts: new Map(),
      discoveredResources: new Map(),
      sourceResources: new Map(),
    });
  }

  tasks(now: number): readonly MigrationTask[] {
    return this.streams(now).flatMap((stream) => [...stream.tasks.values()]);
  }
}
