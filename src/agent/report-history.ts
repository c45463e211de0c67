/**
 * What the services were told of the latest run of each job, and until when each word holds: for the chart of the
 * status page. In memory only. Of a long run the resolution falls, never the truth: a report is left out only where it
 * came in time, and then its predecessor is said to have held as long.
 */
import type { TimelineEvent } from '../core/model/timeline.ts';
import { SECOND_MS } from '../core/lib/time.ts';
import type { ReportRecord } from '../ports.ts';

/** More than a chart has columns. Twice as many where most came too late; then the oldest go. */
const REPORTS_MAX = 400;
/** Of jobs beyond these nothing is kept: 500 charts of 400 points are 20 MB. */
const JOBS_MAX = 500;

export class ReportHistory {
  readonly #jobs = new Map<string, ReportRecord[]>();

  note(note: TimelineEvent): void {
    const { job, event } = note;
    if (job === undefined) return;
    if (event === 'run.queued' || event === 'task.received') this.#jobs.delete(job);
    if (event !== 'report.accepted' && event !== 'report.delivered') return;
    const records = this.#recordsOf(job);
    records.push(recordOf(note as TimelineEvent<'report.accepted' | 'report.delivered'>));
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

/** Every second report of each destination, where leaving the other out hides no lateness. */
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
