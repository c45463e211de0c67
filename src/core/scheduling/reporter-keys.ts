/** The name of each reporter in the registry. Other reporters and the runs touch a reporter by its key. */

export const HUB_SETUP_KEY = 'hub-setup';

export const RUNNER_KEY = 'runner';

/** Reports the state of a Hub task. */
export function hubTaskKey(task: string): string {
  return `hub:${task}`;
}

/** Reports the links of a Hub task. */
export function hubLinksKey(task: string): string {
  return `links:${task}`;
}

/** Reports the pipeline task of a run. */
export function pipelineTaskKey(run: string): string {
  return `task:${run}`;
}

export function pollerKey(workerGroup: string): string {
  return `poll:${workerGroup}`;
}
