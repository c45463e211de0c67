/**
 * Status files that somebody else writes, looked at every second, since no notice of the kernel reaches over NFS. Each
 * directory is watched by itself (tracked-directory.ts), and the looking is done by a process of its own
 * (status-questions.ts): a file system that gives no answer delays nobody else.
 */
import { dirname } from 'node:path';
import type { Run } from '../../core/model/job.ts';
import { StatusQuestions } from './status-file-reader.ts';
import { DirectoryWatch } from './directory.ts';
import type { DirectoryWatchOptions } from './directory.ts';
import { PAUSE_SHARE } from './poll-loop.ts';
import type { Watch } from './tracked-work.ts';

const LOOK_EVERY_MS = 1000;
/** Of processor, in both processes, for a look at a file that has not changed: asked, looked and answered (0.18). */
const LOOK_COST_MS = 0.2;

interface FileWatchOptions extends Omit<DirectoryWatchOptions, 'pauseMs' | 'lookAt'> {
  readonly lookEveryMs?: number;
}

export class FileWatch implements Watch {
  readonly #options: DirectoryWatchOptions;
  readonly #questions = new StatusQuestions();
  readonly #directories = new Map<string, DirectoryWatch>();
  readonly #runs = new Set<string>();

  constructor({ lookEveryMs = LOOK_EVERY_MS, ...options }: FileWatchOptions) {
    this.#options = {
      ...options,
      pauseMs: () => Math.max(lookEveryMs, PAUSE_SHARE * LOOK_COST_MS * this.#runs.size),
      lookAt: (path, version) => this.#questions.ask(path, version),
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
    watch.add(run, tracked.path);
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
    if (this.#directories.size === 0) this.#questions.close();
    watch.close().catch(() => {
      // A watch that ends never rejects.
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#directories.values()].map((watch) => watch.close()));
    this.#questions.close();
  }
}
