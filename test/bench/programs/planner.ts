/** Measures the CPU time of one report in a planner with many jobs, and of the same turns around no planner. */
import type { Action } from '../../../src/core/model/action.ts';
import type { Call } from '../../../src/core/model/call.ts';
import type { Event } from '../../../src/core/model/event.ts';
import type { Changes } from '../../../src/core/state/persistent-state.ts';
import { Driver } from '../planner-driver.ts';
import type { Turning } from '../planner-driver.ts';
import { givenOptions, say } from '../program.ts';
import { cpuUs, paired } from '../rounds.ts';
import { FULL_HOST, driverWithJobs } from '../tracked-jobs.ts';

export interface PlannerOptions {
  readonly jobs: number;
  /** Reports that a round measures; whole rounds of all jobs. */
  readonly reports: number;
  readonly rounds: number;
  /** A worker group whose places are all taken. */
  readonly isFull: boolean;
}

/** Same events in, same actions out, and no thought between: what is left is the driver. */
class NoPlanner implements Turning {
  static readonly #CHANGES: Changes = {
    runs: [],
    hubTasks: [],
    droppedRuns: [],
    droppedHubTasks: [],
    events: [],
  };
  readonly #calls: readonly Call[];
  #wanted = 32;
  #granted = 0;
  #id = 0;

  constructor(calls: readonly Call[]) {
    this.#calls = calls;
  }

  observe(event: Event): void {
    if (event.type === 'call-settled') this.#wanted++;
    if (event.type === 'gate-opened') this.#granted += event.slots;
  }

  takeChanges(): Changes {
    return NoPlanner.#CHANGES;
  }

  decide(): Action[] {
    const actions: Action[] = [];
    for (; this.#granted > 0; this.#granted--) {
      const call = this.#calls[this.#id % this.#calls.length];
      if (call !== undefined) actions.push({ type: 'call', id: this.#id++, call });
    }
    if (this.#wanted > 0) {
      actions.push({
        type: 'ask-gate',
        operation: 'NotifyMigrationTaskState',
        slots: this.#wanted,
      });
    }
    this.#wanted = 0;
    return actions;
  }

  wakeAtMs(): number | undefined {
    return undefined;
  }
}

function sampleCalls(count: number): Call[] {
  return Array.from({ length: count }, (_, i) => ({
    operation: 'NotifyMigrationTaskState',
    region: 'eu-central-1',
    stream: 'test-stream',
    task: `migration-${i}`,
    status: 'IN_PROGRESS',
    percent: i % 99,
    detail: `copying volume ${i}`,
    stampS: 1767225600 + i,
    nextUpdateS: 300,
  }));
}

const { jobs, reports, rounds, isFull } = givenOptions() as PlannerOptions;
const { driver } = driverWithJobs(jobs, isFull ? FULL_HOST : {});
const empty = new Driver(() => new NoPlanner(sampleCalls(1000)));

function usPerReport(driven: Driver): number {
  const beginUs = cpuUs();
  driven.deliver(reports);
  return (cpuUs() - beginUs) / reports;
}

// The compiler's own time belongs to no report.
driver.deliver(reports);
empty.deliver(reports);
say(
  await paired(
    rounds,
    () => usPerReport(driver),
    () => usPerReport(empty),
  ),
);
