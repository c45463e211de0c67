/**
 * A job host in a process of its own, for attacks on an agent of another user, with other capabilities or with inherited
 * descriptors: it starts one run and prints its events, one JSON line each, until the run has ended.
 *
 * Arguments: the module of the job host, the state directory, the run.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Event } from '../../src/core/model/event.ts';
import type { Run } from '../../src/core/model/job.ts';
import type { createJobHost } from '../../src/jobs/job-host.ts';

const [, , module = '', stateDirectory = '', run = ''] = process.argv;
const host = (await import(module)) as {
  createJobHost: typeof createJobHost;
  closeInheritedDescriptors?: () => void;
};
host.closeInheritedDescriptors?.();
const ENDS: readonly Event['type'][] = ['run-exited', 'run-start-failed', 'run-lost'];
const jobs = host.createJobHost({
  post: (event) => {
    process.stdout.write(`${JSON.stringify(event)}\n`);
    if (!ENDS.includes(event.type)) return;
    jobs.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  },
  stateDirectory,
  socketPath: join(stateDirectory, 'agent.sock'),
  bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
  mask: (text) => text,
});
jobs.start(JSON.parse(run) as Run);
