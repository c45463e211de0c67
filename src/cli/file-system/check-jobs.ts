/**
 * Whether this host can run the jobs of a configuration: their programs, users and directories, and what progress is measured
 * by. Looks only, starts nothing; what does not answer within the limit is a finding too.
 */
import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { JobDefinition } from '../../core/model/job.ts';
import { PATH_DEFAULT } from '../../jobs/process/environment.ts';
import { findUser, NameServiceSilent } from '../../jobs/process/user.ts';
import { errorCode } from './error-code.ts';
import { programProblem } from './program.ts';

export interface JobFinding {
  readonly job: string;
  /** The key below `jobs.NAME` that is meant. */
  readonly keys: readonly string[];
  readonly message: string;
  /** The job cannot start; otherwise only its progress is missing. */
  readonly isFatal: boolean;
}

/** A dead network file system does not answer at all. */
export const LOOK_MS = 5_000;

/** The PATH that jobs inherit from the agent. */
export interface InheritedPath {
  readonly path: string;
  /** It is that of the caller's shell; a service may have a shorter one. */
  readonly isOfShell?: true;
}

/** All jobs at once; in their order. */
export async function checkJobs(
  jobs: ReadonlyMap<string, JobDefinition>,
  inherited: InheritedPath,
  limitMs = LOOK_MS,
): Promise<JobFinding[]> {
  const users = new Map<string, ReturnType<typeof findUser>>();
  const userOf = (name: string): ReturnType<typeof findUser> => {
    const known = users.get(name) ?? findUser(name);
    users.set(name, known);
    return known;
  };
  const found = await Promise.all(
    [...jobs.values()].map(async (job) => {
      const looks = [
        programFinding(job, inherited),
        directoryFinding(job),
        userFinding(job, userOf),
        ...progressFindings(job),
      ];
      return Promise.all(looks.map((look) => within(look, job.name, limitMs)));
    }),
  );
  return found.flat().filter((finding) => finding !== undefined);
}

type Look = Promise<JobFinding | undefined>;

async function programFinding(job: JobDefinition, inherited: InheritedPath): Look {
  const [program = ''] = job.command;
  const own = job.environment['PATH'];
  const directory = directoryOf(job);
  const search = (path: string): Promise<string | undefined> =>
    programProblem({ program, directory, path });
  const finding = { job: job.name, keys: ['command'] };
  const problem = await search(own ?? inherited.path);
  if (problem !== undefined) return { ...finding, message: problem, isFatal: true };
  if (own !== undefined || inherited.isOfShell !== true) return undefined;
  if ((await search(PATH_DEFAULT)) === undefined) return undefined;
  const message = `${program} is in the PATH of this shell, but not in that of a service (${PATH_DEFAULT}): write its whole path, or set environment.PATH`;
  return { ...finding, message, isFatal: false };
}

async function directoryFinding(job: JobDefinition): Look {
  if (job.workingDirectory === undefined) return undefined;
  const keys = ['workingDirectory'];
  const message = await directoryProblem(directoryOf(job));
  return message === undefined ? undefined : { job: job.name, keys, message, isFatal: true };
}

async function userFinding(
  { name, user }: JobDefinition,
  userOf: (name: string) => ReturnType<typeof findUser>,
): Look {
  const finding = { job: name, keys: ['user'] };
  try {
    if (user === undefined || (await userOf(user)) !== undefined) return undefined;
  } catch (error) {
    if (!(error instanceof NameServiceSilent)) throw error;
    return { ...finding, message: error.message, isFatal: false };
  }
  return { ...finding, message: `there is no user ${user} on this host`, isFatal: true };
}

function progressFindings(job: JobDefinition): Look[] {
  const { progress } = job;
  if (progress.parser !== 'size') return [];
  const find = async (key: string, path: string | undefined): Look => {
    if (path === undefined || (await exists(path))) return undefined;
    const message = `${path} does not exist: percent stays unknown until it does`;
    return { job: job.name, keys: ['progress', key], message, isFatal: false };
  };
  const directory = directoryOf(job);
  // The job makes its target, but seldom the directory that this is in.
  const above = dirname(resolve(directory, progress.target));
  return [
    find('source', progress.source && resolve(directory, progress.source)),
    find('target', above),
  ];
}

function directoryOf({ workingDirectory }: JobDefinition): string {
  return resolve(workingDirectory ?? '/');
}

async function directoryProblem(path: string): Promise<string | undefined> {
  try {
    return (await stat(path)).isDirectory() ? undefined : `${path} is not a directory`;
  } catch (error) {
    return isMissing(error) ? `${path} does not exist` : undefined;
  }
}

/** What this user may not see may be there. */
async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    return !isMissing(error);
  }
}

function isMissing(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

async function within(look: Look, job: string, limitMs: number): Look {
  const { promise, resolve: finish } = Promise.withResolvers<JobFinding>();
  const message = `no answer within ${limitMs / 1000} s: a file system or a directory service hangs`;
  const timer = setTimeout(() => finish({ job, keys: [], message, isFatal: true }), limitMs);
  try {
    return await Promise.race([look, promise]);
  } finally {
    clearTimeout(timer);
  }
}
