/**
 * A program beside a job, with the job's rights and no others (enter-job.ts). It belongs to no run: without the run's marks no
 * cancel waits for it, also when it hangs in a file system that does not answer, where not even SIGKILL ends it. It does
 * not keep the agent from ending either.
 */
import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { enterJob } from './enter-job.ts';
import { isRunMark, PATH_DEFAULT } from './environment.ts';
import type { Launch } from './launch-spec.ts';

export type Helper = ChildProcessByStdio<null, Readable, Readable>;

/** The environment of a helper that needs none of the job's variables, with messages in English. */
export const PLAIN_ENVIRONMENT = { PATH: PATH_DEFAULT, LC_ALL: 'C' } as const;

/** `cwd` and `env` of the launch are the helper's own; killed by SIGKILL when `signal` aborts. */
export function startHelper(
  launch: Launch,
  command: readonly string[],
  signal: AbortSignal,
): Helper {
  const env = Object.fromEntries(Object.entries(launch.env).filter(([name]) => !isRunMark(name)));
  const entry = enterJob({ ...launch, env }, command);
  const [program = '', ...args] = entry.argv;
  const helper = spawn(program, args, {
    cwd: '/',
    env: entry.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
    killSignal: 'SIGKILL',
  });
  helper.unref();
  for (const stream of [helper.stdout, helper.stderr]) {
    if (stream instanceof Socket) stream.unref();
  }
  return helper;
}
