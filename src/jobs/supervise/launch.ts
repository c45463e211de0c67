/**
 * What every start of a run needs, whatever starts its shim (shim-process.ts, shim-unit.ts): how its programs see the host,
 * its directory and its logs.
 */
import { closeSync } from 'node:fs';
import { resolve } from 'node:path';
import { defined } from '../../core/lib/defined.ts';
import type { HostIdentity } from '../../core/model/host-identity.ts';
import type { ProcessIdentity, Run } from '../../core/model/job.ts';
import { makeRunDirectory, openLogSync, writeJobUser } from '../files/run-directory.ts';
import { writeRunRecord } from '../files/run-record.ts';
import { whyNotEnter } from '../process/enter-job.ts';
import { jobEnvironment } from '../process/environment.ts';
import type { Launch } from '../process/launch-spec.ts';
import { findUser } from '../process/user.ts';

/** A shim that was started. */
export interface Shim {
  readonly process: ProcessIdentity;
  /** Only for a child of the agent: resolves when it has ended, to its exit code or the signal that killed it. */
  readonly ended?: Promise<number | string>;
}

/** The start cannot be made and nothing runs. The message is for the operator. */
export class StartRefused extends Error {}

/** Whether anything was started is unknown: the run must be looked for. */
export class StartUnknown extends Error {}

/** What a back end starts a shim with. */
export interface ShimStart {
  readonly run: Run;
  /** The run directory: nobody else uses it. */
  readonly directory: string;
  readonly launch: Launch;
  readonly logs: { readonly stdout: string; readonly stderr: string };
  readonly bootId: string;
  readonly hostIdentity?: HostIdentity;
}

/** Throws `StartRefused` if the user is unknown, or this agent cannot run jobs of that user; and `NameServiceSilent`. */
export async function resolveLaunch(run: Run, socketPath: string): Promise<Launch> {
  const { definition } = run;
  const named = definition.user === undefined ? undefined : await findUser(definition.user);
  if (definition.user !== undefined && named === undefined) {
    throw new StartRefused(`there is no user ${definition.user} on this host`);
  }
  const launch: Launch = {
    cwd: resolve(definition.workingDirectory ?? '/'),
    env: jobEnvironment(run, socketPath, named),
    ...defined({ user: named?.uid === process.getuid?.() ? undefined : named }),
  };
  const reason = whyNotEnter(launch);
  if (reason !== undefined) throw new StartRefused(reason);
  return launch;
}

/** Makes the run's directory and its logs, which only the agent's user can open. */
export function prepareStart({ run, directory, launch, logs, hostIdentity }: ShimStart): void {
  makeRunDirectory(directory);
  writeRunRecord(directory, run, hostIdentity);
  if (launch.user !== undefined) writeJobUser(directory, run.spawn, launch.user.uid);
  for (const path of [logs.stdout, logs.stderr]) closeSync(openLogSync(path));
}
