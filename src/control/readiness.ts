/** Whether the agent does all of its work now, and the reasons if not: the answer of /readyz. */
import type { AgentStatus } from '../core/model/status.ts';

export interface Readiness {
  readonly ready: boolean;
  readonly reasons: readonly string[];
}

export function readiness({ problems, state }: AgentStatus): Readiness {
  const reasons = [...problems];
  if (state === 'draining') reasons.push('draining: no pipeline tasks are taken');
  return { ready: reasons.length === 0, reasons };
}
