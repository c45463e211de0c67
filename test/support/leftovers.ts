/** Removes what killed agents of a test leave: jobs, which outlive them by design, and their control groups. */
import { readdirSync, readFileSync } from 'node:fs';
import { cgroupOf, Cgroups } from '../../src/jobs/process/cgroups.ts';
import { until } from './until.ts';

/** The agents with this socket have ended. */
export async function endJobsOf(socketPath: string): Promise<void> {
  await until(`nothing of ${socketPath} is left`, () => {
    const left = processesOf(socketPath);
    left.forEach(kill);
    return left.length === 0;
  });
  // The agents were in the control group of this process, or in one below it.
  const base = cgroupOf(process.pid)?.path;
  if (base !== undefined) new Cgroups(base, socketPath).removeEmpty();
}

/** It may have ended since it was seen. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
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
        // The process has ended, or belongs to another user.
        return false;
      }
    });
}
