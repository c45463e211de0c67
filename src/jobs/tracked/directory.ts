/**
 * The status files of one directory (status-file.ts), one look after the other. What cannot be read keeps the last good
 * words, and says so.
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Run } from '../../core/model/job.ts';
import type { Post } from '../../ports.ts';
import { plainDetail } from '../lib/plain-text.ts';
import { DETAIL_CHARACTERS_MAX } from '../lib/progress.ts';
import type { StatusLook, StatusFields } from './status-file.ts';
import { Rounds } from './poll-loop.ts';

interface Watched {
  readonly run: string;
  readonly path: string;
  version?: string;
  /** The file was seen at some time: by this agent or an earlier one. */
  isSeen: boolean;
  /** An agent says once that it sees the file. */
  isTold: boolean;
  goneSinceMs?: number;
  trouble: string | undefined;
  told: { percent?: number; detail?: string };
  /** What the last look found bad; said when the next one finds the same. */
  suspicion?: string;
}

export interface DirectoryWatchOptions {
  readonly post: Post;
  readonly mask: (text: string) => string;
  readonly patienceMs: number;
  readonly answerMs: number;
  /** How long the pause between two rounds is now. */
  readonly pauseMs: () => number;
  /** Looks once. Never rejects; settles when the file system answers, which may be never. */
  readonly lookAt: (path: string, version: string | undefined) => Promise<StatusLook>;
}

export class DirectoryWatch {
  readonly #directory: string;
  readonly #options: DirectoryWatchOptions;
  readonly #watched = new Map<string, Watched>();
  readonly #rounds: Rounds;

  constructor(directory: string, options: DirectoryWatchOptions) {
    this.#directory = directory;
    this.#options = options;
    this.#rounds = new Rounds(options.pauseMs, (closing) => this.#look(closing));
  }

  add({ id, startedAt, problem: trouble }: Run, path: string): void {
    const isSeen = startedAt !== undefined;
    this.#watched.set(id, { run: id, path, isSeen, isTold: false, trouble, told: {} });
    this.#rounds.wake();
  }

  remove({ id }: Run): void {
    this.#watched.delete(id);
  }

  get size(): number {
    return this.#watched.size;
  }

  close(): Promise<void> {
    return this.#rounds.close();
  }

  async #look(closing: AbortSignal): Promise<boolean> {
    for (const watched of this.#watched.values()) {
      const look = await this.#lookPatiently(watched, closing);
      if (look === undefined) break;
      // Released meanwhile: nothing more is said of it.
      if (this.#watched.has(watched.run)) this.#judge(watched, look);
    }
    return this.#watched.size > 0;
  }

  /** Waits as long as it takes, and says so where it takes long. Undefined: the watch ends. */
  async #lookPatiently(
    { path, version }: Watched,
    closing: AbortSignal,
  ): Promise<StatusLook | undefined> {
    const look = this.#options.lookAt(path, version);
    const first = await within(this.#options.answerMs, look, closing);
    if (first !== undefined || closing.aborted) return first;
    this.#allTroubled(`${this.#directory} gives no answer: its file system hangs`);
    const late = await within(undefined, look, closing);
    this.#allTroubled(undefined);
    return late;
  }

  /** Whoever looks at one of the jobs must see why it stands still. */
  #allTroubled(reason: string | undefined): void {
    for (const watched of this.#watched.values()) {
      delete watched.version;
      this.#troubled(watched, reason);
    }
  }

  #judge(watched: Watched, look: StatusLook): void {
    if (look.kind === 'missing') {
      this.#missing(watched);
      return;
    }
    delete watched.goneSinceMs;
    if (look.kind === 'bad') this.#bad(watched, look);
    else if (look.kind === 'read') this.#read(watched, look);
  }

  #missing(watched: Watched): void {
    delete watched.version;
    delete watched.suspicion;
    if (!watched.isSeen) return;
    watched.goneSinceMs ??= performance.now();
    if (performance.now() - watched.goneSinceMs < this.#options.patienceMs) return;
    this.#watched.delete(watched.run);
    const reason = `${watched.path} is gone, and the work did not tell how it ended`;
    this.#options.post({ type: 'run-lost', run: watched.run, reason });
  }

  /** The writer may be half-way through: what is still bad at the next look is said. */
  #bad(watched: Watched, { problem, version }: Extract<StatusLook, { kind: 'bad' }>): void {
    const suspicion = `${watched.path} ${problem}`;
    if (watched.suspicion !== suspicion) {
      watched.suspicion = suspicion;
      return;
    }
    watched.version = version;
    this.#troubled(watched, suspicion);
  }

  #read(watched: Watched, { fields, version }: Extract<StatusLook, { kind: 'read' }>): void {
    const { post } = this.#options;
    const { run } = watched;
    watched.version = version;
    delete watched.suspicion;
    this.#troubled(watched, undefined);
    if (!watched.isTold) post({ type: 'run-seen', run });
    watched.isTold = true;
    watched.isSeen = true;
    const { status, ...progress } = this.#plain(fields);
    const { percent, detail } = progress;
    if (percent !== watched.told.percent || detail !== watched.told.detail) {
      watched.told = progress;
      post({ type: 'progress-read', run, ...progress });
    }
    if (status === undefined) return;
    this.#watched.delete(run);
    post({ type: 'run-concluded', run, status, ...(detail === undefined ? {} : { detail }) });
  }

  #plain({ detail, ...rest }: StatusFields): StatusFields {
    if (detail === undefined) return rest;
    return { ...rest, detail: plainDetail(detail, DETAIL_CHARACTERS_MAX, this.#options.mask) };
  }

  #troubled(watched: Watched, reason: string | undefined): void {
    if (watched.trouble === reason) return;
    watched.trouble = reason;
    const { run } = watched;
    this.#options.post({
      type: 'watch-troubled',
      run,
      ...(reason === undefined ? {} : { reason: this.#options.mask(reason) }),
    });
  }
}

/** Undefined: not in this time, or whoever waits has been told to end. */
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
