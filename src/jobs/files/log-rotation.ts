/**
 * Keeps the output of a run within its bounds without touching the job, which goes on appending to the file that it
 * was given: no pipe that could fill, no writer that could die. What is beyond the limit is copied into an archive, and
 * then taken off the front of the live file:
 *
 * - with fallocate(2), FALLOC_FL_COLLAPSE_RANGE, where the file system has it (ext4, xfs, f2fs): in one step, and what
 *   the job writes meanwhile stands after it. No byte is lost.
 * - elsewhere by truncating it right after the last byte was read: what is written in these microseconds is lost.
 *
 * Of a flood only the newest bytes are copied: the rest is taken off unread.
 */
import { execFile } from 'node:child_process';
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { LogPolicy } from '../../core/model/job.ts';
import { archivePath, listLogFiles, partBegin, partPath } from './log-files.ts';

/** fallocate takes whole blocks; no file system in use has larger ones. As much stays for who reads the last lines. */
const BLOCK_BYTES = 64 * 1024;
const COPY_BYTES = 256 * 1024;

/** Up to so many limits all is kept; more than that since the last look is a flood. */
const FLOOD_LIMITS = 2;

/** A parser that counts is waited for, but not while the file grows to more than so many limits. */
const WAIT_LIMITS_MAX = 4;

/**
 * Looks whether the file has grown beyond its limit. Resolves to how many bytes were taken off its front.
 * `readTo`: up to there a parser that needs every record has read. Throws where the disk refuses; what was kept is kept.
 */
export async function rotateLog(
  path: string,
  { sizeBytes, files }: LogPolicy,
  readTo = Infinity,
): Promise<number> {
  const { size } = await stat(path);
  if (size <= Math.max(sizeBytes, 2 * BLOCK_BYTES)) return 0;
  const until = size > WAIT_LIMITS_MAX * sizeBytes ? size : Math.min(size, readTo);
  const cut = Math.floor((until - BLOCK_BYTES) / BLOCK_BYTES) * BLOCK_BYTES;
  if (cut <= 0) return 0;
  await settlePart(path);
  const { liveBegin, archives } = await listLogFiles(path);
  const from = cut > FLOOD_LIMITS * sizeBytes ? cut - sizeBytes : 0;
  const part = partPath(path, liveBegin + from);
  await copy(path, part, from, cut);
  const taken = (await collapse(path, cut)) ? cut : moveRest(path, part, cut);
  await rename(part, archivePath(path, liveBegin + taken));
  // The live file is one of them.
  for (const old of archives.slice(0, Math.max(0, archives.length + 2 - files))) await rm(old.path);
  return taken;
}

/**
 * An agent died while it moved bytes. Do they still stand in the live file? Then the copy goes; else it is the
 * archive that it was about to become.
 */
async function settlePart(path: string): Promise<void> {
  const { part, liveBegin } = await listLogFiles(path);
  if (part === undefined) return;
  const begin = partBegin(part);
  const [copied, live] = await Promise.all([head(part, 0), head(path, begin - liveBegin)]);
  const { size } = await stat(part);
  if (copied.length === 0 || live.subarray(0, copied.length).equals(copied)) await rm(part);
  else await rename(part, archivePath(path, begin + size));
}

async function head(path: string, position: number): Promise<Buffer> {
  const file = await open(path, 'r');
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

async function copy(path: string, part: string, from: number, to: number): Promise<void> {
  const [source, target] = [await open(path, 'r'), await open(part, 'w', 0o640)];
  try {
    const buffer = Buffer.allocUnsafe(COPY_BYTES);
    for (let at = from; at < to;) {
      const { bytesRead } = await source.read(buffer, 0, Math.min(COPY_BYTES, to - at), at);
      if (bytesRead === 0) throw new Error(`${path} was cut while it was copied`);
      await target.write(buffer, 0, bytesRead);
      at += bytesRead;
    }
  } finally {
    await Promise.allSettled([source.close(), target.close()]);
  }
}

/** False: this file system cannot, or the program is missing (util-linux has it). */
async function collapse(path: string, length: number): Promise<boolean> {
  try {
    const message = ['--collapse-range', '--offset', '0', '--length', String(length), path];
    await promisify(execFile)('fallocate', message);
    return true;
  } catch {
    return false;
  }
}

/** In one go, without a turn of the loop in between: how long it takes is what may be lost. */
function moveRest(path: string, part: string, from: number): number {
  const source = openSync(path, 'r+');
  const target = openSync(part, constants.O_WRONLY | constants.O_APPEND);
  try {
    const buffer = Buffer.allocUnsafe(COPY_BYTES);
    let at = from;
    for (const { size } = fstatSync(source); at < size;) {
      at += writeSync(target, buffer, 0, readSync(source, buffer, 0, COPY_BYTES, at));
    }
    for (;;) {
      const bytesRead = readSync(source, buffer, 0, COPY_BYTES, at);
      if (bytesRead === 0) break;
      at += writeSync(target, buffer, 0, bytesRead);
    }
    ftruncateSync(source, 0);
    return at;
  } finally {
    closeSync(source);
    closeSync(target);
  }
}
