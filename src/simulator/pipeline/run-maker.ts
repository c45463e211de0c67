/** Makes the instances of a pipeline's runs: by its schedule, up to maxActiveInstances, or once for an activation. */
import type { Behaviour } from '../lib/behaviour.ts';
import type { LiveInstances } from './live-instances.ts';
import { isOnDemand } from '../definition/definition.ts';
import type { Definition } from '../definition/definition.ts';
import { makeInstances, maximumRetries } from './instances.ts';
import type { Pipeline } from './records.ts';
import { nextRun, onDemandRun } from './schedule.ts';

export class RunMaker {
  readonly #behaviour: Behaviour;
  readonly #live: LiveInstances;

  constructor(behaviour: Behaviour, live: LiveInstances) {
    this.#behaviour = behaviour;
    this.#live = live;
  }

  makeDue(pipeline: Pipeline, now: number): void {
    const definition = pipeline.active;
    if (definition === undefined || isOnDemand(definition)) return;
    for (const object of definition.objects) {
      for (;;) {
        const run = nextRun(pipeline, definition, object.id);
        if (run === undefined || run.dueAt > now) break;
        if (this.#isFull(pipeline, object.id)) break;
        pipeline.runsMade.set(object.id, run.index + 1);
        this.#newInstance(pipeline, definition, object.id, run.startAt, run.endAt);
      }
    }
  }

  /** When the next run of a schedule is due. */
  nextDue(pipeline: Pipeline, definition: Definition): number {
    let due = Infinity;
    for (const { id } of definition.objects) {
      // A component that has reached maxActiveInstances gets its next run when an instance ends, not at a time.
      if (this.#isFull(pipeline, id)) continue;
      due = Math.min(due, nextRun(pipeline, definition, id)?.dueAt ?? Infinity);
    }
    return due;
  }

  /** "You can run a pipeline one time, per activation" (DPG, scheduleType ondemand). */
  runOnce(pipeline: Pipeline, definition: Definition, now: number): void {
    const { startAt, componentIds } = onDemandRun(pipeline, definition, now);
    for (const id of componentIds) this.#newInstance(pipeline, definition, id, startAt, startAt);
  }

  #newInstance(
    pipeline: Pipeline,
    definition: Definition,
    componentId: string,
    startAt: number,
    endAt: number,
  ): void {
    for (const instance of makeInstances(pipeline, definition, componentId, startAt, endAt)) {
      instance.attemptsMax = 1 + maximumRetries(instance, this.#behaviour);
      pipeline.instances.set(instance.id, instance);
      this.#live.add(instance);
    }
  }

  #isFull(pipeline: Pipeline, componentId: string): boolean {
    return this.#live.count(pipeline, componentId) >= this.#behaviour.maxActiveInstances;
  }
}
