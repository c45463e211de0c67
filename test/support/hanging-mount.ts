/**
 * A file system that does not answer (hanging-mount.pl): a process that reads it sleeps in the kernel and survives SIGKILL
 * until the file system is released, at the latest when the test's process ends.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { until } from './until.ts';

const HANGING = join(import.meta.dirname, 'hanging-mount.pl');
/** Another one, which answers some requests: it keeps the memory of a process locked. */
export const LOCKING = join(import.meta.dirname, 'locking-mount.pl');

/** The reason why this host cannot have one; empty if it can. */
export const whyNoHangingMount = lack();

function lack(): string {
  if (process.getuid?.() !== 0) return 'needs root';
  if (spawnSync('perl', ['-e', '']).status !== 0) return 'perl is missing';
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK);
    return '';
  } catch {
    return 'no /dev/fuse';
  }
}

export class HangingMount {
  readonly #release: () => Promise<void>;
  readonly #printed: () => string;

  private constructor(release: () => Promise<void>, printed: () => string) {
    this.#release = release;
    this.#printed = printed;
  }

  static async at(directory: string, script = HANGING): Promise<HangingMount> {
    const holder = spawn('perl', [script, directory]);
    let printed = '';
    holder.stdout.on('data', (bytes: Buffer) => (printed += bytes.toString()));
    const complaint = text(holder.stderr);
    const ended = once(holder, 'exit');
    const isUp = await Promise.race([
      once(holder.stdout, 'data').then(() => true),
      ended.then(() => false),
    ]);
    if (!isUp) throw new Error(`nothing is mounted: ${await complaint}`);
    return new HangingMount(
      async () => {
        holder.stdin.end();
        await ended;
      },
      () => printed,
    );
  }

  /** Waits until the file system has printed this. */
  async says(word: string): Promise<void> {
    await until(`the file system says ${word}`, () => this.#printed().includes(word));
  }

  /** Releases it: waiting processes get an error, and killed ones end. */
  async release(): Promise<void> {
    await this.#release();
  }
}
