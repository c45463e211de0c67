/**
 * The status of all jobs for pages that ask for it again and again: they share a result, so that all of them together take a
 * twentieth of a core at most, however many jobs and pages there are. With few jobs the result is always new.
 */
import type { JobStatus } from '../../core/model/status.ts';
import type { Operator } from '../../ports.ts';
import { everyJob } from './every-job.ts';

/** A result is used for so many times as long as it took to make. */
const USED_TIMES = 20;

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
    const beginMs = performance.now();
    try {
      return await everyJob(this.#operator);
    } finally {
      const endMs = performance.now();
      this.#staleAtMs = endMs + USED_TIMES * (endMs - beginMs);
    }
  }
}
