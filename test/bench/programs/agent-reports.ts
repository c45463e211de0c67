/** The real agent with many reports due: its CPU time for each that is accepted. */
import { MINUTE_MS } from '../../../src/core/lib/time.ts';
import { CpuWindow } from '../cpu-window.ts';
import type { DeliveryOptions } from '../cpu-window.ts';
import { leaveJobs } from '../left-jobs.ts';
import { givenOptions, say } from '../program.ts';
import { idleJobs, startAgent } from '../real-agent.ts';
import { ampleSettings } from '../tracked-jobs.ts';

const { url, warm, count } = givenOptions() as DeliveryOptions;
const window = new CpuWindow({ warm, count });
const { promise: over, resolve: end } = Promise.withResolvers<undefined>();
const agent = startAgent({
  url,
  settings: ampleSettings(),
  jobs: idleJobs,
  // Beyond what is measured, so that the calls in flight are as many to the end.
  fill: (store, clock) =>
    leaveJobs(store, clock, { jobs: warm + count + 100, reportedMsAgo: 3 * MINUTE_MS }),
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
