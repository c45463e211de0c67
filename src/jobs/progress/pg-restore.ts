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
import { toolFor } from '../../core/command-line/progress-parser.ts';
import { startHelper } from '../process/helper.ts';
import type { Launch } from '../process/launch-spec.ts';
import { percentOf } from '../lib/progress.ts';
import type { ReadRecord } from '../lib/progress.ts';
import { pgRestoreArguments } from './pg-restore-options.ts';

/** Program name, blank and message are written one after the other, and the processes of -j write into each other's lines. */
const NUMBERED = /^(?:pg_restore:| )*(processing|processing missed|finished) item (\d+) (.*)$/;
const ENTRY =
  /^pg_restore: (?:(?:creating|executing) [A-Z].*|processing (?:BLOBS|BLOB COMMENTS|data for table .*))$/;

/** The numbers of the serial part have all been printed. */
const PARALLEL = /^pg_restore: entering main parallel loop$/;

/** If listing the table of contents takes longer, the progress has no percent. */
const LIST_MS_MAX = 120_000;

/** More than an archive has. Without the list anything that looks like an entry would be kept. */
const ENTRIES_MAX = 1_000_000;

/** `listed`: the numbers of the selected entries, which may become known later. Without them only the detail is reported. */
export function createPgRestoreParser(listed: () => ReadonlySet<string> | undefined): ReadRecord {
  const items = new DoneItems(listed);
  let begun = 0;
  const read: ReadRecord = (record) => {
    const [, verb, item, message = ''] = NUMBERED.exec(record) ?? [];
    if (item !== undefined) {
      if (!items.take(item, verb === 'finished')) return undefined;
      const done = verb === 'finished' ? 'finished ' : '';
      return progressOf(items.count, listed()?.size, `${done}${message}`);
    }
    if (PARALLEL.test(record)) items.endSerialPart();
    if (items.isUsed || !ENTRY.test(record)) return undefined;
    begun += 1;
    return progressOf(begun - 1, listed()?.size, record.slice('pg_restore: '.length));
  };
  // Only the end of the command shows that the last entry is done.
  const ended = (): ReturnType<ReadRecord> => {
    items.endSerialPart();
    const entries = items.isUsed ? items.count : begun;
    return entries === 0 ? undefined : progressOf(entries, listed()?.size, 'all restored');
  };
  return Object.assign(read, { ended });
}

/**
 * With -j pg_restore prints the number of every entry of the archive, of those that are not selected, too. `processing` is
 * printed before an entry is restored, so that one counts when the next one follows.
 */
class DoneItems {
  readonly #listed: () => ReadonlySet<string> | undefined;
  readonly #done = new Set<string>();
  #begun: string | undefined;
  #isChecked = false;

  constructor(listed: () => ReadonlySet<string> | undefined) {
    this.#listed = listed;
  }

  /** pg_restore prints numbers. */
  get isUsed(): boolean {
    return this.#begun !== undefined || this.#done.size > 0;
  }

  get count(): number {
    this.#keepListed();
    return this.#done.size;
  }

  /** False: the entry is not selected. */
  take(item: string, isDone: boolean): boolean {
    this.endSerialPart();
    if (isDone) this.#add(item);
    else this.#begun = item;
    return this.#listed()?.has(item) !== false;
  }

  endSerialPart(): void {
    if (this.#begun !== undefined) this.#add(this.#begun);
    this.#begun = undefined;
  }

  /** Once the list is known: entries that were done before may not be selected. */
  #keepListed(): void {
    const listed = this.#listed();
    if (listed === undefined || this.#isChecked) return;
    this.#isChecked = true;
    for (const done of this.#done) if (!listed.has(done)) this.#done.delete(done);
  }

  #add(item: string): void {
    if (this.#listed()?.has(item) !== false && this.#done.size < ENTRIES_MAX) this.#done.add(item);
  }
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

/** The archive that the job restores: named by the definition, or the operand of its pg_restore. */
export function archiveOf(definition: JobDefinition): string | undefined {
  const { progress, command } = definition;
  if (progress.parser === 'pg_restore' && progress.archive !== undefined) return progress.archive;
  return pgRestoreArguments(toolFor('pg_restore', command)?.args ?? []).operands[0];
}

/** The entries of an archive that the job itself restores, by their numbers. Undefined: they cannot be listed. */
export async function listEntries(
  definition: JobDefinition,
  launch: Launch,
  closing: AbortSignal,
): Promise<ReadonlySet<string> | undefined> {
  const archive = archiveOf(definition);
  if (archive === undefined) return undefined;
  const tool = toolFor('pg_restore', definition.command);
  const { selection } = pgRestoreArguments(tool?.args ?? []);
  const list = [tool?.program ?? 'pg_restore', '-l', ...selection, '--', archive];
  const limit = AbortSignal.any([closing, AbortSignal.timeout(LIST_MS_MAX)]);
  const child = startHelper(launch, list, limit);
  child.stderr.resume();
  const ended = new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null)).once('close', resolve);
  });
  const entries = new Set<string>();
  for await (const line of createInterface({ input: child.stdout })) {
    const [, number] = /^(\d+); /.exec(line) ?? [];
    if (number !== undefined && entries.size < ENTRIES_MAX) entries.add(number);
  }
  return (await ended) === 0 ? entries : undefined;
}
