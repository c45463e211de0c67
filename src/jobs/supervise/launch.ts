/**
 * What every start of a run needs, whatever starts its shim (shim-process.ts, shim-unit.ts): how its programs
 * see the host, its directory and its logs. What can be known to be wrong is found here, before anything runs.
 */
import type { Launch } from '../process/launch-spec.ts';
import { readFileSync } from 'node:fs';
import { access, chmod, chown, constants, mkdir, open, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { ProcessIdentity, Run } from '../../core/model/job.ts';
import { maySwitchUsers, SWITCHING_NEEDS } from '../../core/lib/privileges.ts';
import { errorCode, errorText } from '../lib/error-code.ts';
import { jobEnvironment } from '../process/environment.ts';
import { findUser } from '../process/user.ts';

/** A shim that was started. */
export interface Shim {
  readonly process: ProcessIdentity;
  /** Only for a child of the agent: resolves when it has ended, to its exit code or the signal that killed it. */
  readonly ended?: Promise<number | string>;
}

/** The start cannot be made and nothing runs. The message is for the operator. */
export class StartRefused extends Error {}

/** Throws `StartRefused` where the user is unknown. */
export async function resolveLaunch(run: Run, socketPath: string): Promise<Launch> {
  const { definition } = run;
  const user = definition.user === undefined ? undefined : await findUser(definition.user);
  if (definition.user !== undefined && user === undefined) {
    throw new StartRefused(`there is no user ${definition.user} on this host`);
  }
  const env = jobEnvironment(run, socketPath, user);
  const isOther = user !== undefined && user.uid !== process.getuid?.();
  if (isOther && !maySwitchUsers(readFileSync('/proc/self/status', 'utf8'))) {
    throw new StartRefused(`the agent may not run jobs as user ${user.name}: ${SWITCHING_NEEDS}`);
  }
  return {
    cwd: resolve(definition.workingDirectory ?? '/'),
    env,
    ...(isOther ? { uid: user.uid, gid: user.gid } : {}),
  };
}

/** What a back end starts a shim with. */
export interface ShimStart {
  readonly run: Run;
  /** The run directory: nobody else uses it. */
  readonly directory: string;
  readonly launch: Launch;
  readonly logs: { readonly stdout: string; readonly stderr: string };
  readonly bootId: string;
}

/** Makes everything ready that a shim needs. Throws `StartRefused` where it cannot be. */
export async function prepareStart({ directory, launch, logs }: ShimStart): Promise<void> {
  await checkWorkingDirectory(launch.cwd);
  await prepareDirectory(directory, launch);
  // Made by the agent and never by the job's user, who could not be trusted to make plain files.
  for (const path of [logs.stdout, logs.stderr]) await (await open(path, 'a', 0o640)).close();
}

async function checkWorkingDirectory(path: string): Promise<void> {
  try {
    if (!(await stat(path)).isDirectory()) {
      throw new StartRefused(`the working directory ${path} is not a directory`);
    }
    await access(path, constants.X_OK);
  } catch (error) {
    if (error instanceof StartRefused) throw error;
    const message = errorCode(error) === 'ENOENT' ? 'does not exist' : 'cannot be entered';
    throw new StartRefused(`the working directory ${path} ${message}`, { cause: error });
  }
}

/**
 * Another user's shim writes its records here through its group. The sticky bit keeps that user from
 * putting a file of its own in the place of a log that the agent reads.
 */
async function prepareDirectory(directory: string, { gid }: Launch): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if (gid === undefined) return;
  try {
    await chown(directory, -1, gid);
    await chmod(directory, 0o1770);
  } catch (error) {
    throw new StartRefused(
      `the run directory cannot be given to group ${gid}: ${errorText(error)}`,
      {
        cause: error,
      },
    );
  }
}
