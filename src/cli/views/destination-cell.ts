/**
 * What a destination was told, in one narrow cell: while a run goes on, the age of the last accepted report and
 * the time left to the deadline, `12s/4m48s`; when it has ended, what became of the last word, `owed 19s` while it is on its way.
 */
import { defined } from '../../core/lib/defined.ts';
import type { HubDestination, PipelineDestination } from '../../core/model/status.ts';
import { coarseSpanSince, span } from '../terminal/durations.ts';
import type { Cell } from '../terminal/table.ts';

export function destinationCell(
  told: HubDestination | PipelineDestination,
  now: Date,
  endedAt?: string,
): Cell {
  switch (told.delivery) {
    case 'delivered':
      return {
        text:
          told.lastAcceptedAt === undefined
            ? 'delivered'
            : `delivered ${coarseSpanSince(told.lastAcceptedAt, now)}`,
        style: 'green',
      };
    case 'refused':
      return { text: 'refused', style: 'red' };
    case 'withheld':
      return { text: 'withheld', style: 'dim' };
    case 'pending': {
      if (endedAt !== undefined) {
        return { text: `owed ${coarseSpanSince(endedAt, now)}`, style: 'yellow' };
      }
      const said =
        told.lastAcceptedAt === undefined ? '-' : coarseSpanSince(told.lastAcceptedAt, now);
      const slackS = told.slackSeconds;
      if (slackS === undefined) return { text: said === '-' ? 'not yet' : `${said}/-` };
      const left = `${slackS < 0 ? '-' : ''}${span(slackS * 1000)}`;
      return defined({ text: `${said}/${left}`, style: slackS < 0 ? ('red' as const) : undefined });
    }
  }
}
