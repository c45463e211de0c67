/**
 * Keeps the output of a run within its bounds without touching the job, which goes on appending to the file that it
 * was given: no pipe that could fill, no writer that could die. What is beyond the limit is copied into an archive and then
 * cut off the front of the live file:
 *
 * - with fallocate(2), FALLOC_FL_COLLAPSE_RANGE, if the file system has it (ext4, xfs, f2fs): in one step, and what
 *   the job writes meanwhile follows it. No byte is lost.
 * - elsewhere by truncating it right after the last byte was read: what is written in these microseconds is lost.
 *
 * Of a flood only the newest bytes are copied: the rest is cut off unread.
 *
 * A file is opened once and then used by its descriptor: what is copied is what is cut.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants, fstatSync, ftruncateSync, readSync, writeSync } from 'node:fs';
import { lstat, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { LogPolicy } from '../../core/model/job.ts';
import { openOwn } from '../lib/own-file.ts';
import { archivePath, listLogFiles, partBegin, partPath } from './log-files.ts';

/** fallocate takes whole blocks; no file system in use has larger ones. As much stays, so that the last lines can be read. */
const BLOCK_BYTES = 64 * 1024;
const COPY_BYTES = 256 * 1024;

/** Up to this many limits all is kept; more than that since the last look is a flood. */
const FLOOD_LIMITS = 2;

/** A parser that counts is waited for, but not while the file grows to more than this many limits. */
const WAIT_LIMITS_MAX = 4;

/** Whether `rotateLog` may have something to do. */
export function isOverLimit(size: number, { sizeBytes }: LogPolicy): boolean {
  return size > Math.max(sizeBytes, 2 * BLOCK_BYTES);
}

/**
 * Looks whether the file has grown beyond its limit. Resolves to how many bytes were cut off its front.
 * `readTo`: up to there a parser that needs every record has read. Throws if the disk refuses; what was kept is kept.
 */
export async function rotateLog(
  path: string,
  policy: LogPolicy,
  readTo = Infinity,
): Promise<number> {
  const { sizeBytes, files } = policy;
  const { size } = await lstat(path);
  if (!isOverLimit(size, policy)) return 0;
  const until = size > WAIT_LIMITS_MAX * sizeBytes ? size : Math.min(size, readTo);
  const cut = Math.floor((until - BLOCK_BYTES) / BLOCK_BYTES) * BLOCK_BYTES;
  if (cut <= 0) return 0;
  await settlePart(path);
  const { liveBegin, archives } = await listLogFiles(path);
  const from = cut > FLOOD_LIMITS * sizeBytes ? cut - sizeBytes : 0;
  const part = partPath(path, liveBegin + from);
  const taken = await move(path, part, from, cut);
  await rename(part, archivePath(path, liveBegin + taken));
  // The live file is one of them.
  for (const old of archives.slice(0, Math.max(0, archives.length + 2 - files))) await rm(old.path);
  return taken;
}

/** Copies what is to be kept into a new file, and cuts it and what lies before off the live one. */
async function move(path: string, part: string, from: number, to: number): Promise<number> {
  const live = await openOwn(path, constants.O_RDWR);
  try {
    const target = await openOwn(part, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL);
    try {
      await copy(live, target, from, to);
      return (await collapse(live, to)) ? to : moveRest(live, target, to);
    } finally {
      await target.close();
    }
  } finally {
    await live.close();
  }
}

/**
 * An agent died while it moved bytes. If they are still in the live file, the copy is deleted; else it is the archive that
 * it was about to become.
 */
async function settlePart(path: string): Promise<void> {
  const { part, liveBegin } = await listLogFiles(path);
  if (part === undefined) return;
  const begin = partBegin(part);
  const [copied, live] = await Promise.all([head(part, 0), head(path, begin - liveBegin)]);
  const { size } = await lstat(part);
  if (copied.length === 0 || live.subarray(0, copied.length).equals(copied)) await rm(part);
  else await rename(part, archivePath(path, begin + size));
}

async function head(path: string, position: number): Promise<Buffer> {
  const file = await openOwn(path);
  try {
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(BLOCK_BYTES),
      0,
      BLOCK_BYTES,
      position,
    );
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function copy(live: FileHandle, target: FileHandle, from: number, to: number): Promise<void> {
  const buffer = Buffer.allocUnsafe(COPY_BYTES);
  for (let at = from; at < to;) {
    const { bytesRead } = await live.read(buffer, 0, Math.min(COPY_BYTES, to - at), at);
    if (bytesRead === 0) throw new Error('a log was cut while it was copied');
    await target.write(buffer, 0, bytesRead);
    at += bytesRead;
  }
}

/** False: this file system cannot, or the program is missing (util-linux has it). */
async function collapse(live: FileHandle, length: number): Promise<boolean> {
  const range = ['--collapse-range', '--offset', '0', '--length', String(length)];
  const child = spawn('fallocate', [...range, '/proc/self/fd/3'], {
    stdio: ['ignore', 'ignore', 'ignore', live.fd],
  });
  try {
    const [code] = (await once(child, 'exit')) as [number | null];
    return code === 0;
  } catch {
    return false;
  }
}

/** In one go, without a turn of the loop in between: how long it takes is what may be lost. */
function moveRest(live: FileHandle, target: FileHandle, from: number): number {
  const buffer = Buffer.allocUnsafe(COPY_BYTES);
  let at = from;
  for (const { size } = fstatSync(live.fd); at < size;) {
    at += writeSync(target.fd, buffer, 0, readSync(live.fd, buffer, 0, COPY_BYTES, at));
  }
  for (;;) {
    const bytesRead = readSync(live.fd, buffer, 0, COPY_BYTES, at);
    if (bytesRead === 0) break;
    at += writeSync(target.fd, buffer, 0, bytesRead);
  }
  ftruncateSync(live.fd, 0);
  return at;
}
