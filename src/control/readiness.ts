/** Whether the agent does all of its work now, and the reasons if not: the answer of /readyz. */
import type { Status } from '../core/model/status.ts';

export interface Readiness {
  readonly ready: boolean;
  readonly reasons: readonly string[];
}

export function readiness({ agent }: Status): Readiness {
  const reasons = [...agent.problems];
  if (agent.state === 'draining') reasons.push('draining: no pipeline tasks are taken');
  const slackS = agent.nearestDeadlineSeconds;
  if (slackS !== undefined && slackS < 0) {
    reasons.push(`a report is late by ${Math.ceil(-slackS)} s`);
  }
  return { ready: reasons.length === 0, reasons };
}
