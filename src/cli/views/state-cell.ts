/** The state of a run in one cell of a table. */
import type { JobStatus } from '../../core/model/status.ts';
import { plain } from '../terminal/printable.ts';
import type { Cell } from '../terminal/table.ts';
import type { Style } from '../terminal/terminal.ts';

/** `failed 23`, `stalled`, `canceled`: the state, and what belongs to it. */
export function stateCell(
  job: Pick<JobStatus, 'state' | 'stalled' | 'cancelIncomplete' | 'exitSignal' | 'exitCode'>,
): Cell {
  const style = STATE_STYLE[job.state];
  if (job.state === 'running' && job.stalled === true) return { text: 'stalled', style: 'yellow' };
  if (job.cancelIncomplete === true) return { text: `${job.state}!`, style: 'red' };
  if (job.state === 'failed' && job.exitSignal !== undefined) {
    return { text: `failed ${plain(job.exitSignal)}`, style };
  }
  if (job.state === 'failed' && job.exitCode !== undefined) {
    return { text: `failed ${job.exitCode}`, style };
  }
  return { text: job.state, style };
}

const STATE_STYLE: Readonly<Record<JobStatus['state'], Style>> = {
  idle: 'dim',
  queued: 'dim',
  starting: 'cyan',
  running: 'cyan',
  canceling: 'yellow',
  succeeded: 'green',
  failed: 'red',
  lost: 'red',
  canceled: 'yellow',
  fenced: 'red',
};
