/** Pages that look at very many jobs share a result; with few jobs each gets what is true now. */
import { expect, test } from 'vitest';
import type { JobStatus } from '../../../src/core/model/status.ts';
import { SharedRounds } from '../../../src/control/lib/shared-rounds.ts';
import { until } from '../../support/until.ts';
import { jobNamed, OperatorInMemory, statusWith } from '../operator-in-memory.ts';

class CountingOperator extends OperatorInMemory {
  looks = 0;

  constructor(jobs: number) {
    super();
    const all = Array.from({ length: jobs }, (_, index) => jobNamed(`job-${index}`));
    this.document = statusWith(all);
  }

  override job(name: string): JobStatus | undefined {
    this.looks += 1;
    return super.job(name);
  }
}

test('of thousands of jobs who asks while a result is made gets the same one, and soon a new one is made', async () => {
  const operator = new CountingOperator(5000);
  const rounds = new SharedRounds(operator);
  const [first, second] = await Promise.all([rounds.jobs(), rounds.jobs()]);
  expect(second).toBe(first);
  expect(operator.looks).toBe(5000);
  await until('a new one is made', async () => (await rounds.jobs()) !== first);
});

test('of few jobs each result is new', async () => {
  const operator = new CountingOperator(2);
  const rounds = new SharedRounds(operator);
  await rounds.jobs();
  operator.document = statusWith([jobNamed('new')]);
  expect((await rounds.jobs()).map(({ name }) => name)).toEqual(['new']);
});
