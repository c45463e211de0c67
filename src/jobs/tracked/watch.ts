/** One kind of watch over work that others run: many runs, checked together. */
import type { Run } from '../../core/model/job.ts';

export interface Watch {
  add(run: Run): void;
  remove(run: Run): void;
  close(): Promise<void>;
}
