/** `/overview.json`: counts of all jobs and the rows that match, what needs attention first. */
import { createHash } from 'node:crypto';
import { defined } from '../../core/lib/defined.ts';
import type { BudgetStatus, JobStatus } from '../../core/model/status.ts';
import {
  byAttention,
  CONDITIONS,
  countByCondition,
  hasCondition,
} from '../../core/operator/attention.ts';
import type { Operator } from '../../ports.ts';
import { SharedRounds } from '../lib/shared-rounds.ts';
import type { OverviewDocument } from './documents.ts';

/** More rows are no overview: the filter finds the others. */
const ROWS_MAX = 100;
/** So many pages can be open, and each still gets only what has changed; 0.5 MB. */
const VERSIONS_MAX = 64;

/** Makes the documents of all pages that are open, and knows what each of them has: it gets only what has changed since. */
export class Overviews {
  readonly #operator: Operator;
  readonly #rounds: SharedRounds;
  /** The newest last. */
  readonly #sent = new Map<string, Sent>();

  constructor(operator: Operator) {
    this.#operator = operator;
    this.#rounds = new SharedRounds(operator);
  }

  async document(query: URLSearchParams): Promise<OverviewDocument> {
    const operator = this.#operator;
    const all = await this.#rounds.jobs();
    const matching = matchingOf(all, query);
    const jobs = rowsOf(matching, query);
    const budgets = operator.budgets();
    const sent = new Sent(jobs, budgets);
    const known = this.#sent.get(query.get('since') ?? '');
    this.#remember(sent);
    return {
      schema: 1,
      version: sent.version,
      agent: operator.agent(),
      counts: countByCondition(all),
      matching: matching.length,
      ...changes(jobs, budgets, sent, known),
    };
  }

  #remember(sent: Sent): void {
    this.#sent.delete(sent.version);
    this.#sent.set(sent.version, sent);
    const [oldest = ''] = this.#sent.keys();
    if (this.#sent.size > VERSIONS_MAX) this.#sent.delete(oldest);
  }
}

/** What a page was sent, as digests. */
class Sent {
  readonly version: string;
  readonly rows: ReadonlyMap<string, string>;
  readonly order: string;
  readonly budgets: string;

  constructor(jobs: readonly JobStatus[], budgets: readonly BudgetStatus[]) {
    this.rows = new Map(jobs.map((job) => [job.name, digest(job)]));
    this.order = digest([...this.rows.keys()]);
    this.budgets = digest(budgets);
    this.version = digest([this.order, ...this.rows.values(), this.budgets]);
  }
}

function changes(
  jobs: readonly JobStatus[],
  budgets: readonly BudgetStatus[],
  sent: Sent,
  known: Sent | undefined,
): Pick<OverviewDocument, 'jobs' | 'order' | 'budgets'> {
  const changed = jobs.filter(({ name }) => known?.rows.get(name) !== sent.rows.get(name));
  return defined({
    order: known?.order === sent.order ? undefined : [...sent.rows.keys()],
    jobs: changed.length === 0 && known !== undefined ? undefined : changed,
    budgets: known?.budgets === sent.budgets ? undefined : budgets,
  });
}

/** Slack changes every second, and the page computes it from the deadline: it does not count as a change. */
function digest(shown: unknown): string {
  const text = JSON.stringify(shown, (key, value: unknown) =>
    key === 'slackSeconds' ? undefined : value,
  );
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}

function matchingOf(jobs: readonly JobStatus[], query: URLSearchParams): readonly JobStatus[] {
  const wanted = (query.get('q') ?? '').toLowerCase();
  const condition = CONDITIONS.find((one) => one === query.get('state'));
  return jobs.filter(
    (job) =>
      (wanted === '' || job.name.toLowerCase().includes(wanted)) &&
      (condition === undefined || hasCondition(job, condition)),
  );
}

function rowsOf(matching: readonly JobStatus[], query: URLSearchParams): readonly JobStatus[] {
  const sorted = sort(matching, query.get('sort') ?? '');
  const rows = sorted.slice(0, ROWS_MAX);
  // An open job stays on the page, wherever it stands.
  const open = query.get('open');
  const opened = open === null ? undefined : sorted.find(({ name }) => name === open);
  return opened === undefined || rows.includes(opened) ? rows : [opened, ...rows];
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
