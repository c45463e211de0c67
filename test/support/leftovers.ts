/** What agents of a test leave behind when they are killed: jobs, which outlive them by design, and their control groups. */
import { readdirSync, readFileSync } from 'node:fs';
import { cgroupOf, Cgroups } from '../../src/jobs/process/cgroups.ts';
import { until } from './until.ts';

/** The agents with this socket have ended. */
export async function endJobsOf(socketPath: string): Promise<void> {
  await until(`nothing of ${socketPath} is left`, () => {
    const left = processesOf(socketPath);
    for (const pid of left) process.kill(pid, 'SIGKILL');
    return left.length === 0;
  });
  // Where the agents were is where this process is, or one below it in a service of its own.
  const base = cgroupOf(process.pid)?.path;
  if (base !== undefined) new Cgroups(base, socketPath).removeEmpty();
}

/** Living processes of its jobs. */
function processesOf(socketPath: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
        return pid !== process.pid && environment.includes(`MIGRATION_AGENT_SOCKET=${socketPath}`);
      } catch {
        // It has ended, or is somebody else's.
        return false;
      }
    });
}
