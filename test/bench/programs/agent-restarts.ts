/** The real agent on the store of an earlier one, until its first report is accepted: CPU time and memory. */
import { readFileSync } from 'node:fs';
import { givenOptions, say } from '../program.ts';
import { idleJobs, startAgent } from '../real-agent.ts';
import { cpuUs } from '../rounds.ts';
import { ampleSettings } from '../tracked-jobs.ts';

export interface Restarted {
  /** From the start of the process on. */
  readonly cpuMs: number;
  /** The most that was resident until then. */
  readonly peakMb: number;
}

const { directory, url } = givenOptions() as { readonly directory: string; readonly url: string };
startAgent({
  ...{ url, directory, jobs: idleJobs },
  settings: ampleSettings(),
  see: (event) => {
    if (event.type !== 'call-settled') return;
    // Calls that waited long for the credentials of a busy start are sent again.
    if (event.outcome.kind !== 'accepted') return;
    const status = readFileSync('/proc/self/status', 'utf8');
    const peakMb = Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
    say({ cpuMs: cpuUs() / 1000, peakMb } satisfies Restarted);
  },
});
