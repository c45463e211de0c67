/**
 * Problems that involve several keys. Reads the tree of the file, not the parsed result, so that these problems are reported
 * together with those of single keys; a value that cannot be parsed is skipped here, because the schema reports it.
 */
import { HOUR_MS, MINUTE_MS } from '../../core/lib/time.ts';
import { parseDuration } from '../../core/lib/duration.ts';
import { jobNameProblem } from '../../core/model/job-name.ts';
import { read } from '../schema/walk.ts';
import { suggestion } from '../lib/suggest.ts';
import { longestName, TASK_NAME_MAX } from '../lib/template.ts';
import { isGiven } from '../schema/values.ts';
import type { Path } from '../lib/problem.ts';

export interface Finding {
  readonly path: Path;
  readonly message: string;
}

export interface Surroundings {
  /** The region from AWS_REGION, AWS_DEFAULT_REGION or the profile. */
  readonly region: string | undefined;
  readonly hostname: string;
}

export function crossChecks(tree: unknown, surroundings: Surroundings): Finding[] {
  return [
    ...checkHub(tree),
    ...checkPipeline(tree, surroundings),
    ...checkActivities(tree),
    ...checkFleet(tree),
    ...entriesOf(read(tree, 'jobs')).flatMap(([name, job]) =>
      checkJob(name, job, surroundings.hostname),
    ),
  ];
}

function checkHub(tree: unknown): Finding[] {
  const hub = read(tree, 'migrationHub');
  const nextUpdateMs = durationOf(read(hub, 'nextUpdate'), 5 * MINUTE_MS);
  const nextUpdateMaxMs = durationOf(read(hub, 'nextUpdateMax'), HOUR_MS);
  if (nextUpdateMs === undefined || nextUpdateMaxMs === undefined) return [];
  if (!isGiven(hub) || nextUpdateMs <= nextUpdateMaxMs) return [];
  return isGiven(read(hub, 'nextUpdate'))
    ? [{ path: ['migrationHub', 'nextUpdate'], message: 'must not be longer than nextUpdateMax' }]
    : [{ path: ['migrationHub', 'nextUpdateMax'], message: 'must not be shorter than nextUpdate' }];
}

function checkPipeline(tree: unknown, surroundings: Surroundings): Finding[] {
  const pipeline = read(tree, 'dataPipeline');
  if (!isGiven(pipeline)) return [];
  const findings: Finding[] = [];
  const region = read(pipeline, 'region') ?? read(tree, 'aws', 'region') ?? surroundings.region;
  if (!isGiven(region)) {
    const message =
      'is missing: write it here or as aws.region, set AWS_REGION, or give the profile a region';
    findings.push({ path: ['dataPipeline', 'region'], message });
  }
  const reportEveryMs = durationOf(read(pipeline, 'reportEvery'), MINUTE_MS);
  const windowMs = durationOf(read(pipeline, 'window'), 15 * MINUTE_MS);
  if (reportEveryMs !== undefined && windowMs !== undefined && reportEveryMs >= windowMs) {
    const key = isGiven(read(pipeline, 'reportEvery')) ? 'reportEvery' : 'window';
    const rule = key === 'window' ? 'longer than reportEvery' : 'shorter than window';
    const message = `must be ${rule}, or every task is given away before its next report`;
    findings.push({ path: ['dataPipeline', key], message });
  }
  const groups = listOf(read(pipeline, 'workerGroups'));
  groups.forEach((group, index) => {
    if (typeof group !== 'string' || groups.indexOf(group) === index) return;
    findings.push({
      path: ['dataPipeline', 'workerGroups', index],
      message: `"${group}" is named twice`,
    });
  });
  return findings;
}

function checkActivities(tree: unknown): Finding[] {
  const jobs = entriesOf(read(tree, 'jobs')).map(([name]) => name);
  const findings: Finding[] = [];
  listOf(read(tree, 'dataPipeline', 'activities')).forEach((rule, index) => {
    const path = ['dataPipeline', 'activities', index];
    const job = read(rule, 'job');
    const shell = read(rule, 'shell');
    if (typeof rule !== 'object' || rule === null) return;
    if (isGiven(job) && isGiven(shell)) {
      findings.push({
        path: [...path, 'shell'],
        message: 'job is written too: keep one of the two',
      });
    }
    if (!isGiven(job) && !isGiven(shell)) {
      findings.push({ path, message: 'needs job: NAME, or shell: true' });
    }
    if (typeof job === 'string' && !jobs.includes(job)) {
      const hint = jobs.length === 0 ? '; there are none' : suggestion(job, jobs);
      findings.push({ path: [...path, 'job'], message: `no job of this name under jobs${hint}` });
    }
  });
  return findings;
}

function checkFleet(tree: unknown): Finding[] {
  const fleet = read(tree, 'fleet');
  if (!isGiven(fleet) || isGiven(read(fleet, 'share')) || isGiven(read(fleet, 'redis'))) return [];
  const message = "is missing: this host's part of each budget, such as 0.1 for ten hosts";
  return [{ path: ['fleet', 'share'], message }];
}

function checkJob(name: string, job: unknown, hostname: string): Finding[] {
  const findings: Finding[] = [];
  const illegal = jobNameProblem(name);
  if (illegal !== undefined) findings.push({ path: ['jobs', name], message: illegal });
  const progress = ['jobs', name, 'progress'];
  const total = read(job, 'progress', 'total');
  const source = read(job, 'progress', 'source');
  if (read(job, 'progress', 'parser') === 'size') {
    if (isGiven(total) && isGiven(source)) {
      const message = 'source is written too: keep one of the two';
      findings.push({ path: [...progress, 'total'], message });
    }
    if (!isGiven(total) && !isGiven(source)) {
      const message = 'needs source: PATH or total: SIZE, or there is nothing to compare with';
      findings.push({ path: progress, message });
    }
  }
  const written = read(job, 'migrationHub', 'task');
  const template = typeof written === 'string' ? written : '{job}';
  const length = longestName(template, name, hostname);
  if (length > TASK_NAME_MAX) {
    const message = `becomes a name of up to ${length} characters; ${TASK_NAME_MAX} at most`;
    findings.push({ path: ['jobs', name, 'migrationHub', 'task'], message });
  }
  return findings;
}

/** The default if the key is missing; undefined if the value cannot be parsed. */
function durationOf(written: unknown, defaultMs: number): number | undefined {
  if (!isGiven(written)) return defaultMs;
  const durationMs = typeof written === 'string' ? parseDuration(written) : undefined;
  return durationMs === 0 ? undefined : durationMs;
}

function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.entries(value)
    : [];
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}
