/** The instances that have not ended, of all pipelines. */
import type { Instance, Pipeline } from './records.ts';

export class LiveInstances {
  #instances = new Set<Instance>();

  snapshot(): Set<Instance> {
    return this.#instances;
  }

  restore(instances: Set<Instance>): void {
    this.#instances = instances;
  }

  add(instance: Instance): void {
    this.#instances.add(instance);
  }

  delete(instance: Instance): void {
    this.#instances.delete(instance);
  }

  [Symbol.iterator](): Iterator<Instance> {
    return this.#instances.values();
  }

  /** Of one component, or of the whole pipeline. */
  count(pipeline: Pipeline, componentId?: string): number {
    let count = 0;
    for (const instance of this.#instances) {
      const isWanted = (componentId ?? instance.componentId) === instance.componentId;
      if (instance.pipeline === pipeline && isWanted) count++;
    }
    return count;
  }

  /** When the next instance is due for a retry, or is late. */
  nextDue(): number {
    let due = Infinity;
    for (const { status, retryAt = Infinity, startedAt, terminateAt } of this.#instances) {
      if (status === 'SCHEDULED') due = Math.min(due, retryAt);
      if (startedAt === undefined) due = Math.min(due, terminateAt);
    }
    return due;
  }
}
