/**
 * Status files that somebody else writes (status-file.ts). Looked at every second, since no notice of the kernel
 * reaches over NFS; what cannot be read keeps the last good words, and says so.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Run } from '../core/job.ts';
import type { Post } from '../ports.ts';
import { plainDetail } from './plain-text.ts';
import { DETAIL_CHARACTERS_MAX } from './progress.ts';
import { lookAtStatusFile } from './status-file.ts';
import type { StatusLook, StatusWords } from './status-file.ts';
import { Rounds } from './tracked-rounds.ts';
import type { Watch } from './tracked-work.ts';

const LOOK_EVERY_MS = 1000;
/** A file system that answers nothing (a dead NFS server) holds up the others so long, and then itself alone. */
const ANSWER_MS_MAX = 5000;
/** Each look that hangs holds a thread of the pool, which has four and is needed elsewhere. */
const HANGING_MAX = 2;

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

interface FileWatchOptions {
  readonly post: Post;
  readonly mask: (text: string) => string;
  readonly patienceMs: number;
  readonly lookEveryMs?: number;
}

export class FileWatch implements Watch {
  readonly #options: FileWatchOptions;
  readonly #watched = new Map<string, Watched>();
  readonly #hanging = new Set<string>();
  readonly #rounds: Rounds;

  constructor(options: FileWatchOptions) {
    this.#options = options;
    const { lookEveryMs = LOOK_EVERY_MS } = options;
    this.#rounds = new Rounds(lookEveryMs, (closing) => this.#look(closing));
  }

  add({ id, definition: { tracked }, startedAt, trouble }: Run): void {
    if (tracked?.by !== 'status-file') return;
    const isSeen = startedAt !== undefined;
    const { path } = tracked;
    this.#watched.set(id, { run: id, path, isSeen, isTold: false, trouble, told: {} });
    this.#rounds.wake();
  }

  remove({ id }: Run): void {
    this.#watched.delete(id);
  }

  close(): Promise<void> {
    return this.#rounds.close();
  }

  async #look(closing: AbortSignal): Promise<boolean> {
    for (const watched of this.#watched.values()) {
      if (closing.aborted) break;
      if (this.#hanging.has(watched.path) || this.#hanging.size >= HANGING_MAX) continue;
      const look = await this.#lookInTime(watched, closing);
      // Released meanwhile: nothing more is said of it.
      if (look !== undefined && this.#watched.has(watched.run)) this.#judge(watched, look);
    }
    return this.#watched.size > 0;
  }

  /** Undefined: no answer came in time. The file is looked at again when it has come. */
  async #lookInTime(watched: Watched, closing: AbortSignal): Promise<StatusLook | undefined> {
    const { path, version } = watched;
    const answered = new AbortController();
    const signal = AbortSignal.any([closing, answered.signal]);
    const look = lookAtStatusFile(path, version);
    const late = sleep(ANSWER_MS_MAX, undefined, { signal }).catch(() => undefined);
    const first = await Promise.race([look, late]);
    answered.abort();
    if (first !== undefined || closing.aborted) return first;
    this.#hanging.add(path);
    delete watched.version;
    this.#troubled(watched, `${path} gives no answer: its file system hangs`);
    look
      .finally(() => this.#hanging.delete(path))
      .catch(() => {
        // A look never rejects.
      });
    return undefined;
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

  #read(watched: Watched, { words, version }: Extract<StatusLook, { kind: 'read' }>): void {
    const { post } = this.#options;
    const { run } = watched;
    watched.version = version;
    delete watched.suspicion;
    this.#troubled(watched, undefined);
    if (!watched.isTold) post({ type: 'run-seen', run });
    watched.isTold = true;
    watched.isSeen = true;
    const { status, ...progress } = this.#plain(words);
    const { percent, detail } = progress;
    if (percent !== watched.told.percent || detail !== watched.told.detail) {
      watched.told = progress;
      post({ type: 'progress-read', run, ...progress });
    }
    if (status === undefined) return;
    this.#watched.delete(run);
    post({ type: 'run-concluded', run, status, ...(detail === undefined ? {} : { detail }) });
  }

  #plain({ detail, ...rest }: StatusWords): StatusWords {
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
