/**
 * The status of all jobs for pages that ask for it again and again. From thousands of jobs on they share a result for a
 * second: however many pages are open, they cost no more than one.
 */
import type { JobStatus } from '../../core/model/status.ts';
import type { Operator } from '../../ports.ts';
import { everyJob } from './every-job.ts';

/** Fewer jobs are looked at in a few milliseconds. */
const JOBS_MIN = 5000;
const USED_MS = 1000;

export class SharedRounds {
  readonly #operator: Operator;
  #result: Promise<readonly JobStatus[]> | undefined;
  #staleAtMs = 0;

  constructor(operator: Operator) {
    this.#operator = operator;
  }

  jobs(): Promise<readonly JobStatus[]> {
    if (this.#result === undefined || performance.now() >= this.#staleAtMs) {
      this.#staleAtMs = Infinity;
      this.#result = this.#make();
    }
    return this.#result;
  }

  async #make(): Promise<readonly JobStatus[]> {
    try {
      return await everyJob(this.#operator);
    } finally {
      const isShared = this.#operator.jobNames().length >= JOBS_MIN;
      this.#staleAtMs = isShared ? performance.now() + USED_MS : 0;
    }
  }
}
