/**
 * Looks at work that somebody else runs and tells what it sees: by process (tracked-pids.ts), by systemd unit
 * (tracked-units.ts), by status file (tracked-files.ts). Signals nobody and starts nothing.
 */
import type { Event } from '../../core/model/event.ts';
import type { Run, TrackedSource } from '../../core/model/job.ts';
import type { Post, TrackedWork } from '../../ports.ts';
import { FileWatch } from './files.ts';
import { PidWatch } from './pids.ts';
import { UnitWatch } from './units.ts';

export interface TrackedWorkOptions {
  readonly post: Post;
  readonly bootId: string;
  /** Hides secrets in what leaves this host. */
  readonly mask: (text: string) => string;
  /**
   * How long a final word may be on its way after its process, its file or its unit is gone; and how long a file system
   * may take for an answer until that is said.
   */
  readonly patienceMs?: {
    readonly pid: number;
    readonly file: number;
    readonly unit?: number;
    readonly answer?: number;
  };
  /** Default: each kind's own. */
  readonly lookEveryMs?: number;
}

/** `report` of a script comes a moment after the program that it waited for has ended. */
const PID_PATIENCE_MS = 5000;
/** A writer that removes its file before it writes the next one. */
const FILE_PATIENCE_MS = 30_000;
/** Longer than a busy server takes: what gives no answer then (a dead NFS server) hangs. */
const ANSWER_MS = 5000;
/** systemd hands its record to journald, which writes it when it gets to it. */
const UNIT_PATIENCE_MS = 10_000;

/** One kind of watch: many runs, looked at together. */
export interface Watch {
  add(run: Run): void;
  remove(run: Run): void;
  close(): Promise<void>;
}

export function createTrackedWork(options: TrackedWorkOptions): TrackedWork {
  const { bootId, mask, patienceMs, lookEveryMs } = options;
  const pace = lookEveryMs === undefined ? {} : { lookEveryMs };
  let isClosing = false;
  const post = (event: Event): void => {
    if (!isClosing) options.post(event);
  };
  const watches: Readonly<Record<Exclude<TrackedSource['by'], 'report'>, Watch>> = {
    pid: new PidWatch({ ...pace, post, bootId, patienceMs: patienceMs?.pid ?? PID_PATIENCE_MS }),
    unit: new UnitWatch({ ...pace, post, mask, patienceMs: patienceMs?.unit ?? UNIT_PATIENCE_MS }),
    'status-file': new FileWatch({
      ...pace,
      post,
      mask,
      patienceMs: patienceMs?.file ?? FILE_PATIENCE_MS,
      answerMs: patienceMs?.answer ?? ANSWER_MS,
    }),
  };
  const watchOf = ({ definition: { tracked } }: Run): Watch | undefined =>
    tracked === undefined || tracked.by === 'report' ? undefined : watches[tracked.by];
  return {
    watch: (run) => watchOf(run)?.add(run),
    release: (run) => watchOf(run)?.remove(run),
    close: async () => {
      isClosing = true;
      await Promise.all(Object.values(watches).map((watch) => watch.close()));
    },
  };
}
