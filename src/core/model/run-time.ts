/** How long a run has taken, and how much longer it will take by its progress. */
import { formatDuration } from '../lib/duration.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';
import type { Run } from './job.ts';

/** With less progress or less time the rate is not known. */
const PERCENT_MIN = 2;
const ELAPSED_MS_MIN = 10 * SECOND_MS;
/** A longer estimate is not shown. */
const LEFT_MS_MAX = 30 * DAY_MS;

type Progressing = Pick<
  Run,
  'state' | 'startedAt' | 'endedAt' | 'percent' | 'progressAt' | 'stalled'
>;

/** Until now, or until its end. Undefined: it has not started. */
export function elapsedSeconds({ startedAt, endedAt }: Progressing, now: Now): number | undefined {
  if (startedAt === undefined) return undefined;
  return seconds((endedAt ?? now).bootMs - startedAt.bootMs);
}

/** What is left at the average rate so far. Undefined: unknown, or the run does not go on. */
export function etaSeconds(run: Progressing, now: Now): number | undefined {
  const { state, startedAt, percent, progressAt, stalled } = run;
  if (state !== 'running' || stalled === true) return undefined;
  if (startedAt === undefined || percent === undefined || progressAt === undefined)
    return undefined;
  const tookMs = progressAt.bootMs - startedAt.bootMs;
  if (percent < PERCENT_MIN || tookMs < ELAPSED_MS_MIN) return undefined;
  const leftMs = (tookMs * (100 - percent)) / percent - (now.bootMs - progressAt.bootMs);
  return leftMs <= LEFT_MS_MAX ? seconds(leftMs) : undefined;
}

/** `running for 1h2m, about 3h left`: for a StatusDetail. Undefined: no progress is known, or hardly any time has passed. */
export function timingText(run: Progressing, now: Now): string | undefined {
  const elapsedMs = (elapsedSeconds(run, now) ?? 0) * SECOND_MS;
  const isProgressing = run.state === 'running' && run.percent !== undefined;
  if (!isProgressing || elapsedMs < ELAPSED_MS_MIN) return undefined;
  const leftS = etaSeconds(run, now);
  const left = leftS === undefined ? '' : `, about ${coarse(leftS * SECOND_MS)} left`;
  return `running for ${coarse(elapsedMs)}${left}`;
}

/** Two units at most: an estimate is not better than that. */
function coarse(ms: number): string {
  const unitMs = ms >= DAY_MS ? HOUR_MS : ms >= HOUR_MS ? MINUTE_MS : SECOND_MS;
  return formatDuration(Math.floor(ms / unitMs) * unitMs);
}

function seconds(ms: number): number {
  return Math.max(0, Math.round(ms / SECOND_MS));
}
