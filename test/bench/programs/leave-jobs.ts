/** Leaves so many running jobs in a store, as an agent does that ends. */
import { createClock } from '../../../src/system/clock.ts';
import { openStore } from '../../../src/store/store.ts';
import { MINUTE_MS } from '../../../src/core/lib/time.ts';
import { leaveJobs } from '../left-jobs.ts';
import { givenOptions, say } from '../program.ts';

const { directory, jobs } = givenOptions() as { readonly directory: string; readonly jobs: number };
const clock = createClock();
const store = openStore(directory, clock.bootId, { write: () => undefined });
store.load(clock.now());
leaveJobs(store, clock, {
  ...{ jobs, reportedMsAgo: 3 * MINUTE_MS, isTracked: true },
  // As in the configuration of daemon.ts.
  streams: ['eu-central-1/bench'],
});
store.close();
say({});
