/**
 * Reads what systemd itself wrote to the journal about invocations of units, with `journalctl`. What the records mean
 * for a run is decided in unit-exit-journal.ts.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { errorCode, errorText } from '../lib/error-code.ts';

/** From systemd.journal-fields(7), and the fields that systemd adds to its own records. */
const FIELDS = [
  'INVOCATION_ID',
  'MESSAGE_ID',
  'MESSAGE',
  'UNIT_RESULT',
  'EXIT_CODE',
  'EXIT_STATUS',
] as const;

/** A journal record. A field whose value is not text is left out. */
export type JournalRecord = Readonly<Partial<Record<(typeof FIELDS)[number], string>>>;

export interface JournalAnswer {
  /** The records of all the invocations, oldest first. */
  readonly records: readonly JournalRecord[];
  /** An error message of journalctl, such as missing permission. Empty: none. */
  readonly error: string;
}

/** An indexed journal of gigabytes answers in about 20 ms, from a cold disk in seconds. */
const ANSWER_MS_MAX = 20_000;
/** systemd writes about six records for an invocation. */
const RECORDS_MAX = 5000;
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

/** Never rejects: if the journal cannot be read, there are no records, and an error. */
export async function readJournal(
  invocations: readonly string[],
  signal: AbortSignal,
): Promise<JournalAnswer> {
  const options = [
    '--no-pager',
    '--output=json',
    `--output-fields=${FIELDS.join(',')}`,
    `--lines=${RECORDS_MAX}`,
    // Any process may write these fields. journald itself sets _PID, and only systemd is process 1.
    '_PID=1',
    ...invocations.map((invocation) => `INVOCATION_ID=${invocation}`),
  ];
  const limits = {
    timeout: ANSWER_MS_MAX,
    killSignal: 'SIGKILL',
    maxBuffer: ANSWER_BYTES_MAX,
    env: { ...process.env, LC_ALL: 'C' },
    signal,
  } as const;
  try {
    const { stdout, stderr } = await promisify(execFile)('journalctl', options, limits);
    return { records: parse(stdout), error: firstLine(stderr) };
  } catch (error) {
    return { records: [], error: failureText(error) };
  }
}

function failureText(error: unknown): string {
  if (errorCode(error) === 'ENOENT') return 'there is no journalctl on this host';
  const { stderr, killed } = error as { stderr?: string; killed?: boolean };
  if (killed === true) return `journalctl did not answer within ${ANSWER_MS_MAX / 1000} s`;
  const message = firstLine(stderr ?? '');
  return message === '' ? `journalctl failed: ${errorText(error)}` : message;
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? '';
}

/** One JSON object a line. Other lines, such as `-- No entries --`, are skipped. */
function parse(text: string): JournalRecord[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => {
      const record = JSON.parse(line) as Readonly<Record<string, unknown>>;
      return Object.fromEntries(
        FIELDS.flatMap((field) => {
          const value = record[field];
          return typeof value === 'string' ? [[field, value]] : [];
        }),
      );
    });
}
