/** The status of the agent in one line, for `systemctl status`. */
import type { Run, RunState } from '../model/job.ts';
import type { PlannerView } from './planner-view.ts';
import { healthLine } from './health.ts';
import { outboxSize } from './outbox.ts';
import { nearestDeadlineMs } from './status-document.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';

/** Shown when they apply; `running` is shown always. */
const SHOWN: readonly RunState[] = ['starting', 'canceling', 'queued'];

/** For example `healthy; 3 running, 1 canceling, nearest deadline 0:41, outbox 0`. */
export function statusLine(view: PlannerView, problems: readonly string[], now: Now): string {
  const { shutdown, state } = view;
  const counts = countsOf(state.liveRuns.values());
  const nearestMs = nearestDeadlineMs(view);
  const message = [
    `${counts.get('running') ?? 0} running`,
    ...SHOWN.filter((state) => counts.has(state)).map(
      (state) => `${counts.get(state) ?? 0} ${state}`,
    ),
    ...(nearestMs === undefined ? [] : [`nearest deadline ${left(nearestMs - now.bootMs)}`]),
    `outbox ${outboxSize(view)}`,
    ...(shutdown.isDraining ? ['draining'] : []),
    ...(shutdown.requestedAt === undefined ? [] : ['stopping']),
  ];
  return `${healthLine(problems)}; ${message.join(', ')}`;
}

function countsOf(runs: Iterable<Run>): ReadonlyMap<RunState, number> {
  const counts = new Map<RunState, number>();
  for (const { state } of runs) counts.set(state, (counts.get(state) ?? 0) + 1);
  return counts;
}

/** As a stopwatch shows it: 0:41, 1:02:03. */
function left(ms: number): string {
  if (ms <= 0) return 'over';
  const hours = Math.floor(ms / HOUR_MS);
  const minutes = Math.floor((ms % HOUR_MS) / MINUTE_MS);
  const seconds = Math.floor((ms % MINUTE_MS) / SECOND_MS);
  const clock = `${hours === 0 ? minutes : two(minutes)}:${two(seconds)}`;
  return hours === 0 ? clock : `${hours}:${clock}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
