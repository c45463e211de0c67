/**
 * Work that somebody else runs: taken in by `track`, spoken of by `report`. It goes through the same states as any
 * run and is told to Migration Hub like any other; how it ended is never inferred, only told.
 *
 * Of a request for many, each item that cannot be done is refused by itself, and the others are taken.
 */
import type { FinalStatus, Report } from '../model/tracked.ts';
import type { RefusalCode, RefusedItem, Reply } from '../model/action.ts';
import type { SettingsHolder } from '../model/settings.ts';
import type { Timeline } from '../state/timeline.ts';
import { copiedHostRefusal, isStarted } from '../model/job.ts';
import type { JobDefinition, Run } from '../model/job.ts';
import type { RunLifecycle } from './lifecycle.ts';
import type { Now } from '../lib/time.ts';

interface Refused {
  readonly code: RefusalCode;
  readonly message: string;
}

/** What was done of one item. */
interface Done {
  readonly run: string;
  readonly message: string;
}

interface Parts {
  readonly settings: SettingsHolder;
  readonly timeline: Timeline;
}

export class RunTracking {
  readonly #parts: Parts;
  readonly #life: RunLifecycle;

  constructor(parts: Parts, life: RunLifecycle) {
    this.#parts = parts;
    this.#life = life;
  }

  track(definitions: readonly JobDefinition[], now: Now): Reply {
    return each(definitions, 'tracked', (definition) => this.#track(definition, now));
  }

  /** Also for a job that the agent runs: a script of its own may tell percent and detail, never the end. */
  report(reports: readonly Report[], now: Now): Reply {
    return each(reports, 'taken', (report) => this.#report(report, now));
  }

  #track(definition: JobDefinition, now: Now): Done | Refused {
    const { name } = definition;
    if (this.#parts.settings.current.jobs.has(name)) {
      const message = `${name} is a job of the configuration, which the agent runs; track under another name`;
      return { code: 'conflict', message };
    }
    const [live] = this.#life.index.liveOf(name);
    if (live?.copiedHost === true) return { code: 'conflict', message: copiedHostRefusal(live) };
    if (live !== undefined) {
      const message = `${name} is ${live.state} already (run ${live.number})`;
      return { code: 'conflict', message };
    }
    const run = this.#life.create(definition, 'tracked', now);
    return { run: run.id, message: `${name} is tracked as run ${run.number}` };
  }

  #report(report: Report, now: Now): Done | Refused {
    const { name, status } = report;
    const run = this.#life.index.liveOf(name)[0];
    if (run === undefined) return this.#nobodyToReportOf(name);
    if (run.copiedHost === true) return { code: 'conflict', message: copiedHostRefusal(run) };
    if (run.definition.tracked === undefined) {
      if (status !== undefined) {
        const message = `the agent runs ${name} and sees itself how it ends; leave the status out`;
        return { code: 'conflict', message };
      }
      if (!isStarted(run)) return { code: 'conflict', message: `${name} has not started yet` };
    }
    advance(this.#life, run, report, now);
    if (status !== undefined)
      conclude(this.#parts.timeline, this.#life, run, status, report.detail, now);
    // Nobody would tell it again: it is on disk before the answer.
    else this.#life.changed(run, now);
    return { run: run.id, message: wordsOf(run, report) };
  }

  #nobodyToReportOf(name: string): Refused {
    const last = this.#life.index.of(name).at(-1);
    if (last !== undefined) {
      const message = `${name} has ended (run ${last.number}: ${last.state}); nothing more is said of that run`;
      return { code: 'conflict', message };
    }
    if (this.#parts.settings.current.jobs.has(name)) {
      return { code: 'conflict', message: `${name} is not running` };
    }
    const message = `there is no job "${name}"; "track ${name}" makes one`;
    return { code: 'no-such-job', message };
  }
}

/** Takes in percent and detail. A percent is floored, never falls, and stays at 99 until the run has ended well. */
export function advance(
  life: RunLifecycle,
  run: Run,
  { percent, detail }: { readonly percent?: number; readonly detail?: string },
  now: Now,
): void {
  const whole = percent === undefined ? undefined : Math.min(99, Math.max(0, Math.floor(percent)));
  const isHigher = whole !== undefined && whole > (run.percent ?? -1);
  const isOther = detail !== undefined && detail !== run.detail;
  if (!isHigher && !isOther) return;
  if (isHigher) run.percent = whole;
  if (isOther) run.detail = detail;
  run.progressAt = now;
  delete run.stalled;
  // A percent that was told must not fall after a crash: a hundred commits of a run at most. Details come in floods,
  // and a lost one is read again.
  if (isHigher) life.changed(run, now);
  else life.touched(run, now);
}

/** The final word of whoever runs the work. */
export function conclude(
  timeline: Timeline,
  life: RunLifecycle,
  run: Run,
  status: FinalStatus,
  detail: string | undefined,
  now: Now,
): void {
  timeline.add('job.reported', now, { status, detail }, run);
  life.begun(run, now);
  if (status === 'completed') {
    if (detail !== undefined) run.detail = detail;
    life.finish(run, 'succeeded', now);
    return;
  }
  run.reason = detail ?? 'reported as failed';
  life.finish(run, 'failed', now);
}

function wordsOf(run: Run, { percent, status }: Report): string {
  if (status !== undefined) return `${run.job} has ended: ${run.state}`;
  if (percent === undefined) return `${run.job}: taken`;
  const kept = run.percent ?? 0;
  if (kept > Math.floor(percent)) return `${run.job} stays at ${kept}%: a percent never falls`;
  if (kept < Math.floor(percent)) return `${run.job} stays at ${kept}% until it has ended well`;
  return `${run.job} is at ${kept}%`;
}

/** One answer for all: the words of a single item, else how many were done; and what was refused. */
function each<Item extends { readonly name: string }>(
  items: readonly Item[],
  verb: string,
  perform: (item: Item) => Done | Refused,
): Reply {
  const refused: RefusedItem[] = [];
  let last: Done | undefined;
  items.forEach((item, index) => {
    const done = perform(item);
    if ('code' in done) refused.push({ index, name: item.name, ...done });
    else last = done;
  });
  if (items.length === 1 && last !== undefined) return { ok: true, ...last, refused };
  const left = refused.length === 0 ? '' : `, ${refused.length} refused`;
  return { ok: true, message: `${items.length - refused.length} ${verb}${left}`, refused };
}
