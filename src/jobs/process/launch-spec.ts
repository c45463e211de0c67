/** How the programs of a job see the host: directory, environment, user. */
import type { JobUser } from './user.ts';

export interface Launch {
  /** Only the job itself enters it: a dead network file system must not hold up the agent. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Absent: the agent's own user. */
  readonly user?: JobUser;
}
