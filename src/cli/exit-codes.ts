/** What the program's exit code means: one table for every command. */
import type { JobStatus } from '../core/model/status.ts';

export const EXIT = {
  ok: 0,
  jobFailed: 1,
  usage: 2,
  noSuchJob: 3,
  noDaemon: 4,
  /** The result is lost or not known. */
  unknown: 5,
  cancelIncomplete: 6,
  /** The service answered terminate; systemd does not restart the agent (RestartPreventExitStatus). */
  terminated: 75,
  /** EX_CONFIG of sysexits.h. */
  badConfiguration: 78,
  /** Ctrl-C: 128 and the number of SIGINT, as shells count. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The exit code of `wait` and `run --wait`, after the run has ended. */
export function exitCodeOf(job: JobStatus): ExitCode {
  switch (job.state) {
    case 'succeeded':
      return EXIT.ok;
    case 'failed':
    case 'canceled':
    case 'fenced':
      return EXIT.jobFailed;
    case 'idle':
    case 'queued':
    case 'starting':
    case 'running':
    case 'canceling':
    case 'lost':
      return EXIT.unknown;
  }
}
