/**
 * What systemd's properties of a unit say of one invocation of it. An end is only believed of the very invocation
 * that is tracked: a unit that was started again, or that systemd has forgotten, shows `Result=success` just as one
 * that went well.
 */
import { constants } from 'node:os';
import type { TrackedSource } from '../../core/model/job.ts';
import type { UnitProperties } from './systemctl.ts';

export type UnitState =
  /** It has not been started since tracking was asked for. */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'running'; readonly invocation: string; readonly detail?: string }
  /** systemd knows this invocation no longer; its journal may (unit-last-word.ts). */
  | { readonly kind: 'forgotten'; readonly invocation: string; readonly reason: string }
  | UnitEnd;

export type UnitEnd =
  | {
      readonly kind: 'exited';
      readonly invocation: string;
      readonly exitCode: number;
      readonly signal?: string;
      /** What systemd calls it, where that tells more than the code. */
      readonly message?: string;
    }
  /** It ended badly, and no exit code tells how: its start timed out, a step before it failed … */
  | { readonly kind: 'failed'; readonly invocation: string; readonly reason: string }
  /** It ended well, and which exit code that was is not known. */
  | { readonly kind: 'completed'; readonly invocation: string; readonly message: string }
  | { readonly kind: 'lost'; readonly reason: string };

/** systemd stamps a process when it forks it, and the unit's start a little later. */
const FORK_US_MAX = 1_000_000;

/** waitid(2): how a process ended, by the names that systemd gives them. */
export const CLD = { exited: '1', killed: '2', dumped: '3' } as const;

/** `invocation`: the one that the run is known to be; absent: it has not been seen yet. */
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
    // A unit that ended well and that no other one refers to (by WantedBy=, a timer …) is unloaded at once.
    const reason = `${unit} has ended, and systemd has forgotten how`;
    return { kind: 'forgotten', invocation, reason };
  }
  if (present !== invocation) {
    const reason = `${unit} was started again, and systemd no longer tells how the tracked invocation ended`;
    return { kind: 'forgotten', invocation, reason };
  }
  if (isUnderWay(shown)) {
    const detail = shown.StatusText ?? '';
    return { kind: 'running', invocation, ...(detail === '' ? {} : { detail }) };
  }
  return endOf(unit, invocation, shown);
}

/** `activating` is also the state of a unit that has failed and waits for its restart. */
function isUnderWay(shown: UnitProperties): boolean {
  const { ActiveState, SubState } = shown;
  if (ActiveState === 'inactive' || ActiveState === 'failed') return false;
  // RemainAfterExit: the unit counts as active, its process has ended.
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

/** `how` and `status` of the main process; undefined: none is known. */
export function endWith(
  unit: string,
  invocation: string,
  end: { readonly result: string; readonly how: string | undefined; readonly status: number },
): UnitEnd {
  const { result, how, status } = end;
  const isSuccess = result === 'success';
  if (how === CLD.exited && (isSuccess || status !== 0)) {
    const message = isSuccess || result === 'exit-code' ? {} : { message: `systemd: ${result}` };
    return { kind: 'exited', invocation, exitCode: status, ...message };
  }
  if (how === CLD.killed || how === CLD.dumped) {
    const message = isSuccess || result === 'signal' ? {} : { message: `systemd: ${result}` };
    const signal = signalName(status);
    return {
      kind: 'exited',
      invocation,
      exitCode: 128 + status,
      ...(signal === undefined ? {} : { signal }),
      ...message,
    };
  }
  if (!isSuccess && result !== '') {
    return { kind: 'failed', invocation, reason: `${unit} failed; systemd: ${result}` };
  }
  return { kind: 'lost', reason: `${unit} has ended, and systemd tells no exit status` };
}

/** Undefined where no main process of this invocation has run: what is shown then is an earlier one's. */
function mainProcessEnd(shown: UnitProperties): string | undefined {
  // A unit that waits for its restart has left `inactive` anew since.
  if (isRestarting(shown)) return shown.ExecMainCode;
  const startedUs = Number(shown.ExecMainStartTimestampMonotonic ?? 0);
  const begunUs = Number(shown.InactiveExitTimestampMonotonic ?? 0);
  return startedUs === 0 || startedUs + FORK_US_MAX < begunUs ? undefined : shown.ExecMainCode;
}

function signalName(wanted: number): string | undefined {
  return Object.entries(constants.signals).find(([, number]) => number === wanted)?.[0];
}
