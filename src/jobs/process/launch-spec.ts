/** What is started: program, directory, environment, user. */

/** How the job's programs see the host. */
export interface Launch {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Only where the job's user is not the agent's own. */
  readonly uid?: number;
  readonly gid?: number;
}
