/** When the next instance is due, and how many live. */
import { expect, test } from 'vitest';
import { LiveInstances } from '../../../src/simulator/pipeline/live-instances.ts';
import type { Instance, Pipeline } from '../../../src/simulator/pipeline/records.ts';

const pipeline = {} as Pipeline;
const instance = (rest: object): Instance =>
  ({ pipeline, componentId: 'A', status: 'SCHEDULED', terminateAt: Infinity, ...rest }) as Instance;

function live(...instances: readonly object[]): LiveInstances {
  const all = new LiveInstances();
  for (const one of instances) all.add(instance(one));
  return all;
}

test('a retry is due while it is scheduled, a start is late until it has begun', () => {
  expect(live().nextDue()).toBe(Infinity);
  expect(live({ retryAt: 50 }, { retryAt: 40 }, {}).nextDue()).toBe(40);
  expect(live({ status: 'RUNNING', retryAt: 30 }).nextDue()).toBe(Infinity);
  expect(live({ terminateAt: 20 }, { terminateAt: 30 }).nextDue()).toBe(20);
  expect(live({ terminateAt: 20, startedAt: 10 }, { terminateAt: 30 }).nextDue()).toBe(30);
  expect(live({ terminateAt: 20, retryAt: 10 }).nextDue()).toBe(10);
});

test('they are counted by pipeline, and by component if one is named', () => {
  const other = {} as Pipeline;
  const all = live({}, { componentId: 'B' }, { pipeline: other });
  expect([all.count(pipeline), all.count(pipeline, 'A'), all.count(other, 'B')]).toEqual([2, 1, 0]);
  const [first] = [...all.snapshot()];
  all.delete(first!);
  expect(all.count(pipeline)).toBe(1);
  const restored = new LiveInstances();
  restored.restore(all.snapshot());
  expect([...restored]).toEqual([...all]);
});
