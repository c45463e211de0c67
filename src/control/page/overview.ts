/** `/overview.json`: counts of all jobs and the rows that match, what needs attention first. */
import { createHash } from 'node:crypto';
import type { JobStatus } from '../../core/model/status.ts';
import {
  byAttention,
  CONDITIONS,
  countByCondition,
  hasCondition,
} from '../../core/operator/attention.ts';
import type { Operator } from '../../ports.ts';
import { everyJob } from '../lib/every-job.ts';
import type { OverviewDocument } from './documents.ts';

/** More rows are no overview: the filter finds the others. */
const ROWS_MAX = 100;

export async function overviewDocument(
  operator: Operator,
  query: URLSearchParams,
): Promise<OverviewDocument> {
  const jobs = await everyJob(operator);
  const wanted = (query.get('q') ?? '').toLowerCase();
  const condition = CONDITIONS.find((one) => one === query.get('state'));
  const matching = jobs.filter(
    (job) =>
      (wanted === '' || job.name.toLowerCase().includes(wanted)) &&
      (condition === undefined || hasCondition(job, condition)),
  );
  const sorted = sort(matching, query.get('sort') ?? '');
  const rows = sorted.slice(0, ROWS_MAX);
  // An open job stays on the page, wherever it stands.
  const open = query.get('open');
  const opened = open === null ? undefined : sorted.find(({ name }) => name === open);
  if (opened !== undefined && !rows.includes(opened)) rows.unshift(opened);
  const shown = { jobs: rows, budgets: operator.budgets() };
  const version = versionOf(shown);
  return {
    schema: 1,
    version,
    agent: operator.agent(),
    counts: countByCondition(jobs),
    matching: matching.length,
    ...(version === query.get('since') ? {} : shown),
  };
}

/** Slack changes every second, and the page computes it from the deadline: it does not make a new version. */
function versionOf(shown: object): string {
  const text = JSON.stringify(shown, (key, value: unknown) =>
    key === 'slackSeconds' ? undefined : value,
  );
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}

function sort(jobs: readonly JobStatus[], by: string): readonly JobStatus[] {
  switch (by) {
    case 'name':
      return jobs.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    case 'started':
      return jobs.toSorted((a, b) => startedMs(b) - startedMs(a));
    case 'percent':
      return jobs.toSorted((a, b) => (b.percent ?? -1) - (a.percent ?? -1));
    default:
      return byAttention(jobs);
  }
}

function startedMs({ startedAt }: JobStatus): number {
  return startedAt === undefined ? 0 : Date.parse(startedAt);
}
