/**
 * Checks the status files of tracked work every second, because inotify does not see changes that another host makes
 * over NFS. Each directory has a loop of its own (directory.ts), and another process does the reading
 * (status-file-reader.ts), so that a file system that does not answer delays no other directory.
 */
import { dirname } from 'node:path';
import type { Run } from '../../core/model/job.ts';
import { StatusFileReader } from './status-file-reader.ts';
import { DirectoryWatch } from './directory.ts';
import type { DirectoryWatchOptions } from './directory.ts';
import { PAUSE_SHARE } from './poll-loop.ts';
import type { Watch } from './watch.ts';

const CHECK_EVERY_MS = 1000;
/** CPU time that both processes together need to check a file that has not changed: measured 0.18 ms. */
const CHECK_COST_MS = 0.2;

interface FileWatchOptions extends Omit<DirectoryWatchOptions, 'pauseMs' | 'check'> {
  readonly checkEveryMs?: number;
}

export class FileWatch implements Watch {
  readonly #options: DirectoryWatchOptions;
  readonly #reader = new StatusFileReader();
  readonly #directories = new Map<string, DirectoryWatch>();
  readonly #runs = new Set<string>();

  constructor({ checkEveryMs = CHECK_EVERY_MS, ...options }: FileWatchOptions) {
    this.#options = {
      ...options,
      pauseMs: () => Math.max(checkEveryMs, PAUSE_SHARE * CHECK_COST_MS * this.#runs.size),
      check: (path, version, reader) => this.#reader.read(path, version, reader),
    };
  }

  add(run: Run): void {
    const { tracked } = run.definition;
    if (tracked?.by !== 'status-file') return;
    const directory = dirname(tracked.path);
    let watch = this.#directories.get(directory);
    if (watch === undefined) {
      watch = new DirectoryWatch(directory, this.#options);
      this.#directories.set(directory, watch);
    }
    watch.add(run, tracked.path, tracked.reader);
    this.#runs.add(run.id);
  }

  remove(run: Run): void {
    const { tracked } = run.definition;
    if (tracked?.by !== 'status-file') return;
    const directory = dirname(tracked.path);
    const watch = this.#directories.get(directory);
    watch?.remove(run);
    this.#runs.delete(run.id);
    if (watch === undefined || watch.size > 0) return;
    this.#directories.delete(directory);
    if (this.#directories.size === 0) this.#reader.close();
    watch.close().catch(() => {
      // close() never rejects.
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#directories.values()].map((watch) => watch.close()));
    this.#reader.close();
  }
}
