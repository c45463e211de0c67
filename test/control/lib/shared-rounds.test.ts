/** Pages that look at all jobs share a result for as long as it was expensive. */
import { expect, test } from 'vitest';
import type { JobStatus } from '../../../src/core/model/status.ts';
import { SharedRounds } from '../../../src/control/lib/shared-rounds.ts';
import { jobNamed, OperatorInMemory, statusWith } from '../operator-in-memory.ts';

/** An operator whose jobs take so long each. */
class SlowOperator extends OperatorInMemory {
  readonly #msEach: number;
  looks = 0;

  constructor(jobs: number, msEach: number) {
    super();
    this.#msEach = msEach;
    const all = Array.from({ length: jobs }, (_, index) => jobNamed(`job-${index}`));
    this.document = statusWith(all);
  }

  override job(name: string): JobStatus | undefined {
    this.looks += 1;
    const endMs = performance.now() + this.#msEach;
    while (performance.now() < endMs);
    return super.job(name);
  }
}

test('what took long is used again, also by who asks while it is made', async () => {
  const operator = new SlowOperator(200, 1);
  const rounds = new SharedRounds(operator);
  const [first, second] = await Promise.all([rounds.jobs(), rounds.jobs()]);
  expect(second).toBe(first);
  expect(await rounds.jobs()).toBe(first);
  expect(operator.looks).toBe(200);
});

test('with few jobs a change shows soon', async () => {
  const operator = new SlowOperator(2, 0);
  const rounds = new SharedRounds(operator);
  await rounds.jobs();
  operator.document = statusWith([jobNamed('new')]);
  await expect.poll(async () => (await rounds.jobs()).map(({ name }) => name)).toEqual(['new']);
});
