/**
 * A real daemon with real processes against the simulator over HTTP, for one test. The simulator's audit, which shares no
 * code with the agent, checks what AWS received.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import type { SimulatorOptions } from '../../../src/simulator/simulator.ts';
import { createSite } from '../../support/daemon.ts';
import type { Site } from '../../support/daemon.ts';

export const HUB =
  'migrationHub: { progressUpdateStream: test, createStream: true, nextUpdate: 60s }';

export interface PromiseSite extends Site {
  /** The operations that AWS was called with, in order. */
  operations(): string[];
  /** What Migration Hub shows of a task. */
  hubTask(name: string): HubTask | undefined;
  /** The command lines of all live processes of this site's jobs. */
  jobProcesses(): string[];
}

type HubTask = ReturnType<Site['simulator']['audit']>['migrationHub']['tasks'][number];

/** The site is closed when the test ends. */
export async function openSite(text: string, options?: SimulatorOptions): Promise<PromiseSite> {
  const site = await createSite(text, options);
  onTestFinished(() => site.close());
  return {
    ...site,
    operations: () => site.simulator.journal().map((entry) => entry.operation),
    hubTask: (name) => site.simulator.audit().migrationHub.tasks.find((task) => task.task === name),
    jobProcesses: () => readdirSync('/proc').flatMap((name) => jobProcess(name, site.directory)),
  };
}

function jobProcess(pid: string, directory: string): string[] {
  if (!/^\d+$/.test(pid) || pid === String(process.pid)) return [];
  try {
    const state = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.[0];
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
    const isOfSite = environment.includes(`MIGRATION_AGENT_SOCKET=${directory}`);
    return isOfSite && state !== 'Z' ? [readFileSync(`/proc/${pid}/cmdline`, 'utf8')] : [];
  } catch {
    return [];
  }
}
