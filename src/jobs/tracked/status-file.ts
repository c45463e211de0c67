/**
 * A status file: `{"percent": 40, "detail": "table 3 of 7", "status": "running"}`, written by whoever runs the work.
 *
 * - `percent`: a number from 0 to 100. `detail`: text. `status`: `running`, `completed` or `failed`. Each may be
 *   missing or null; other members are passed over.
 * - Written whole and renamed into its place, so that nobody reads half of it.
 *
 * Only a regular file of at most 64 KiB is read: no link is followed, and no pipe or device is waited for.
 */
import { lstat } from 'node:fs/promises';
import type { FinalStatus } from '../../core/model/tracked.ts';
import { errorCode, errorText } from '../lib/error-code.ts';
import { openUnfollowed } from '../lib/open-unfollowed.ts';

const FILE_BYTES_MAX = 64 * 1024;

export interface StatusFields {
  readonly percent?: number;
  readonly detail?: string;
  readonly status?: FinalStatus;
}

export type StatusLook =
  | { readonly kind: 'missing' }
  | { readonly kind: 'unchanged' }
  /** It is there, and says nothing that can be used. */
  | { readonly kind: 'bad'; readonly problem: string; readonly version: string }
  | { readonly kind: 'read'; readonly fields: StatusFields; readonly version: string };

/** Looks once. `version`: that of the last look, which needs no reading again. */
export async function lookAtStatusFile(
  path: string,
  version: string | undefined,
): Promise<StatusLook> {
  try {
    const entry = await lstat(path, { bigint: true });
    // A rename gives another inode, a rewrite another time; the size sees what a coarse clock hides.
    const present = [entry.dev, entry.ino, entry.size, entry.mtimeNs, entry.ctimeNs].join(' ');
    if (present === version) return { kind: 'unchanged' };
    const bad = (problem: string): StatusLook => ({ kind: 'bad', problem, version: present });
    if (entry.isSymbolicLink()) return bad('is a symbolic link, which is not followed');
    if (!entry.isFile()) return bad('is no regular file');
    if (entry.size > FILE_BYTES_MAX) {
      return bad(`has ${entry.size} bytes; ${FILE_BYTES_MAX} at most`);
    }
    const text = await readBounded(path);
    if (text === undefined) return bad('is no regular file');
    const parsed = parseStatus(text);
    return typeof parsed === 'string'
      ? bad(parsed)
      : { kind: 'read', fields: parsed, version: present };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return { kind: 'missing' };
    return { kind: 'bad', problem: `cannot be read: ${errorText(error)}`, version: '' };
  }
}

/** What a status file says, or what is wrong with it. */
export function parseStatus(text: string): StatusFields | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return text.trim() === '' ? 'is empty' : `is no JSON: ${errorText(error)}`;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return 'holds no JSON object such as {"percent": 40, "detail": "…"}';
  }
  const { percent, detail, status } = value as Readonly<Record<string, unknown>>;
  if (isGiven(percent) && !isPercent(percent)) {
    return `percent: expected a number from 0 to 100, found ${shown(percent)}`;
  }
  if (isGiven(detail) && typeof detail !== 'string') {
    return `detail: expected text, found ${shown(detail)}`;
  }
  if (isGiven(status) && !isStatus(status)) {
    return `status: expected running, completed or failed, found ${shown(status)}`;
  }
  return {
    ...(isPercent(percent) ? { percent } : {}),
    ...(typeof detail === 'string' ? { detail } : {}),
    ...(status === 'completed' || status === 'failed' ? { status } : {}),
  };
}

/** The path was looked at before: what took its place since is found out here, without waiting for anybody. */
async function readBounded(path: string): Promise<string | undefined> {
  const file = await openUnfollowed(path);
  try {
    if (!(await file.stat()).isFile()) return undefined;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(FILE_BYTES_MAX), 0);
    return buffer.toString('utf8', 0, bytesRead).replace(/^\ufeff/, '');
  } finally {
    await file.close();
  }
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function isPercent(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 100;
}

function isStatus(value: unknown): boolean {
  return value === 'running' || value === 'completed' || value === 'failed';
}

function shown(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}
