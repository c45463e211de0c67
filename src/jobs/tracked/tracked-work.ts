/**
 * Watches work that somebody else runs and posts what it finds: by process (pids.ts), by systemd unit (units.ts), by
 * status file (files.ts). It signals no process and starts no job.
 */
import { defined } from '../../core/lib/defined.ts';
import type { Event } from '../../core/model/event.ts';
import type { Run, TrackedSource } from '../../core/model/job.ts';
import type { Post, TrackedWork } from '../../ports.ts';
import { FileWatch } from './files.ts';
import { PidWatch } from './pids.ts';
import { UnitWatch } from './units.ts';
import type { Watch } from './watch.ts';

interface TrackedWorkOptions {
  readonly post: Post;
  readonly bootId: string;
  /** Hides secrets in what leaves this host. */
  readonly mask: (text: string) => string;
  /**
   * How long a final report may take after the process, the file or the unit is gone, and how long a file system may
   * take to answer before it is reported as hanging.
   */
  readonly graceMs?: {
    readonly pid: number;
    readonly file: number;
    readonly unit?: number;
    readonly hanging?: number;
  };
  /** Default: each kind's own. */
  readonly checkEveryMs?: number;
}

/** A script sends its `report` a moment after the program that it waited for has ended. */
const PID_GRACE_MS = 5000;
/** A writer may remove its file before it writes the next one. */
const FILE_GRACE_MS = 30_000;
/** Longer than a busy server takes. A file system that has not answered by then (a dead NFS server) hangs. */
const HANGING_AFTER_MS = 5000;
/** journald writes the records of systemd with a delay. */
const UNIT_GRACE_MS = 10_000;

export function createTrackedWork(options: TrackedWorkOptions): TrackedWork {
  const { bootId, mask, graceMs, checkEveryMs } = options;
  const interval = defined({ checkEveryMs });
  let isClosing = false;
  const post = (event: Event): void => {
    if (!isClosing) options.post(event);
  };
  const watches: Readonly<Record<Exclude<TrackedSource['by'], 'report'>, Watch>> = {
    pid: new PidWatch({ ...interval, post, bootId, graceMs: graceMs?.pid ?? PID_GRACE_MS }),
    unit: new UnitWatch({ ...interval, post, mask, graceMs: graceMs?.unit ?? UNIT_GRACE_MS }),
    'status-file': new FileWatch({
      ...interval,
      post,
      mask,
      graceMs: graceMs?.file ?? FILE_GRACE_MS,
      hangingAfterMs: graceMs?.hanging ?? HANGING_AFTER_MS,
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
