/**
 * The format of a status file: `{"percent": 40, "detail": "table 3 of 7", "status": "running"}`, written by whoever runs the work.
 *
 * - `percent`: a number from 0 to 100. `detail`: text. `status`: `running`, `completed` or `failed`. Each may be
 *   missing or null; other members are ignored.
 * - The writer renames a complete file into place, so that nobody reads half of it.
 *
 * The agent reads only a regular file of at most 64 KiB. It follows no link and waits for no pipe or device.
 */
import { lstat, readlink } from 'node:fs/promises';
import { defined } from '../../core/lib/defined.ts';
import type { ReaderIdentity } from '../../core/model/job.ts';
import type { FinalStatus } from '../../core/model/tracked.ts';
import { errorCode, errorText } from '../lib/error-code.ts';
import { openUnfollowed } from '../lib/open-unfollowed.ts';
import { mayReach, mayRead } from './reader-rights.ts';

const FILE_BYTES_MAX = 64 * 1024;

const FORBIDDEN = Symbol('forbidden');

const STATUSES = ['running', 'completed', 'failed'] as const;

export interface StatusFields {
  readonly percent?: number;
  readonly detail?: string;
  readonly status?: FinalStatus;
}

export type StatusRead =
  | { readonly kind: 'missing' }
  | { readonly kind: 'unchanged' }
  /** It is there, but cannot be used. */
  | { readonly kind: 'bad'; readonly problem: string; readonly version: string }
  | { readonly kind: 'read'; readonly fields: StatusFields; readonly version: string };

/** To a caller who may not read a file, the answer is the same whatever the file is. */
const UNREADABLE: StatusRead = {
  kind: 'bad',
  problem: 'may not be read by the user who asked for tracking',
  version: '',
};

/**
 * Never rejects. `version`: that of the last read; a file of the same version is not read again. `reader`: whose rights
 * must allow the reading.
 */
export async function readStatusFile(
  path: string,
  version: string | undefined,
  reader?: ReaderIdentity,
): Promise<StatusRead> {
  try {
    if (reader !== undefined && !(await mayReach(reader, path))) return UNREADABLE;
    const entry = await lstat(path, { bigint: true });
    // A rename changes the inode, and a rewrite the time, or at least the size if the clock is coarse.
    const present = [entry.dev, entry.ino, entry.size, entry.mtimeNs, entry.ctimeNs].join(' ');
    if (reader !== undefined && !entry.isSymbolicLink() && !mayRead(reader, entry))
      return UNREADABLE;
    if (present === version) return { kind: 'unchanged' };
    const bad = (problem: string): StatusRead => ({ kind: 'bad', problem, version: present });
    if (entry.isSymbolicLink()) return bad('is a symbolic link, which is not followed');
    if (!entry.isFile()) return bad('is not a regular file');
    if (entry.size > FILE_BYTES_MAX) {
      return bad(`has ${entry.size} bytes; ${FILE_BYTES_MAX} at most`);
    }
    const text = await readBounded(path, reader);
    if (text === FORBIDDEN) return UNREADABLE;
    if (text === undefined) return bad('is not a regular file');
    const parsed = parseStatus(text);
    return typeof parsed === 'string'
      ? bad(parsed)
      : { kind: 'read', fields: parsed, version: present };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return { kind: 'missing' };
    return { kind: 'bad', problem: `cannot be read: ${errorText(error)}`, version: '' };
  }
}

/** The fields of a status file, or what is wrong with it. */
export function parseStatus(text: string): StatusFields | string {
  const value = parseObject(text);
  if (typeof value === 'string') return value;
  const { percent, detail, status } = value;
  const problem = percentProblem(percent) ?? detailProblem(detail) ?? statusProblem(status);
  if (problem !== undefined) return problem;
  return defined({
    percent: typeof percent === 'number' ? percent : undefined,
    detail: typeof detail === 'string' ? detail : undefined,
    status: status === 'completed' || status === 'failed' ? status : undefined,
  });
}

/** The message quotes nothing of the file: it may be any file that the agent can read, and `status` shows the message. */
function parseObject(text: string): Readonly<Record<string, unknown>> | string {
  if (text.trim() === '') return 'is empty';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'is not JSON';
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : 'is not a JSON object such as {"percent": 40, "detail": "…"}';
}

function percentProblem(percent: unknown): string | undefined {
  if (!isGiven(percent)) return undefined;
  if (typeof percent !== 'number') {
    return `percent: expected a number from 0 to 100, found ${kindOf(percent)}`;
  }
  const isPercent = percent >= 0 && percent <= 100;
  return isPercent ? undefined : `percent: expected a number from 0 to 100, found ${percent}`;
}

function detailProblem(detail: unknown): string | undefined {
  const isText = !isGiven(detail) || typeof detail === 'string';
  return isText ? undefined : `detail: expected text, found ${kindOf(detail)}`;
}

function statusProblem(status: unknown): string | undefined {
  if (!isGiven(status) || STATUSES.some((known) => known === status)) return undefined;
  const isWord = typeof status === 'string' && /^[A-Za-z_-]{1,20}$/.test(status);
  const found = isWord ? `"${status}"` : kindOf(status);
  return `status: expected ${STATUSES.slice(0, -1).join(', ')} or ${STATUSES.at(-1)}, found ${found}`;
}

/** Another file may have taken the path since the check, so the type and the rights of what was opened count. */
async function readBounded(
  path: string,
  reader: ReaderIdentity | undefined,
): Promise<string | typeof FORBIDDEN | undefined> {
  const file = await openUnfollowed(path);
  try {
    const opened = await file.stat();
    if (reader !== undefined) {
      const realPath = await readlink(`/proc/self/fd/${file.fd}`);
      if (!mayRead(reader, opened) || !(await mayReach(reader, realPath))) return FORBIDDEN;
    }
    if (!opened.isFile()) return undefined;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(FILE_BYTES_MAX), 0);
    return buffer.toString('utf8', 0, bytesRead).replace(/^\ufeff/, '');
  } finally {
    await file.close();
  }
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return 'text';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
