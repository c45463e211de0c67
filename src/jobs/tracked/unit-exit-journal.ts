/**
 * Finds in systemd's journal records how an invocation ended that systemd itself no longer remembers. Nothing is
 * concluded from a record that is missing.
 */
import type { JournalRecord } from './journalctl.ts';
import { CLD, endWith } from './unit-state.ts';
import type { UnitEnd } from './unit-state.ts';

/** From sd-messages.h, the same in every version since 239. */
const UNIT_SUCCESS = '7ad2d189f7e94e70a38c781354912448';
const UNIT_FAILURE = 'd9b373ed55a64feb8242e02dbe79a49c';
const PROCESS_EXIT = '98e322203f7a4ed290d09fe03c09fe15';
const UNIT_STOPPING = 'de5b426a63be47a7b6ac3eaac82e2f6f';

/** Undefined: the journal does not show how it ended. `records`: those of this invocation only. */
export function unitExitFromJournal(
  unit: string,
  invocation: string,
  records: readonly JournalRecord[],
): UnitEnd | undefined {
  const failure = records.findLast(({ MESSAGE_ID }) => MESSAGE_ID === UNIT_FAILURE);
  if (failure !== undefined) {
    const exit = records.findLast(isMainExit);
    return endWith(unit, invocation, {
      result: failure.UNIT_RESULT ?? 'failed',
      how: CLD[exit?.EXIT_CODE as keyof typeof CLD],
      status: Number(exit?.EXIT_STATUS),
    });
  }
  if (!records.some(({ MESSAGE_ID }) => MESSAGE_ID === UNIT_SUCCESS)) return undefined;
  // A scope has no exit code, and a mount or a socket does no work: they "succeed" when they are gone.
  if (!unit.endsWith('.service')) return undefined;
  if (records.some(isAskedToStop)) {
    const reason = `${unit} was asked to stop, and systemd no longer knows how its process ended`;
    return { kind: 'lost', reason };
  }
  return { kind: 'completed', invocation, message: "succeeded, by systemd's journal" };
}

/** Control processes (ExecStartPre=, ExecStopPost= …) leave records with the same MESSAGE_ID. */
function isMainExit({ MESSAGE_ID, MESSAGE = '' }: JournalRecord): boolean {
  return MESSAGE_ID === PROCESS_EXIT && MESSAGE.includes('Main process exited');
}

/**
 * For systemd a daemon that ends by SIGTERM has succeeded, but the work of a job is not done then. `systemctl stop` and
 * a shutdown leave a record with a MESSAGE_ID, `systemctl kill` only a message.
 */
function isAskedToStop({ MESSAGE_ID, MESSAGE = '' }: JournalRecord): boolean {
  return (
    MESSAGE_ID === UNIT_STOPPING ||
    (MESSAGE_ID === undefined && /: Sent signal \S+ to .* on client request/.test(MESSAGE))
  );
}
