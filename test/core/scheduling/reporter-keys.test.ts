/** No two reporters of a planner share a key, whatever tasks, runs and worker groups are called. */
import { expect, test } from 'vitest';
import * as keys from '../../../src/core/scheduling/reporter-keys.ts';

test('the same name gives each kind of reporter another key', () => {
  const { HUB_SETUP_KEY, RUNNER_KEY, hubLinksKey, hubTaskKey, pipelineTaskKey, pollerKey } = keys;
  for (const name of ['copy', 'copy/1', 'runner', 'hub-setup']) {
    const all = [hubTaskKey, hubLinksKey, pipelineTaskKey, pollerKey].map((key) => key(name));
    expect(all.every((key) => key.endsWith(name))).toBe(true);
    expect(new Set([...all, HUB_SETUP_KEY, RUNNER_KEY]).size).toBe(6);
  }
});
