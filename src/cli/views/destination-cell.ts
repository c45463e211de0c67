/**
 * The delivery to a destination in one narrow cell. While a run goes on: the age of the last accepted report and the
 * time left to the deadline, `12s/4m48s`. When it has ended: the delivery of its final report, `pending 19s` at first.
 */
import { defined } from '../../core/lib/defined.ts';
import type { HubDestination, PipelineDestination } from '../../core/model/status.ts';
import { coarseSpanSince, span } from '../terminal/durations.ts';
import type { Cell } from '../terminal/table.ts';

export function destinationCell(
  task: HubDestination | PipelineDestination,
  now: Date,
  endedAt?: string,
): Cell {
  switch (task.delivery) {
    case 'delivered':
      return {
        text:
          task.lastAcceptedAt === undefined
            ? 'delivered'
            : `delivered ${coarseSpanSince(task.lastAcceptedAt, now)}`,
        style: 'green',
      };
    case 'refused':
      return { text: 'refused', style: 'red' };
    case 'withheld':
      return { text: 'withheld', style: 'dim' };
    case 'pending': {
      if (endedAt !== undefined) {
        return { text: `pending ${coarseSpanSince(endedAt, now)}`, style: 'yellow' };
      }
      const ago =
        task.lastAcceptedAt === undefined ? '-' : coarseSpanSince(task.lastAcceptedAt, now);
      const slackS = task.slackSeconds;
      if (slackS === undefined) return { text: ago === '-' ? 'not yet' : `${ago}/-` };
      const left = `${slackS < 0 ? '-' : ''}${span(slackS * 1000)}`;
      return defined({ text: `${ago}/${left}`, style: slackS < 0 ? ('red' as const) : undefined });
    }
  }
}
