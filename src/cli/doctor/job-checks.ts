/** The checks of `doctor` that look at jobs: whether each can start on this host, and when its schedule starts it next. */
import { readFileSync } from 'node:fs';
import type { Configuration } from '../../config/build/configuration.ts';
import { hostZone } from '../../config/lib/host-zone.ts';
import { PATH_DEFAULT } from '../../jobs/process/environment.ts';
import { createCalendar } from '../../system/calendar.ts';
import { nextStarts } from '../config/job-notes.ts';
import { checkJobsApart } from '../file-system/apart.ts';
import type { InheritedPath } from '../file-system/check-jobs.ts';
import type { Finding } from '../file-system/finding.ts';
import type { Check } from './report.ts';

/** Of jobs with findings, and of schedules: more do not help on a screen; `config check` has all. */
const SHOWN_MAX = 10;

export function jobChecks(
  { settings: { jobs } }: Configuration,
  daemonPid: number | undefined,
  environment: NodeJS.ProcessEnv,
  nowMs: number,
): Check[] {
  if (jobs.size === 0) return [];
  const look = (): Promise<Finding> => programs(jobs, inheritedPath(daemonPid, environment));
  const scheduled = [...jobs.values()].filter(({ schedule }) => schedule !== undefined);
  return [
    { name: 'jobs', look },
    ...(scheduled.length === 0
      ? []
      : [{ name: 'schedules', look: () => Promise.resolve(schedules(scheduled, nowMs)) }]),
  ];
}

type Jobs = Configuration['settings']['jobs'];

async function programs(jobs: Jobs, path: InheritedPath): Promise<Finding> {
  const found = await checkJobsApart(jobs, path);
  if (found.length === 0) {
    const all = jobs.size === 1 ? '1 job: its program' : `${jobs.size} jobs: their programs`;
    return { verdict: 'ok', message: `${all}, users and directories are there` };
  }
  const texts = found.map(({ job, keys, message }) => `${[job, ...keys].join('.')}: ${message}`);
  const left = texts.length - SHOWN_MAX;
  const more = left > 0 ? [`and ${left} more`] : [];
  return {
    verdict: found.some(({ isFatal }) => isFatal) ? 'failed' : 'warning',
    message: [...texts.slice(0, SHOWN_MAX), ...more].join('; '),
    remedy: 'install what is missing, or correct the job; config check names the lines',
  };
}

function schedules(jobs: readonly Parameters<typeof nextStarts>[0][], nowMs: number): Finding {
  const zone = hostZone(process.env['TZ']).zone ?? 'UTC';
  const calendar = createCalendar(() => zone);
  const texts = jobs.slice(0, SHOWN_MAX).map((job) => {
    const [next = 'never'] = nextStarts(job, calendar, zone, nowMs, 1);
    return `${job.name} next ${next}`;
  });
  const left = jobs.length - SHOWN_MAX;
  return {
    verdict: texts.some((text) => text.endsWith(' never')) ? 'warning' : 'ok',
    message: [...texts, ...(left > 0 ? [`and ${left} more`] : [])].join('; '),
  };
}

/** That of the daemon, if it runs and may be read; else that of this shell. */
function inheritedPath(pid: number | undefined, environment: NodeJS.ProcessEnv): InheritedPath {
  try {
    const variables = pid === undefined ? '' : readFileSync(`/proc/${pid}/environ`, 'utf8');
    const path = /(?:^|\0)PATH=([^\0]*)/.exec(variables)?.[1];
    if (path !== undefined) return { path };
  } catch {
    // Of another user, or it has ended.
  }
  return { path: environment['PATH'] ?? PATH_DEFAULT, isOfShell: true };
}
