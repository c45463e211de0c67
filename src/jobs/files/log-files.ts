/**
 * The files of one output stream of a run: the one that is being written (`stdout.log`), and what was moved out of it
 * (`stdout.log.000000020971520`), named by how many bytes of output lie before its end. So every byte that the run
 * wrote has one position, even after others were moved or deleted. log-rotation.ts moves them, run-log.ts reads them.
 */
import { lstat, readdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { defined } from '../../core/lib/defined.ts';
import { errorCode } from '../lib/error-code.ts';

const DIGITS = 15;

/** Being written: its bytes may still be in the live file as well. */
const PART = '.part';

export interface Segment {
  readonly path: string;
  /** Positions of its first byte and of the one after its last. */
  readonly begin: number;
  readonly end: number;
}

export interface LogFiles {
  /** Oldest first. If one begins after the end of the one before, what lay between was not kept. */
  readonly archives: readonly Segment[];
  /** The position of the first byte of the live file. */
  readonly liveBegin: number;
  /** Bytes are being moved right now (or were when an agent died): `liveBegin` is about to change. */
  readonly part?: string;
}

export async function listLogFiles(path: string): Promise<LogFiles> {
  const name = `${basename(path)}.`;
  const rests = (await namesIn(dirname(path)))
    .filter((entry) => entry.startsWith(name))
    .map((entry) => entry.slice(name.length));
  const ends = rests.filter((rest) => /^\d{15}$/.test(rest)).sort();
  const archives = await Promise.all(ends.map((end) => segment(archivePath(path, Number(end)))));
  const part = rests.find((rest) => rest.endsWith(PART));
  const found = archives.filter((archive) => archive !== undefined);
  return {
    archives: found,
    liveBegin: found.at(-1)?.end ?? 0,
    ...defined({ part: part === undefined ? undefined : `${path}.${part}` }),
  };
}

export function archivePath(path: string, end: number): string {
  return `${path}.${String(end).padStart(DIGITS, '0')}`;
}

/** Names where the part began, which shows whether its bytes are still in the live file. */
export function partPath(path: string, begin: number): string {
  return `${archivePath(path, begin)}${PART}`;
}

export function partBegin(part: string): number {
  return Number(part.slice(-DIGITS - PART.length, -PART.length));
}

async function segment(path: string): Promise<Segment | undefined> {
  try {
    const { size } = await lstat(path);
    const end = Number(path.slice(-DIGITS));
    return { path, begin: end - size, end };
  } catch (error) {
    // Too old, and deleted meanwhile.
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
