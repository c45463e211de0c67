/** Warns of settings of one job that are legal, but probably not what was meant. */
import nodeCron from 'node-cron';
import { progressProblem } from '../../core/model/progress-parser.ts';
import type { Finding } from './cross-checks.ts';
import type { JobOfFile } from '../schema/schema.ts';

/** The agent sets these itself for every run. */
const OWN_VARIABLES = ['MIGRATION_JOB', 'MIGRATION_RUN', 'MIGRATION_AGENT_SOCKET'];

type Warn = (keys: readonly (string | number)[], message: string) => void;

export function jobWarnings(name: string, job: JobOfFile, hasHub: boolean): Finding[] {
  const findings: Finding[] = [];
  const warn: Warn = (keys, message) => findings.push({ path: ['jobs', name, ...keys], message });
  commandWarnings(job, warn);
  scheduleWarnings(job, warn);
  if (job.stallAfter !== undefined && job.progress.parser === 'none') {
    warn(['stallAfter'], 'has no effect without progress: name a parser');
  }
  const hub = job.migrationHub;
  if (!hasHub && hub !== false && Object.values(hub).some(isSomething)) {
    warn(['migrationHub'], 'has no effect: the file has no section migrationHub');
  }
  return findings;
}

function commandWarnings(job: JobOfFile, warn: Warn): void {
  const shellWord = notForAShell(job.command);
  if (shellWord !== undefined) warn(['command', shellWord.index], shellWord.message);
  const problem = progressProblem(job.progress, job.command);
  if (problem !== undefined) warn(['progress'], problem);
  for (const variable of OWN_VARIABLES) {
    if (!Object.hasOwn(job.environment, variable)) continue;
    warn(['environment', variable], 'has no effect: the agent sets it for every run');
  }
}

function scheduleWarnings(job: JobOfFile, warn: Warn): void {
  if (job.schedule === undefined) {
    if (job.timezone !== undefined) warn(['timezone'], 'has no effect without schedule');
    if (job.missedStart === 'once') warn(['missedStart'], 'has no effect without schedule');
    return;
  }
  const message = clockChangeRisk(job.schedule, job.timezone);
  if (message !== undefined) warn(['schedule'], message);
}

function notForAShell(
  command: readonly string[],
): { readonly index: number; readonly message: string } | undefined {
  const [program = ''] = command;
  if (command.length === 1 && /\s/.test(program)) {
    const message = 'is one word with spaces in it; write the words separately: [rsync, -a, …]';
    return { index: 0, message };
  }
  if (/(^|\/)(ba|da|k|z)?sh$/.test(program)) return undefined;
  const index = command.findIndex((word) =>
    /^(\||\|\||&&|>|>>|<|2>|2>&1)$|^~\/|\$\(|\$\{\w+\}/.test(word),
  );
  if (index < 0) return undefined;
  const message = `"${command[index] ?? ''}" is not interpreted, since no shell is used; write [sh, -c, "…"] if you need one`;
  return { index, message };
}

/** When the clocks go forward, the skipped hour has no start (src/system/calendar.ts). */
function clockChangeRisk(cron: string, timezone: string | undefined): string | undefined {
  const { fields } = nodeCron.validateDetailed(cron);
  // With at least a start every few hours the next one is near. Nearly everywhere the clocks change between 01:00 and 03:00.
  if (fields === undefined || fields.hour.length > 6) return undefined;
  if (!fields.hour.some((hour) => hour === 1 || hour === 2)) return undefined;
  if (timezone !== undefined && !changesClocks(timezone)) return undefined;
  const where = timezone === undefined ? "in the host's time zone" : `in ${timezone}`;
  return `between 01:00 and 03:00 ${where} a start is skipped in the night when the clocks go forward; choose another hour, or timezone: UTC`;
}

function changesClocks(timeZone: string): boolean {
  const format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' });
  // Any year will do: compare the offsets of winter and summer.
  const [winter, summer] = [0, 6].map(
    (month) =>
      format.formatToParts(Date.UTC(2026, month, 1)).find(({ type }) => type === 'timeZoneName')
        ?.value,
  );
  return winter !== summer;
}

function isSomething(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined;
}
