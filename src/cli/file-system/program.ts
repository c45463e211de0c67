/** Whether a job's program is there, as the job itself will look for it: by its PATH, from its directory. */
import { constants } from 'node:fs';
import { access, open, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { errorCode } from './error-code.ts';

export interface ProgramSearch {
  readonly program: string;
  readonly directory: string;
  readonly path: string;
}

/** Of a script: enough for its first line. */
const FIRST_BYTES = 256;

/** What is wrong, or `undefined`. */
export async function programProblem({
  program,
  directory,
  path,
}: ProgramSearch): Promise<string | undefined> {
  if (program.includes('/')) return fileProblem(resolve(directory, program));
  let notExecutable: string | undefined;
  for (const folder of path.split(':')) {
    const file = join(resolve(directory, folder), program);
    const problem = await fileProblem(file);
    if (problem === undefined) return undefined;
    // execvp(3) goes on to the next directory, and reports this one if there is no other.
    if (!problem.startsWith(MISSING)) notExecutable ??= problem;
  }
  return (
    notExecutable ??
    `${MISSING} ${program} in the PATH of the job: write its whole path, or set environment.PATH`
  );
}

const MISSING = 'there is no program';

async function fileProblem(file: string): Promise<string | undefined> {
  try {
    if (!(await stat(file)).isFile()) return `${file} is no file`;
    await access(file, constants.X_OK);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return `${MISSING} ${file}`;
    return code === 'EACCES' ? `${file} is not executable for this user` : undefined;
  }
  const interpreter = await interpreterOf(file);
  if (interpreter === undefined) return undefined;
  try {
    await access(interpreter);
    return undefined;
  } catch {
    return `the first line of ${file} names ${interpreter}, which does not exist`;
  }
}

/** `#!/usr/bin/python3 -u`; absent: it is no script, or cannot be read. */
async function interpreterOf(file: string): Promise<string | undefined> {
  try {
    await using handle = await open(file);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(FIRST_BYTES), 0, FIRST_BYTES, 0);
    const [line = ''] = buffer.subarray(0, bytesRead).toString('utf8').split('\n', 1);
    return /^#!\s*(\/\S+)/.exec(line)?.[1];
  } catch {
    return undefined;
  }
}
