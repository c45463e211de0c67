/**
 * The failures of a reporter since its last accepted call, and when it tries again. An object apart from the reporter:
 * nearly all reporters have none, and ten thousand jobs need not carry empty fields.
 */
import type { Operation } from '../model/call.ts';
import { retryDelayMs } from './pacing.ts';
import type { Now } from '../lib/time.ts';

export interface Retry {
  /** Failures since the last accepted call. */
  attempts: number;
  /** When the first of them was, on the boot clock. */
  firstAtMs: number;
  /** On the boot clock. */
  retryAtMs: number;
  /** How the last call failed. */
  reason: string;
  /** Refused for good: repeated rarely, or only when an operator asks for it. */
  isQuarantined: boolean;
  /** The last failures were refusals, which may mean the wrong region: when the first of them was. */
  refusedAtMs?: number;
  /** Operations that found the task or its stream missing since a report was last accepted. */
  readonly missing?: readonly Operation[];
}

/** Records another failure. The next attempt comes later than the one before, but within `slackMs`. */
export function again(
  retry: Retry | undefined,
  reason: string,
  slackMs: number,
  now: Now,
  random: () => number,
): Retry {
  const attempts = (retry?.attempts ?? 0) + 1;
  const retryAtMs = now.bootMs + retryDelayMs(attempts, Math.max(0, slackMs), random);
  const firstAtMs = retry?.firstAtMs ?? now.bootMs;
  return { attempts, firstAtMs, retryAtMs, reason, isQuarantined: retry?.isQuarantined ?? false };
}
