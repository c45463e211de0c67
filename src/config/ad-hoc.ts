/**
 * Jobs that are not in the configuration file: `migration-agent run` and POST /v1/jobs. They have the keys of a job in the
 * file, in the same spelling (`timeout: 12h`), except those that only a configured job can have.
 */
import * as z from 'zod';
import type { JobDefinition } from '../core/model/job.ts';
import type { Settings } from '../core/model/settings.ts';
import { jobDefinition } from './build/build.ts';
import { issueMessage } from './issues.ts';
import { keyOf } from './lib/problem.ts';
import { parseProgressOption } from './progress-option.ts';
import { jobNameProblem } from '../core/model/job-name.ts';
import { jobKeys } from './schema/job.ts';
import { read } from './schema/walk.ts';
import { nearest } from './lib/suggest.ts';
import { longestName, TASK_NAME_MAX } from './lib/template.ts';
import { isGiven } from './schema/values.ts';

export type AdHoc =
  | { readonly ok: true; readonly definition: JobDefinition }
  | { readonly ok: false; readonly problem: string };

const adHocJob = z.strictObject({ name: z.string(), ...jobKeys });

/** Accepts an `AdHocRequest`, or any value from the wire. Never throws; returns all problems, one clause each. */
export function adHocDefinition(request: unknown, settings: Settings): AdHoc {
  const problems: string[] = [];
  const spelled = read(request, 'progress');
  let written = request;
  if (typeof spelled === 'string') {
    const option = parseProgressOption(spelled);
    if (!option.ok) problems.push(`progress: ${option.problem}`);
    written = {
      ...(request as object),
      progress: option.ok ? spellOut(option.progress) : undefined,
    };
  }
  const name = read(request, 'name');
  const nameProblem = typeof name === 'string' ? problemOfName(name, settings) : undefined;
  if (nameProblem !== undefined) problems.push(`name: ${nameProblem}`);

  const result = adHocJob.safeParse(written, { error: issueMessage });
  if (!result.success) problems.push(...result.error.issues.map(messageOf));
  const progress = read(written, 'progress');
  const total = read(progress, 'total');
  const source = read(progress, 'source');
  if (read(progress, 'parser') === 'size' && isGiven(total) === isGiven(source)) {
    problems.push('progress: needs source or total, one of the two');
  }
  if (problems.length > 0 || !result.success) return { ok: false, problem: problems.join('; ') };

  const { name: legalName, ...job } = result.data;
  const definition = jobDefinition(legalName, job, settings.migrationHub !== undefined);
  const task = definition.migrationHub?.task;
  const length = task === undefined ? 0 : longestName(task, legalName, settings.hostname);
  if (length > TASK_NAME_MAX) {
    const problem = `migrationHub.task: becomes a name of up to ${length} characters; ${TASK_NAME_MAX} at most`;
    return { ok: false, problem };
  }
  return { ok: true, definition };
}

function problemOfName(name: string, settings: Settings): string | undefined {
  if (!settings.jobs.has(name)) return jobNameProblem(name);
  return `${name} is a configured job; start it with "start ${name}", or choose another name`;
}

/** Converts back to the spelling of the file, which the schema reads. */
function spellOut(progress: JobDefinition['progress']): unknown {
  if (!('totalBytes' in progress)) return progress;
  const { totalBytes, ...rest } = progress;
  return { ...rest, total: totalBytes };
}

/** One problem of a request, with its key. */
export function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownKey([...issue.path, key])).join('; ');
  }
  const inner = issue.code === 'invalid_key' ? issue.issues[0]?.message : undefined;
  const below =
    issue.code === 'invalid_union'
      ? issue.errors.find((errors) => errors.every((error) => error.path.length > 0))
      : undefined;
  if (below !== undefined && below.length > 0) {
    return below
      .map((error) => messageOf({ ...error, path: [...issue.path, ...error.path] }))
      .join('; ');
  }
  const key = issue.path.length === 0 ? 'the request' : keyOf(issue.path);
  return `${key}: ${inner ?? issue.message}`;
}

function unknownKey(path: readonly PropertyKey[]): string {
  const [name] = path;
  const meant =
    path.length === 1 ? nearest(String(name), ['name', ...Object.keys(jobKeys)]) : undefined;
  return `${keyOf(path)}: unknown key${meant === undefined ? '' : `; did you mean "${meant}"?`}`;
}
