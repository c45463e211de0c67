/** The stories of the demo, from the agent's own timelines: which job was canceled, which failed, which went through the outage. */
import type { TimelineEntryDocument } from '../../control/routes/timeline-entry.ts';
import type { Played } from './script.ts';
import { plain, wrap } from '../terminal/printable.ts';
import { span } from '../terminal/durations.ts';

type Timelines = ReadonlyMap<string, readonly TimelineEntryDocument[]>;

/** Columns of a job's name in the stories and in the plain form. */
const NAME_COLUMNS = 10;

export function runScenarios(
  timelines: Timelines,
  played: Pick<Played, 'canceledAtMs' | 'outage'>,
  beganAtMs: number,
  width: number,
): string {
  const at = (ms: number): string => span(ms - beganAtMs);
  const { fromMs, toMs } = played.outage;
  const outage = `${at(fromMs)} to ${at(toMs)}`;
  const stories = [
    ['mail', canceled(timelines.get('mail') ?? [], played.canceledAtMs, at)],
    ['invoices', failed(timelines.get('invoices') ?? [], at)],
    ['photos', ended(timelines.get('photos') ?? [], at, `during the outage of AWS (${outage})`)],
    ['archive', ended(timelines.get('archive') ?? [], at, 'after the outage')],
  ] as const;
  const lines = stories.flatMap(([name, text]) =>
    wrap(text, width - NAME_COLUMNS - 2).map(
      (line, index) => `  ${(index === 0 ? name : '').padEnd(NAME_COLUMNS)}${line}`,
    ),
  );
  return ['What happened:', ...lines].join('\n');
}

type At = (ms: number) => string;

function canceled(timeline: readonly TimelineEntryDocument[], askedAtMs: number, at: At): string {
  const learnedMs = timeOf(timeline, 'cancel.received');
  const goneMs = timeOf(timeline, 'tree.empty');
  if (learnedMs === undefined || goneMs === undefined)
    return 'should have been canceled and was not';
  return `canceled by its pipeline's owner at ${at(askedAtMs)}; the agent learned of it ${between(askedAtMs, learnedMs)} later, with its next report; all processes were gone ${between(learnedMs, goneMs)} after that`;
}

function failed(timeline: readonly TimelineEntryDocument[], at: At): string {
  const end = timeline.findLast(({ event }) => event === 'run.ended');
  if (end?.fields['state'] !== 'failed') return 'should have failed and did not';
  return `failed at ${at(Date.parse(end.at))}: ${plain(String(end.fields['message'])).replace(/^failed: /, '')}; ${finalReport(timeline)}`;
}

function ended(timeline: readonly TimelineEntryDocument[], at: At, when: string): string {
  const endedMs = timeOf(timeline, 'run.ended');
  if (endedMs === undefined) return 'has not ended';
  return `ended at ${at(endedMs)}, ${when}; ${finalReport(timeline)}`;
}

/** `afterS` of `report.delivered`: from the end of the run to the accepted final report. */
function finalReport(timeline: readonly TimelineEntryDocument[]): string {
  const reports = timeline.filter(({ event }) => event === 'report.delivered');
  const deliveries = reports.map(({ fields }) => {
    const destination = fields['to'] === 'dataPipeline' ? 'Data Pipeline' : 'Migration Hub';
    const afterS = Number(fields['afterS']);
    return `${destination} ${afterS < 1 ? 'at once' : `${span(afterS * 1000)} later`}`;
  });
  return deliveries.length === 0
    ? 'its final report was not delivered'
    : `its final report reached ${deliveries.join(' and ')}`;
}

function timeOf(timeline: readonly TimelineEntryDocument[], event: string): number | undefined {
  const entry = timeline.findLast((each) => each.event === event);
  return entry === undefined ? undefined : Date.parse(entry.at);
}

function between(fromMs: number, toMs: number): string {
  return `${(Math.max(0, toMs - fromMs) / 1000).toFixed(1)}s`;
}
