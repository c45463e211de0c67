/** The real agent whose budget lets through so many reports a second: its CPU time for each that is accepted. */
import { MINUTE_MS } from '../../../src/core/lib/time.ts';
import { CpuWindow } from '../cpu-window.ts';
import { leaveJobs } from '../left-jobs.ts';
import type { PacedOptions } from '../paced.ts';
import { givenOptions, say } from '../program.ts';
import { idleJobs, startAgent } from '../real-agent.ts';
import { ampleSettings } from '../tracked-jobs.ts';

const options = givenOptions() as PacedOptions;
const { url, perSecond, warm, count, burstS = 10, tracked } = options;
const window = new CpuWindow({ warm, count });
const { promise: over, resolve: end } = Promise.withResolvers<undefined>();
const ample = ampleSettings();
const agent = startAgent({
  url,
  settings: {
    ...ample,
    // The first reports use the burst up.
    rates: { ...ample.rates, NotifyMigrationTaskState: { perSecond, burst: burstS * perSecond } },
  },
  jobs: idleJobs,
  fill: (store, clock) =>
    leaveJobs(store, clock, {
      jobs: tracked ?? warm + count + 100,
      reportedMsAgo: 3 * MINUTE_MS,
      isTracked: tracked !== undefined,
    }),
  see: (event) => {
    if (event.type !== 'call-settled' || window.isOver) return;
    if (event.outcome.kind === 'accepted') {
      if (window.delivered()) end(undefined);
    } else if (window.hasBegun) throw new Error(JSON.stringify(event.outcome));
  },
});
await over;
const result = window.result();
await agent.end();
say(result);
