/** What in one job is legal, and probably not what was meant. */
import nodeCron from 'node-cron';
import type { Finding } from './cross-checks.ts';
import type { JobOfFile } from '../schema/schema.ts';

/** The agent sets these itself for every run (DESIGN.md, section 3). */
const OWN_VARIABLES = ['MIGRATION_JOB', 'MIGRATION_RUN', 'MIGRATION_AGENT_SOCKET'];

export function jobWarnings(name: string, job: JobOfFile, hasHub: boolean): Finding[] {
  const findings: Finding[] = [];
  const warn = (keys: readonly (string | number)[], message: string) =>
    findings.push({ path: ['jobs', name, ...keys], message });

  const shellWord = notForAShell(job.command);
  if (shellWord !== undefined) warn(['command', shellWord.index], shellWord.message);
  if (printsNoProgress(job)) {
    warn(['command'], 'rsync prints no progress of the whole without --info=progress2');
  }
  for (const variable of OWN_VARIABLES) {
    if (!Object.hasOwn(job.environment, variable)) continue;
    warn(['environment', variable], 'has no effect: the agent sets it for every run');
  }
  if (job.timezone !== undefined && job.schedule === undefined) {
    warn(['timezone'], 'has no effect without schedule');
  }
  if (job.missedStart === 'once' && job.schedule === undefined) {
    warn(['missedStart'], 'has no effect without schedule');
  }
  if (job.schedule !== undefined) {
    const message = clockChangeRisk(job.schedule, job.timezone);
    if (message !== undefined) warn(['schedule'], message);
  }
  if (job.stallAfter !== undefined && job.progress.parser === 'none') {
    warn(['stallAfter'], 'has no effect without progress: name a parser');
  }
  const hub = job.migrationHub;
  if (!hasHub && hub !== false && Object.values(hub).some(isSomething)) {
    warn(['migrationHub'], 'has no effect: the section migrationHub of the file is missing');
  }
  return findings;
}

function notForAShell(
  command: readonly string[],
): { readonly index: number; readonly message: string } | undefined {
  const [program = ''] = command;
  if (command.length === 1 && /\s/.test(program)) {
    const message = 'is one word with blanks in it; write each word on its own: [rsync, -a, …]';
    return { index: 0, message };
  }
  if (/(^|\/)(ba|da|k|z)?sh$/.test(program)) return undefined;
  const index = command.findIndex((word) =>
    /^(\||\|\||&&|>|>>|<|2>|2>&1)$|^~\/|\$\(|\$\{\w+\}/.test(word),
  );
  if (index < 0) return undefined;
  const message = `no shell reads "${command[index] ?? ''}"; write [sh, -c, "…"] where one should`;
  return { index, message };
}

function printsNoProgress(job: JobOfFile): boolean {
  if (job.progress.parser !== 'rsync' || !/(^|\/)rsync$/.test(job.command[0] ?? '')) return false;
  return !job.command.some((word) => word.startsWith('--info=') && word.includes('progress2'));
}

/** In a zone with summer time the hour that is skipped has no start (src/system/calendar.ts). */
function clockChangeRisk(cron: string, timezone: string | undefined): string | undefined {
  const { fields } = nodeCron.validateDetailed(cron);
  // Every hour, or every second one: the next is near. A change is between 01:00 and 03:00 nearly everywhere.
  if (fields === undefined || fields.hour.length > 6) return undefined;
  if (!fields.hour.some((hour) => hour === 1 || hour === 2)) return undefined;
  if (timezone !== undefined && !changesClocks(timezone)) return undefined;
  const where = timezone === undefined ? "in the host's time zone" : `in ${timezone}`;
  return `between 01:00 and 03:00 ${where} a start falls out in the night when the clocks go forward; choose another hour, or timezone: UTC`;
}

function changesClocks(timeZone: string): boolean {
  const format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' });
  // Any year will do: does the offset of winter differ from that of summer?
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
