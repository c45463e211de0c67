/**
 * pg_restore -v: entries of the archive's table of contents that are done, of all (`pg_restore -l`).
 *
 * One connection tells the beginning of an entry only (`creating TABLE …`, `processing data for table …`), so
 * the last one told is not done yet. With -j an entry is told by its number: `processing item` for what comes
 * before the parallel part, `finished item` in it. Messages are English with LANG=C or C.UTF-8.
 */
import { spawn } from 'node:child_process';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import type { JobDefinition } from '../../core/model/job.ts';
import { enterJob } from '../process/enter-job.ts';
import type { Launch } from '../process/launch-spec.ts';
import { percentOf } from '../lib/progress.ts';
import type { ReadRecord } from '../lib/progress.ts';

/** Settings of the session that -j counts as items and -l does not list. */
const UNLISTED = /^(?:ENCODING|STDSTRINGS|SEARCHPATH|DATABASE|DATABASE PROPERTIES)\b/;

/** Program name, blank and message are written one after the other, and the processes of -j write into each other's. */
const NUMBERED = /^(?:pg_restore:| )*(processing|launching|finished|skipping) item (\d+) (.*)$/;
const ENTRY =
  /^pg_restore: (?:(?:creating|executing) [A-Z].*|processing (?:BLOBS|BLOB COMMENTS|data for table .*))$/;

/** A table of contents that takes longer than this to list is told without a percent. */
const LIST_MS_MAX = 120_000;

/** `total` may become known later; without it only the detail is told. */
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
  // Nothing says that the last entry is done but the end itself.
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
  return {
    ...(percent === undefined ? {} : { percent }),
    detail: `${done}${of} entries, ${message}`,
  };
}

/** The archive that the job restores: named by the definition, or the last argument of its pg_restore. */
export function archiveOf(definition: JobDefinition): string | undefined {
  const { progress, command } = definition;
  if (progress.parser === 'pg_restore' && progress.archive !== undefined) return progress.archive;
  const last = command.at(-1);
  const isRestore = command.length > 1 && basename(command[0] ?? '') === 'pg_restore';
  return isRestore && last !== undefined && !last.startsWith('-') ? last : undefined;
}

/** Counts the entries of an archive as the job itself would see them. Absent: they cannot be listed. */
export async function countEntries(
  definition: JobDefinition,
  launch: Launch,
  closing: AbortSignal,
): Promise<number | undefined> {
  const archive = archiveOf(definition);
  if (archive === undefined) return undefined;
  const [program = ''] = definition.command;
  const list = [basename(program) === 'pg_restore' ? program : 'pg_restore', '-l', '--', archive];
  const { argv, env } = enterJob(launch, list);
  const [enter = '', ...args] = argv;
  const child = spawn(enter, args, {
    cwd: '/',
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
    signal: AbortSignal.any([closing, AbortSignal.timeout(LIST_MS_MAX)]),
    killSignal: 'SIGKILL',
  });
  const ended = new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null)).once('close', resolve);
  });
  let entries = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    if (/^\d+; /.test(line)) entries += 1;
  }
  return (await ended) === 0 ? entries : undefined;
}
