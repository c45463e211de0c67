/** Warns of settings of one job that are legal, but probably not what was meant. */
import nodeCron from 'node-cron';
import { progressProblem } from '../../core/command-line/progress-parser.ts';
import type { Environment } from '../lib/document.ts';
import { hostZone } from '../lib/host-zone.ts';
import { changedStarts } from './clock-changes.ts';
import type { Finding } from './cross-checks.ts';
import type { JobOfFile } from '../schema/schema.ts';

/** The agent sets these itself for every run. */
const OWN_VARIABLES = ['MIGRATION_JOB', 'MIGRATION_RUN', 'MIGRATION_AGENT_SOCKET'];

type Warn = (keys: readonly (string | number)[], message: string) => void;

export function jobWarnings(
  name: string,
  job: JobOfFile,
  hasHub: boolean,
  environment: Environment,
): Finding[] {
  const findings: Finding[] = [];
  const warn: Warn = (keys, message) => findings.push({ path: ['jobs', name, ...keys], message });
  commandWarnings(job, warn);
  scheduleWarnings(job, environment, warn);
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

function scheduleWarnings(job: JobOfFile, environment: Environment, warn: Warn): void {
  if (job.schedule === undefined) {
    if (job.timezone !== undefined) warn(['timezone'], 'has no effect without schedule');
    if (job.missedStart === 'once') warn(['missedStart'], 'has no effect without schedule');
    return;
  }
  const { zone, problem } =
    job.timezone === undefined ? hostZone(environment['TZ']) : { zone: job.timezone };
  if (problem !== undefined) {
    warn(['schedule'], `${problem}; set timezone, or the schedule may start hours off`);
  }
  if (zone !== undefined) clockWarnings(job.schedule, zone, warn);
  if (hasBothDays(job.schedule)) {
    const message =
      'starts only on days that match both the day of month and the weekday; crontab would start on days that match either';
    warn(['schedule'], message);
  }
}

function clockWarnings(cron: string, zone: string, warn: Warn): void {
  const { doubled, skipped } = changedStarts(cron, zone, Date.now());
  if (skipped !== undefined) {
    const message = `the clocks of ${zone} skip ${skipped}, so that this start falls out; choose another hour, or timezone: UTC`;
    warn(['schedule'], message);
  }
  if (doubled !== undefined) {
    const message = `the clocks of ${zone} show ${doubled} twice, so that this start comes twice within the hour; choose timezone: UTC`;
    warn(['schedule'], message);
  }
}

/** Day of month and weekday are both restricted. */
function hasBothDays(cron: string): boolean {
  const { fields } = nodeCron.validateDetailed(cron);
  const isRestricted = (values: readonly unknown[] | undefined, all: number): boolean =>
    new Set(values).size < all;
  return isRestricted(fields?.dayOfMonth, 31) && isRestricted(fields?.dayOfWeek, 7);
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

function isSomething(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined;
}
