/** The real agent with jobs that were just reported. Ends a job on request, and prints when it did. */
import { leaveJobs } from '../left-jobs.ts';
import { monotonicMs } from '../monotonic.ts';
import { givenOptions, say } from '../program.ts';
import { idleJobs, startAgent } from '../real-agent.ts';
import { ampleSettings } from '../tracked-jobs.ts';

const { url, jobs } = givenOptions() as { readonly url: string; readonly jobs: number };
const agent = startAgent({
  url,
  settings: ampleSettings(),
  jobs: idleJobs,
  fill: (store, clock) => leaveJobs(store, clock, { jobs, reportedMsAgo: 1000 }),
});

process.on('message', (order: { readonly change: string } | { readonly end: true }) => {
  if ('end' in order) {
    agent.end().then(
      () => say({ ended: true }),
      (error: unknown) => {
        throw error;
      },
    );
    return;
  }
  const changedMs = monotonicMs();
  agent.post({ type: 'run-exited', run: `${order.change}/1`, exitCode: 0 });
  say({ changedMs });
});
say({ ready: true });
