/** The audit of the task runners: lapsed tasks, tasks handed out twice, cancels. Computed event by event. */
import { isoTime } from '../lib/clock.ts';
import type { TaskEvent } from '../pipeline/task-events.ts';
import { defined } from '../lib/defined.ts';

interface Incident {
  readonly type: string;
  readonly at: string;
  readonly pipelineId?: string;
  readonly attemptId?: string;
  readonly hostname?: string;
}

export interface TaskAudit {
  readonly handOuts: number;
  /** Tasks that lapsed and were handed out again: two runners may work on them. */
  readonly handedOutAgain: number;
  readonly acknowledgementLapses: number;
  readonly progressLapses: number;
  /** Reports and SetTaskStatus calls of a runner whose task had lapsed. */
  readonly callsOfFormerOwners: number;
  readonly reports: number;
  readonly longestAcknowledgementSeconds: number;
  readonly longestReportGapSeconds: number;
  readonly cancelsReported: number;
  /** From SetStatus (or deactivation, deletion) to the report that was answered with the cancel. */
  readonly longestCancelSeconds: number;
  readonly statusAfterCancel: number;
  readonly overlappingPolls: number;
  readonly ended: Readonly<Record<string, number>>;
  /** The newest violations. */
  readonly incidents: readonly Incident[];
}

const INCIDENTS_MAX = 200;

export class TasksAudit {
  readonly #counts = { reported: 0, 'handed-out': 0, 'cancel-reported': 0, 'overlapping-poll': 0 };
  readonly #lapses = { acknowledgement: 0, progress: 0 };
  readonly #ended: Record<string, number> = {};
  readonly #incidents: Incident[] = [];
  #again = 0;
  #former = 0;
  #afterCancel = 0;
  #acknowledgeMs = 0;
  #gapMs = 0;
  #cancelMs = 0;

  observe(event: TaskEvent): void {
    switch (event.type) {
      case 'handed-out':
        this.#counts['handed-out'] += 1;
        if (!event.again) return;
        this.#again += 1;
        break;
      case 'reported':
        this.#counts.reported += 1;
        if (event.isFirst) this.#acknowledgeMs = Math.max(this.#acknowledgeMs, event.gapMs);
        else this.#gapMs = Math.max(this.#gapMs, event.gapMs);
        return;
      case 'ended':
        this.#ended[event.status] = (this.#ended[event.status] ?? 0) + 1;
        return;
      case 'cancel-reported':
        this.#counts['cancel-reported'] += 1;
        this.#cancelMs = Math.max(this.#cancelMs, event.sinceMs);
        return;
      case 'lapsed':
        this.#lapses[event.window] += 1;
        break;
      case 'call-of-former-owner':
        this.#former += 1;
        break;
      case 'status-after-cancel':
        this.#afterCancel += 1;
        break;
      case 'overlapping-poll':
        this.#counts['overlapping-poll'] += 1;
        break;
    }
    this.#incidents.push(incident(event));
    if (this.#incidents.length > INCIDENTS_MAX) this.#incidents.shift();
  }

  summary(): TaskAudit {
    return {
      handOuts: this.#counts['handed-out'],
      handedOutAgain: this.#again,
      acknowledgementLapses: this.#lapses.acknowledgement,
      progressLapses: this.#lapses.progress,
      callsOfFormerOwners: this.#former,
      reports: this.#counts.reported,
      longestAcknowledgementSeconds: this.#acknowledgeMs / 1_000,
      longestReportGapSeconds: this.#gapMs / 1_000,
      cancelsReported: this.#counts['cancel-reported'],
      longestCancelSeconds: this.#cancelMs / 1_000,
      statusAfterCancel: this.#afterCancel,
      overlappingPolls: this.#counts['overlapping-poll'],
      ended: { ...this.#ended },
      incidents: [...this.#incidents],
    };
  }
}

function incident(event: TaskEvent): Incident {
  const at = isoTime(event.at);
  const type =
    event.type === 'lapsed'
      ? `${event.window} lapsed`
      : event.type === 'handed-out'
        ? 'handed out again'
        : event.type.replaceAll('-', ' ');
  const place =
    'attemptId' in event ? { pipelineId: event.pipelineId, attemptId: event.attemptId } : {};
  return {
    type,
    at,
    ...place,
    ...defined({ hostname: event.hostname }),
  };
}
