/** PAUSE and RESUME of a component: its attempts that no runner has taken leave the queue and return to it. */
import type { Pipeline } from './records.ts';
import type { TaskQueue } from './task-queue.ts';

export function pause(queue: TaskQueue, pipeline: Pipeline, componentId: string): void {
  pipeline.pausedComponents.add(componentId);
  for (const instance of pipeline.instances.values()) {
    const attempt = instance.attempts.at(-1);
    if (instance.componentId !== componentId || attempt === undefined) continue;
    if (queue.withdraw(attempt)) instance.status = 'PAUSED';
  }
}

export function resume(queue: TaskQueue, pipeline: Pipeline, componentId: string): void {
  pipeline.pausedComponents.delete(componentId);
  for (const instance of pipeline.instances.values()) {
    const attempt = instance.attempts.at(-1);
    if (instance.componentId !== componentId || instance.status !== 'PAUSED') continue;
    instance.status = 'WAITING_FOR_RUNNER';
    if (attempt !== undefined) queue.offer(attempt);
  }
}
