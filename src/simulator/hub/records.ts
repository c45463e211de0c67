/**
 * The state of Migration Hub, by home region, since "old data does not move" when it changes (user guide): streams, their
 * tasks with all that was reported of them, and applications. Deleting a stream takes a while; its tasks go with it.
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
  /** The UpdateDateTime of the report. */
  readonly updateMs: number;
  readonly nextUpdateSeconds: number;
}

export interface MigrationTask {
  readonly stream: string;
  readonly name: string;
  /** The state that Describe and List show. */
  current?: TaskUpdate;
  /** All accepted states, in the order of arrival. */
  readonly updates: TaskUpdate[];
  attributes: readonly ResourceAttribute[];
  /** The time of the last PutResourceAttributes. */
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

/** The data of one home region. */
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

  /** Uses the data of this home region. `isMoving`: the data of the old home region moves there. Undefined changes nothing. */
  useRegion(region: string | undefined, isMoving: boolean): void {
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

  /** The streams at `now`, without those whose deletion is complete. */
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

  /** A stream to write to. One that is being deleted "will throw InvalidInputException" (API). */
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
