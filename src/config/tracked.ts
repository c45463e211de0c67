/** Tracked work: `migration-agent track` and POST /v1/tracked. Its settings have the keys of a configured job. */
import * as z from 'zod';
import type { JobDefinition, TrackedSource } from '../core/model/job.ts';
import type { Settings } from '../core/model/settings.ts';
import { messageOf } from './ad-hoc.ts';
import { DEFAULT_STOP, jobDefinition } from './build/build.ts';
import { issueMessage } from './issues.ts';
import { jobNameProblem } from '../core/model/job-name.ts';
import { jobKeys } from './schema/job.ts';
import { longestName, TASK_NAME_MAX } from './lib/template.ts';

/** The settings of tracked work, beside its source. */
export interface TrackedRequest {
  readonly name: string;
  readonly stallAfter?: string | undefined;
  readonly migrationHub?: unknown;
}

const trackedKeys = z.strictObject({
  stallAfter: jobKeys.stallAfter,
  migrationHub: jobKeys.migrationHub,
});

/** The definition, or the problems, one clause each. Never throws. */
export function trackedDefinition(
  { name, stallAfter, migrationHub }: TrackedRequest,
  tracked: TrackedSource,
  settings: Settings,
): JobDefinition | string {
  const wrongName = jobNameProblem(name);
  if (wrongName !== undefined) return `name: ${wrongName}`;
  const result = trackedKeys.safeParse({ stallAfter, migrationHub }, { error: issueMessage });
  if (!result.success) return result.error.issues.map(messageOf).join('; ');
  const definition = jobDefinition(
    name,
    {
      command: [],
      environment: {},
      progress: { parser: 'none' },
      stop: { signal: 'SIGTERM', grace: DEFAULT_STOP.graceMs },
      waitFor: 'leader',
      stallAfter: result.data.stallAfter,
      migrationHub: result.data.migrationHub,
      workingDirectory: undefined,
      user: undefined,
      timeout: undefined,
    },
    settings.migrationHub !== undefined,
  );
  const task = definition.migrationHub?.task;
  const length = task === undefined ? 0 : longestName(task, name, settings.hostname);
  if (length > TASK_NAME_MAX) {
    return `migrationHub.task: becomes a name of up to ${length} characters; ${TASK_NAME_MAX} at most`;
  }
  return { ...definition, tracked };
}
