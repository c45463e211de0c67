/**
 * pg_restore -v: entries of the archive's table of contents that are done, of all (`pg_restore -l` with the job's own
 * selection).
 *
 * With one connection pg_restore prints only the beginning of an entry (`creating TABLE …`, `processing data for table
 * …`), so the last one printed is not done yet. With -j it prints the number of an entry: `processing item` before the
 * parallel part, `finished item` in it. Messages are English with LANG=C or C.UTF-8.
 */
import { createInterface } from 'node:readline';
import { defined } from '../../core/lib/defined.ts';
import type { JobDefinition } from '../../core/model/job.ts';
import { toolFor } from '../../core/model/progress-parser.ts';
import { startHelper } from '../process/helper.ts';
import type { Launch } from '../process/launch-spec.ts';
import { percentOf } from '../lib/progress.ts';
import type { ReadRecord } from '../lib/progress.ts';

/** Settings of the session, which -j counts as items and -l does not list. */
const UNLISTED = /^(?:ENCODING|STDSTRINGS|SEARCHPATH|DATABASE|DATABASE PROPERTIES)\b/;

/** Program name, blank and message are written one after the other, and the processes of -j write into each other's lines. */
const NUMBERED = /^(?:pg_restore:| )*(processing|launching|finished|skipping) item (\d+) (.*)$/;
const ENTRY =
  /^pg_restore: (?:(?:creating|executing) [A-Z].*|processing (?:BLOBS|BLOB COMMENTS|data for table .*))$/;

/** If listing the table of contents takes longer, the progress has no percent. */
const LIST_MS_MAX = 120_000;

/** `total` may become known later; without it only the detail is reported. */
export function createPgRestoreParser(total: () => number | undefined): ReadRecord {
  const done = new Set<string>();
  let begun = 0;
  const read: ReadRecord = (record) => {
    const [, verb, item, message = ''] = NUMBERED.exec(record) ?? [];
    if (item !== undefined) {
      if (UNLISTED.test(message)) return undefined;
      if (verb !== 'launching') done.add(item);
      return progressOf(done.size, total(), `${verb === 'finished' ? 'finished ' : ''}${message}`);
    }
    if (done.size > 0 || !ENTRY.test(record)) return undefined;
    begun += 1;
    return progressOf(begun - 1, total(), record.slice('pg_restore: '.length));
  };
  // Only the end of the command shows that the last entry is done.
  const ended = (): ReturnType<ReadRecord> => {
    const entries = done.size > 0 ? done.size : begun;
    return entries === 0 ? undefined : progressOf(entries, total(), 'all restored');
  };
  return Object.assign(read, { ended });
}

function progressOf(
  done: number,
  total: number | undefined,
  message: string,
): { percent?: number; detail: string } {
  const percent = total === undefined ? undefined : percentOf(done, total);
  const of = total === undefined ? '' : ` of ${total}`;
  return defined({ percent, detail: `${done}${of} entries, ${message}` });
}

/** Options that select entries, and that -l obeys, too. */
const SELECTING =
  /^(?:-[nNtTIPL]|--(?:schema|exclude-schema|table|trigger|index|function|section|use-list))$/;
const SELECTING_FLAG =
  /^(?:-[asx]|--(?:data-only|schema-only|no-acl|no-privileges|no-comments|no-publications|no-subscriptions|no-security-labels|no-policies|strict-names))$/;

/** Options whose value is the next argument. */
const VALUED = new Set(
  '-d -f -F -h -I -j -L -n -N -p -P -S -t -T -U --dbname --file --format --host --index --jobs --use-list --schema --exclude-schema --port --function --superuser --table --trigger --username --role --section'.split(
    ' ',
  ),
);

/** The archive that the job restores: named by the definition, or the last argument of its pg_restore. */
export function archiveOf(definition: JobDefinition): string | undefined {
  const { progress, command } = definition;
  if (progress.parser === 'pg_restore' && progress.archive !== undefined) return progress.archive;
  const args = toolFor('pg_restore', command)?.args ?? [];
  const last = args.at(-1);
  const isArchive = last !== undefined && !last.startsWith('-') && !VALUED.has(args.at(-2) ?? '');
  return isArchive ? last : undefined;
}

/** The options of the job's pg_restore that select entries. */
function selectionOf(args: readonly string[]): string[] {
  return args.flatMap((arg, index) => {
    if (VALUED.has(args[index - 1] ?? '')) return [];
    const name = arg.startsWith('--') ? arg.replace(/=.*/s, '') : arg.slice(0, 2);
    if (SELECTING.test(name)) {
      return arg === name ? [arg, args[index + 1] ?? ''] : [arg];
    }
    if (arg.startsWith('--')) return SELECTING_FLAG.test(arg) ? [arg] : [];
    // A group such as -av; none of its letters takes a value.
    return /^-[acCeOsvwWxX1]+$/.test(arg)
      ? (arg.match(/[asx]/g) ?? []).map((letter) => `-${letter}`)
      : [];
  });
}

/** Counts the entries of an archive as the job itself sees them. Undefined: they cannot be listed. */
export async function countEntries(
  definition: JobDefinition,
  launch: Launch,
  closing: AbortSignal,
): Promise<number | undefined> {
  const archive = archiveOf(definition);
  if (archive === undefined) return undefined;
  const tool = toolFor('pg_restore', definition.command);
  const selection = selectionOf(tool?.args ?? []);
  const list = [tool?.program ?? 'pg_restore', '-l', ...selection, '--', archive];
  const limit = AbortSignal.any([closing, AbortSignal.timeout(LIST_MS_MAX)]);
  const child = startHelper(launch, list, limit);
  child.stderr.resume();
  const ended = new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null)).once('close', resolve);
  });
  let entries = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    if (/^\d+; /.test(line)) entries += 1;
  }
  return (await ended) === 0 ? entries : undefined;
}
