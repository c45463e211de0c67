/**
 * Work that somebody else runs: `track` makes a run of it, `report` updates that run. It has the same states as any run
 * and is reported to Migration Hub like any other. Its end is reported or seen, never inferred.
 *
 * In a request for many items, each item that cannot be done is refused alone, and the others are done.
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

/** The result of one item. */
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

  /** Reports percent, detail and end of tracked work. For a job that the agent runs, percent and detail only. */
  report(reports: readonly Report[], now: Now): Reply {
    return each(reports, 'recorded', (report) => this.#report(report, now));
  }

  #track(definition: JobDefinition, now: Now): Done | Refused {
    const { name } = definition;
    if (this.#parts.settings.current.jobs.has(name)) {
      const message = `${name} is a configured job that the agent runs; track the work under another name`;
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
    if (run === undefined) return this.#noLiveRun(name);
    if (run.copiedHost === true) return { code: 'conflict', message: copiedHostRefusal(run) };
    if (run.definition.tracked === undefined) {
      if (status !== undefined) {
        const message = `the agent runs ${name} and sees how it ends; report it without a status`;
        return { code: 'conflict', message };
      }
      if (!isStarted(run)) return { code: 'conflict', message: `${name} has not started yet` };
    }
    advance(this.#life, run, report, now);
    if (status !== undefined)
      conclude(this.#parts.timeline, this.#life, run, status, report.detail, now);
    // The caller will not send it again, so it is on disk before the answer.
    else this.#life.changed(run, now);
    return { run: run.id, message: resultText(run, report) };
  }

  #noLiveRun(name: string): Refused {
    const last = this.#life.index.of(name).at(-1);
    if (last !== undefined) {
      const message = `${name} has ended (run ${last.number}: ${last.state}); that run takes no more reports`;
      return { code: 'conflict', message };
    }
    if (this.#parts.settings.current.jobs.has(name)) {
      return { code: 'conflict', message: `${name} is not running` };
    }
    const message = `there is no job "${name}"; "track ${name}" creates one`;
    return { code: 'no-such-job', message };
  }
}

/** Updates percent and detail. Percent is floored, never falls, and stays at 99 until the run has succeeded. */
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
  // Progress changes often, and what is lost of it is read again. A reported percent must not fall after a crash.
  if (isHigher) life.progressed(run, now);
  else life.touched(run, now);
}

/** Ends the run as whoever runs the work has reported it. */
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

function resultText(run: Run, { percent, status }: Report): string {
  if (status !== undefined) return `${run.job} has ended: ${run.state}`;
  if (percent === undefined) return `${run.job}: recorded`;
  const kept = run.percent ?? 0;
  if (kept > Math.floor(percent)) return `${run.job} stays at ${kept}%: percent never falls`;
  if (kept < Math.floor(percent)) return `${run.job} stays at ${kept}% until it has succeeded`;
  return `${run.job} is at ${kept}%`;
}

/** One answer for all items: the message of a single item, else the count; and the refused items. */
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
