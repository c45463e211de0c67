/**
 * Checks the status files of one directory (status-file.ts), one after the other. A file that cannot be read leaves
 * the last good values in place and is reported as a problem.
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { defined } from '../../core/lib/defined.ts';
import type { ReaderIdentity, Run } from '../../core/model/job.ts';
import type { Post } from '../../ports.ts';
import { plainDetail } from '../lib/plain-text.ts';
import { DETAIL_CHARACTERS_MAX } from '../lib/progress.ts';
import type { StatusRead, StatusFields } from './status-file.ts';
import { PollLoop } from './poll-loop.ts';

interface Watched {
  readonly run: string;
  readonly path: string;
  readonly reader: ReaderIdentity | undefined;
  version?: string;
  /** This agent or an earlier one has seen the file. */
  isSeen: boolean;
  /** Each agent reports once that it sees the file. */
  isSeenReported: boolean;
  goneSinceMs?: number;
  problem: string | undefined;
  reported: { percent?: number; detail?: string };
  /** What the last check found wrong. It is reported if the next check finds the same. */
  unconfirmedProblem?: string;
}

export interface DirectoryWatchOptions {
  readonly post: Post;
  readonly mask: (text: string) => string;
  /** How long a file may be absent before its run is lost. */
  readonly graceMs: number;
  /** How long a file system may take before it is reported as hanging. */
  readonly hangingAfterMs: number;
  /** The present pause between two rounds. */
  readonly pauseMs: () => number;
  /** Checks once. Never rejects; settles when the file system answers, which may be never. */
  readonly check: (
    path: string,
    version: string | undefined,
    reader: ReaderIdentity | undefined,
  ) => Promise<StatusRead>;
}

export class DirectoryWatch {
  readonly #directory: string;
  readonly #options: DirectoryWatchOptions;
  readonly #watched = new Map<string, Watched>();
  readonly #loop: PollLoop;

  constructor(directory: string, options: DirectoryWatchOptions) {
    this.#directory = directory;
    this.#options = options;
    this.#loop = new PollLoop(options.pauseMs, (closing) => this.#checkAll(closing));
  }

  add({ id, startedAt, problem }: Run, path: string, reader?: ReaderIdentity): void {
    const isSeen = startedAt !== undefined;
    this.#watched.set(id, {
      run: id,
      path,
      reader,
      isSeen,
      isSeenReported: false,
      problem,
      reported: {},
    });
    this.#loop.wake();
  }

  remove({ id }: Run): void {
    this.#watched.delete(id);
  }

  get size(): number {
    return this.#watched.size;
  }

  close(): Promise<void> {
    return this.#loop.close();
  }

  async #checkAll(closing: AbortSignal): Promise<boolean> {
    for (const watched of this.#watched.values()) {
      const read = await this.#checkWhenAnswered(watched, closing);
      if (read === undefined) break;
      // A run that was released meanwhile is not reported any more.
      if (this.#watched.has(watched.run)) this.#apply(watched, read);
    }
    return this.#watched.size > 0;
  }

  /** Waits until the file system answers, and reports a problem if that takes long. Undefined: the watch ends. */
  async #checkWhenAnswered(
    { path, version, reader }: Watched,
    closing: AbortSignal,
  ): Promise<StatusRead | undefined> {
    const read = this.#options.check(path, version, reader);
    const first = await within(this.#options.hangingAfterMs, read, closing);
    if (first !== undefined || closing.aborted) return first;
    this.#setProblemOfAll(`${this.#directory} does not answer: its file system hangs`);
    const late = await within(undefined, read, closing);
    this.#setProblemOfAll(undefined);
    return late;
  }

  /** Every job of the directory shows why its progress has stopped. */
  #setProblemOfAll(reason: string | undefined): void {
    for (const watched of this.#watched.values()) {
      delete watched.version;
      this.#setProblem(watched, reason);
    }
  }

  #apply(watched: Watched, result: StatusRead): void {
    if (result.kind === 'missing') {
      this.#missing(watched);
      return;
    }
    delete watched.goneSinceMs;
    if (result.kind === 'bad') this.#bad(watched, result);
    else if (result.kind === 'read') this.#read(watched, result);
  }

  #missing(watched: Watched): void {
    delete watched.version;
    delete watched.unconfirmedProblem;
    if (!watched.isSeen) return;
    watched.goneSinceMs ??= performance.now();
    if (performance.now() - watched.goneSinceMs < this.#options.graceMs) return;
    this.#watched.delete(watched.run);
    const reason = `${watched.path} is gone, and the work did not report how it ended`;
    this.#options.post({ type: 'run-lost', run: watched.run, reason });
  }

  /** The writer may be half-way through, so a problem is reported only if the next check finds it again. */
  #bad(watched: Watched, { problem, version }: Extract<StatusRead, { kind: 'bad' }>): void {
    const found = `${watched.path} ${problem}`;
    if (watched.unconfirmedProblem !== found) {
      watched.unconfirmedProblem = found;
      return;
    }
    watched.version = version;
    this.#setProblem(watched, found);
  }

  #read(watched: Watched, { fields, version }: Extract<StatusRead, { kind: 'read' }>): void {
    const { post } = this.#options;
    const { run } = watched;
    watched.version = version;
    delete watched.unconfirmedProblem;
    this.#setProblem(watched, undefined);
    if (!watched.isSeenReported) post({ type: 'run-seen', run });
    watched.isSeenReported = true;
    watched.isSeen = true;
    const { status, ...progress } = this.#plain(fields);
    const { percent, detail } = progress;
    if (percent !== watched.reported.percent || detail !== watched.reported.detail) {
      watched.reported = progress;
      post({ type: 'progress-read', run, ...progress });
    }
    if (status === undefined) return;
    this.#watched.delete(run);
    post({ type: 'run-concluded', run, status, ...defined({ detail }) });
  }

  #plain({ detail, ...rest }: StatusFields): StatusFields {
    if (detail === undefined) return rest;
    return { ...rest, detail: plainDetail(detail, DETAIL_CHARACTERS_MAX, this.#options.mask) };
  }

  #setProblem(watched: Watched, reason: string | undefined): void {
    if (watched.problem === reason) return;
    watched.problem = reason;
    const { run } = watched;
    const masked = reason === undefined ? undefined : this.#options.mask(reason);
    this.#options.post({ type: 'watch-problem', run, ...defined({ reason: masked }) });
  }
}

/** Undefined: it took longer, or the watch is closing. */
async function within<Result>(
  ms: number | undefined,
  work: Promise<Result>,
  closing: AbortSignal,
): Promise<Result | undefined> {
  if (closing.aborted) return undefined;
  const settled = new AbortController();
  const signal = AbortSignal.any([closing, settled.signal]);
  const over = (ms === undefined ? once(signal, 'abort') : sleep(ms, undefined, { signal })).then(
    () => undefined,
    () => undefined,
  );
  try {
    return await Promise.race([work, over]);
  } finally {
    settled.abort();
  }
}
