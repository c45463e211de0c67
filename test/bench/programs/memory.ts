/** Measures the heap that live jobs take in the planner, and in the plain records that the store keeps of them. */
import { givenOptions, say } from '../program.ts';
import { driverWithJobs } from '../tracked-jobs.ts';

export interface MemoryResult {
  readonly plannerBytes: number;
  readonly recordsBytes: number;
}

const { jobs } = givenOptions() as { readonly jobs: number };

// Code and caches are no job's.
driverWithJobs(100);
const before = heapBytes();
const { state, driver } = driverWithJobs(jobs);
const planned = heapBytes();
const records: unknown[] = [];
for (const row of [...state.runs.values(), ...state.hubTasks.values()]) {
  records.push(JSON.parse(JSON.stringify(row)));
}
const recorded = heapBytes();
// Used after the last look, so that nothing of it was garbage before.
if (records.length !== 2 * jobs || driver.delivered < jobs) throw new Error('jobs are missing');
const result: MemoryResult = { plannerBytes: planned - before, recordsBytes: recorded - planned };
say(result);

function heapBytes(): number {
  if (gc === undefined) throw new Error('run with --expose-gc');
  // Twice: what a finalizer lets go of in the first goes in the second.
  gc();
  gc();
  return process.memoryUsage().heapUsed;
}
