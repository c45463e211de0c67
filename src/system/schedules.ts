/**
 * Schedules: tells when a job's cron expression comes true, by node-cron. Whether the job then starts is the
 * planner's business (a run that still goes on is not started again). Promises never hang on these timers.
 */
import cron from 'node-cron';
import type { ScheduledTask } from 'node-cron';
import type { JobDefinition } from '../core/job.ts';
import type { Log } from '../ports.ts';

export interface Schedules {
  /** Puts these jobs' schedules in the place of the ones before. */
  apply(jobs: ReadonlyMap<string, JobDefinition>): void;
  /** When each scheduled job starts next, in ms since 1970. */
  nextStartMs(): ReadonlyMap<string, number>;
  close(): void;
}

export function createSchedules(start: (job: string) => void, log: Log): Schedules {
  let tasks = new Map<string, ScheduledTask>();
  silenceLibrary(log);

  function clear(): void {
    for (const [job, task] of tasks) stopTask(job, task, log);
    tasks = new Map();
  }

  return {
    apply(jobs) {
      clear();
      for (const { name, schedule } of jobs.values()) {
        if (schedule === undefined) continue;
        const options = schedule.timezone === undefined ? {} : { timezone: schedule.timezone };
        tasks.set(
          name,
          cron.schedule(schedule.cron, () => start(name), options),
        );
      }
    },
    nextStartMs() {
      const times = new Map<string, number>();
      for (const [job, task] of tasks) {
        const next = task.getNextRun();
        if (next !== null) times.set(job, next.getTime());
      }
      return times;
    },
    close: clear,
  };
}

function stopTask(job: string, task: ScheduledTask, log: Log): void {
  Promise.resolve(task.destroy()).catch((err: unknown) => {
    log.write('warn', 'schedule.failed', 'schedule could not be ended', { job, err });
  });
}

/** node-cron prints coloured text on stdout by itself; here stdout belongs to the JSON lines. */
function silenceLibrary(log: Log): void {
  const told = (level: 'debug' | 'warn' | 'error') => (message: unknown, err?: unknown) => {
    const reason = message instanceof Error ? message.message : String(message);
    log.write(level, 'schedule.told', 'word of the schedule library', { reason, err });
  };
  cron.setLogger({
    info: told('debug'),
    debug: told('debug'),
    warn: told('warn'),
    error: told('error'),
  });
}
