/**
 * The state of one invocation of a unit by systemd's properties. An end counts only for the very invocation that is
 * tracked: a unit that was started again, or that systemd has forgotten, shows `Result=success` just as one that
 * succeeded.
 */
import { constants } from 'node:os';
import { defined } from '../../core/lib/defined.ts';
import type { TrackedSource } from '../../core/model/job.ts';
import type { UnitProperties } from './systemctl.ts';

type UnitState =
  /** It has not been started since tracking was requested. */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'running'; readonly invocation: string; readonly detail?: string }
  /** systemd no longer knows this invocation; its journal may (unit-exit-journal.ts). */
  | { readonly kind: 'forgotten'; readonly invocation: string; readonly reason: string }
  | UnitEnd;

export type UnitEnd =
  | {
      readonly kind: 'exited';
      readonly invocation: string;
      readonly exitCode: number;
      readonly signal?: string;
      /** systemd's name for it, if that means more than the code. */
      readonly message?: string;
    }
  /** It failed without an exit code: its start timed out, a step before it failed … */
  | { readonly kind: 'failed'; readonly invocation: string; readonly reason: string }
  /** It succeeded, with an unknown exit code. */
  | { readonly kind: 'completed'; readonly invocation: string; readonly message: string }
  | { readonly kind: 'lost'; readonly reason: string };

/** systemd takes the time of a process when it forks it, and that of the unit's start a little later. */
const FORK_US_MAX = 1_000_000;

/** waitid(2): how a process ended, by systemd's names. */
export const CLD = { exited: '1', killed: '2', dumped: '3' } as const;

/** `known`: the invocation of the run; undefined: it has not been seen yet. */
export function unitState(
  source: Extract<TrackedSource, { by: 'unit' }>,
  known: string | undefined,
  shown: UnitProperties,
): UnitState {
  const { unit, before } = source;
  const present = shown.InvocationID ?? '';
  const invocation = known ?? (present === before || present === '' ? undefined : present);
  if (invocation === undefined) return { kind: 'waiting' };
  if (present === '') {
    // systemd unloads a unit at once that has succeeded and that no other unit refers to (WantedBy=, a timer …).
    const reason = `${unit} has ended, and systemd no longer knows how`;
    return { kind: 'forgotten', invocation, reason };
  }
  if (present !== invocation) {
    const reason = `${unit} was started again, and systemd no longer knows how the tracked invocation ended`;
    return { kind: 'forgotten', invocation, reason };
  }
  if (isRunning(shown)) {
    const detail = shown.StatusText ?? '';
    return {
      kind: 'running',
      invocation,
      ...defined({ detail: detail === '' ? undefined : detail }),
    };
  }
  return endOf(unit, invocation, shown);
}

/** A unit that has failed and waits for its restart is `activating`, too. */
function isRunning(shown: UnitProperties): boolean {
  const { ActiveState, SubState } = shown;
  if (ActiveState === 'inactive' || ActiveState === 'failed') return false;
  // RemainAfterExit=yes: the unit counts as active, but its process has ended.
  if (ActiveState === 'active' && SubState === 'exited') return false;
  return !isRestarting(shown);
}

function isRestarting({ SubState }: UnitProperties): boolean {
  return SubState?.startsWith('auto-restart') === true;
}

function endOf(unit: string, invocation: string, shown: UnitProperties): UnitEnd {
  return endWith(unit, invocation, {
    result: shown.Result ?? '',
    how: mainProcessEnd(shown),
    status: Number(shown.ExecMainStatus),
  });
}

/** `how` and `status` are those of the main process. `how` undefined: unknown. */
export function endWith(
  unit: string,
  invocation: string,
  end: { readonly result: string; readonly how: string | undefined; readonly status: number },
): UnitEnd {
  const { result, how, status } = end;
  const isSuccess = result === 'success';
  if (how === CLD.exited && (isSuccess || status !== 0)) {
    const why = isSuccess || result === 'exit-code' ? {} : { message: `systemd: ${result}` };
    return { kind: 'exited', invocation, exitCode: status, ...why };
  }
  if (how === CLD.killed || how === CLD.dumped) {
    const message = isSuccess || result === 'signal' ? {} : { message: `systemd: ${result}` };
    const signal = signalName(status);
    return {
      kind: 'exited',
      invocation,
      exitCode: 128 + status,
      ...defined({ signal }),
      ...message,
    };
  }
  if (!isSuccess && result !== '') {
    return { kind: 'failed', invocation, reason: `${unit} failed; systemd: ${result}` };
  }
  return { kind: 'lost', reason: `${unit} has ended, and systemd has no exit status of it` };
}

/** Undefined if no main process of this invocation has run: the properties are then those of an earlier one. */
function mainProcessEnd(shown: UnitProperties): string | undefined {
  // A unit that waits for its restart has left `inactive` again since then.
  if (isRestarting(shown)) return shown.ExecMainCode;
  const startedUs = Number(shown.ExecMainStartTimestampMonotonic ?? 0);
  const begunUs = Number(shown.InactiveExitTimestampMonotonic ?? 0);
  return startedUs === 0 || startedUs + FORK_US_MAX < begunUs ? undefined : shown.ExecMainCode;
}

function signalName(wanted: number): string | undefined {
  return Object.entries(constants.signals).find(([, number]) => number === wanted)?.[0];
}
