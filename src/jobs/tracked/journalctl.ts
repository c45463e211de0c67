/**
 * Asks the journal for what systemd itself wrote of invocations of units, by `journalctl`. Read only. What the answer
 * means for a run is told in unit-last-word.ts.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { errorCode, errorText } from '../lib/error-code.ts';

/** Of systemd.journal-fields(7), and what systemd adds of its own. */
const FIELDS = [
  'INVOCATION_ID',
  'MESSAGE_ID',
  'MESSAGE',
  'UNIT_RESULT',
  'EXIT_CODE',
  'EXIT_STATUS',
] as const;

/** A record of the journal; a field that is no text is left out. */
export type JournalRecord = Readonly<Partial<Record<(typeof FIELDS)[number], string>>>;

export interface JournalAnswer {
  /** Oldest first, of all invocations asked for. */
  readonly records: readonly JournalRecord[];
  /** What journalctl had to say of its own, such as that it may not read; empty: nothing. */
  readonly complaint: string;
}

/** The journal of a busy host has gigabytes, and an index: an answer takes some 20 ms, from a cold disk seconds. */
const ANSWER_MS_MAX = 20_000;
/** systemd writes some six records of an invocation. */
const RECORDS_MAX = 5000;
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

/** Never rejects: who cannot be asked has nothing but a complaint. */
export async function readJournal(
  invocations: readonly string[],
  signal: AbortSignal,
): Promise<JournalAnswer> {
  const message = [
    '--no-pager',
    '--output=json',
    `--output-fields=${FIELDS.join(',')}`,
    `--lines=${RECORDS_MAX}`,
    // journald stamps the sender itself: any process may write such fields, none but systemd is number 1.
    '_PID=1',
    ...invocations.map((invocation) => `INVOCATION_ID=${invocation}`),
  ];
  const options = {
    timeout: ANSWER_MS_MAX,
    killSignal: 'SIGKILL',
    maxBuffer: ANSWER_BYTES_MAX,
    env: { ...process.env, LC_ALL: 'C' },
    signal,
  } as const;
  try {
    const { stdout, stderr } = await promisify(execFile)('journalctl', message, options);
    return { records: parse(stdout), complaint: firstLine(stderr) };
  } catch (error) {
    return { records: [], complaint: refusal(error) };
  }
}

function refusal(error: unknown): string {
  if (errorCode(error) === 'ENOENT') return 'there is no journalctl on this host';
  const { stderr, killed } = error as { stderr?: string; killed?: boolean };
  if (killed === true) return `journalctl gave no answer in ${ANSWER_MS_MAX / 1000} s`;
  const said = firstLine(stderr ?? '');
  return said === '' ? `journalctl failed: ${errorText(error)}` : said;
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? '';
}

/** A JSON object a line; between them journalctl may say that there is nothing. */
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
