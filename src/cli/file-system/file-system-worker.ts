/** A process of its own that looks at file systems for a command (apart.ts). One look, one answer. */
import type { Look, LookResult } from './apart.ts';
import { checkJobs } from './check-jobs.ts';
import { checkStateDirectory } from './state-directory.ts';

process.on('message', (look: Look) => {
  const answer = (result: LookResult): unknown => process.send?.(result);
  find(look).then(
    (found) => answer({ found }),
    (error: unknown) => answer({ error: error instanceof Error ? error.message : String(error) }),
  );
});

// The command has its answer, or has ended. process.exit() would wait for threads that hang.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));

function find(look: Look): Promise<unknown> {
  switch (look.kind) {
    case 'jobs':
      return checkJobs(look.jobs, look.path);
    case 'state-directory':
      return checkStateDirectory(look.directory);
  }
}
