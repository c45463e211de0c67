/** The name of each reporter in the registry. */

export function pipelineTaskKey(run: string): string {
  return `task:${run}`;
}

export const HUB_SETUP_KEY = 'hub-setup';

export const RUNNER_KEY = 'runner';

export function pollerKey(workerGroup: string): string {
  return `poll:${workerGroup}`;
}

/** The speaker of a task's state. */
export function hubTaskKey(name: string): string {
  return `hub:${name}`;
}

/** The speaker of a task's links. */
export function hubLinksKey(name: string): string {
  return `links:${name}`;
}
