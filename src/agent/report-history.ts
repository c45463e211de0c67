/**
 * The accepted reports of the latest run of each job, and until when each is valid: for the chart of the status page. In
 * memory only. The history of a long run is thinned: a report that came in time is merged into the one before, which is
 * then shown as valid for as long. A late report is never merged.
 */
import type { TimelineEvent } from '../core/model/timeline.ts';
import { SECOND_MS } from '../core/lib/time.ts';
import type { ReportRecord } from '../ports.ts';

/** More than a chart has columns. Twice as many are kept if most came too late; then the oldest are removed. */
const REPORTS_MAX = 400;
/** The history of the oldest job is removed beyond this: 500 charts of 400 points are 20 MB. */
const JOBS_MAX = 500;

export class ReportHistory {
  readonly #jobs = new Map<string, ReportRecord[]>();

  add(entry: TimelineEvent): void {
    const { job, event } = entry;
    if (job === undefined) return;
    if (event === 'run.queued' || event === 'task.received') this.#jobs.delete(job);
    if (event !== 'report.accepted' && event !== 'report.delivered') return;
    const records = this.#recordsOf(job);
    records.push(recordOf(entry as TimelineEvent<'report.accepted' | 'report.delivered'>));
    if (records.length > REPORTS_MAX) this.#jobs.set(job, thinned(records).slice(-2 * REPORTS_MAX));
  }

  of(job: string): readonly ReportRecord[] {
    return this.#jobs.get(job) ?? [];
  }

  #recordsOf(job: string): ReportRecord[] {
    const known = this.#jobs.get(job);
    if (known !== undefined) return known;
    const [oldest] = this.#jobs.keys();
    if (this.#jobs.size >= JOBS_MAX && oldest !== undefined) this.#jobs.delete(oldest);
    const made: ReportRecord[] = [];
    this.#jobs.set(job, made);
    return made;
  }
}

function recordOf({
  at,
  fields,
}: TimelineEvent<'report.accepted' | 'report.delivered'>): ReportRecord {
  const { task, percent, status } = fields;
  const holdsS =
    'nextUpdateS' in fields ? fields.nextUpdateS : 'windowS' in fields ? fields.windowS : undefined;
  return {
    atMs: at.wallMs,
    to: typeof task === 'string' ? 'migrationHub' : 'dataPipeline',
    ...(typeof percent === 'number' ? { percent } : {}),
    ...(typeof status === 'string' ? { status } : {}),
    ...(typeof holdsS === 'number' ? { holdsUntilMs: at.wallMs + holdsS * SECOND_MS } : {}),
  };
}

/** Merges every second report of a destination into the one before, unless it came late. */
function thinned(records: readonly ReportRecord[]): ReportRecord[] {
  const kept: ReportRecord[] = [];
  const last = new Map<ReportRecord['to'], { place: number; isMerged: boolean }>();
  for (const record of records) {
    const before = last.get(record.to);
    const predecessor = before === undefined ? undefined : kept[before.place];
    const wasInTime =
      predecessor?.holdsUntilMs !== undefined && record.atMs <= predecessor.holdsUntilMs;
    if (
      before !== undefined &&
      predecessor !== undefined &&
      wasInTime &&
      !before.isMerged &&
      record.holdsUntilMs !== undefined
    ) {
      kept[before.place] = { ...predecessor, holdsUntilMs: record.holdsUntilMs };
      before.isMerged = true;
      continue;
    }
    last.set(record.to, { place: kept.length, isMerged: false });
    kept.push(record);
  }
  return kept;
}
