/**
 * Checks that touch file systems, each in a process of its own (file-system-worker.ts). On a file system that does not
 * answer, such as that of a dead NFS server, a thread sleeps in the kernel, and a process that has such a thread cannot
 * exit. So the command never looks itself.
 */
import { fork } from 'node:child_process';
import { extname, join } from 'node:path';
import type { JobDefinition } from '../../core/model/job.ts';
import { defined } from '../../core/lib/defined.ts';
import { killTree } from '../process-tree.ts';
import { LOOK_MS } from './check-jobs.ts';
import type { InheritedPath, JobFinding } from './check-jobs.ts';
import type { Finding } from './finding.ts';

/** What is looked at. Only what a look needs is sent. */
export type Look =
  | {
      readonly kind: 'jobs';
      readonly jobs: ReadonlyMap<string, JobDefinition>;
      readonly path: InheritedPath;
    }
  | { readonly kind: 'state-directory'; readonly directory: string };

export type LookResult = { readonly found: unknown } | { readonly error: string };

/** The same kind of file as this one: a source file, or a part of the bundle. */
const WORKER = join(import.meta.dirname, `file-system-worker${extname(import.meta.filename)}`);
/** A look that hangs occupies one thread; the others go on. */
const WORKER_THREADS = 128;
/** The worker has limits of its own; this one is for a worker that hangs as a whole. */
const LIMIT_MS = 2 * LOOK_MS;

/** As `checkJobs`; if nothing at all answers, that is the finding of each job. */
export async function checkJobsApart(
  jobs: ReadonlyMap<string, JobDefinition>,
  path: InheritedPath,
): Promise<readonly JobFinding[]> {
  if (jobs.size === 0) return [];
  const found = await look({ kind: 'jobs', jobs: new Map([...jobs].map(lookedAt)), path });
  if (found !== undefined) return found as readonly JobFinding[];
  const message = `no answer within ${LIMIT_MS / 1000} s: a file system or a directory service hangs`;
  return [...jobs.keys()].map((job) => ({ job, keys: [], message, isFatal: true }));
}

/** As `checkStateDirectory`. */
export async function checkStateDirectoryApart(directory: string): Promise<Finding> {
  const found = await look({ kind: 'state-directory', directory });
  if (found !== undefined) return found as Finding;
  return {
    verdict: 'failed',
    message: `${directory}: no answer within ${LIMIT_MS / 1000} s: its file system hangs`,
    remedy: 'the state directory needs a local disk: see findmnt, and the kernel log',
  };
}

/** Schedules are no business of a look. */
function lookedAt([name, job]: readonly [string, JobDefinition]): [string, JobDefinition] {
  const { command, environment, progress, stop, user, workingDirectory } = job;
  const sent = { name, command, environment, progress, stop, autostart: false };
  return [name, { ...sent, ...defined({ user, workingDirectory }) }];
}

/** `undefined`: no answer in time. Rejects with what the look threw. */
async function look(what: Look): Promise<unknown> {
  const worker = fork(WORKER, {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    env: { ...process.env, UV_THREADPOOL_SIZE: String(WORKER_THREADS) },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    serialization: 'advanced',
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    const result = await new Promise<LookResult | undefined>((resolve, reject) => {
      timer = setTimeout(() => resolve(undefined), LIMIT_MS);
      worker.once('message', (message) => resolve(message as LookResult));
      worker.once('error', reject);
      worker.once('exit', () => reject(new Error('the process that looks has ended')));
      worker.send(what);
    });
    if (result !== undefined && 'error' in result) throw new Error(result.error);
    return result?.found;
  } finally {
    clearTimeout(timer);
    worker.removeAllListeners('exit');
    worker.on('error', () => undefined);
    // Once it has ended, its pid may be somebody else's.
    if ((worker.exitCode ?? worker.signalCode ?? undefined) === undefined) killTree(worker.pid);
    // The kernel ends a process that hangs when it can. The command does not wait for that.
    worker.unref();
    if (worker.connected) worker.disconnect();
  }
}
