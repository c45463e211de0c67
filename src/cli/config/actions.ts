/** What `config check|show|schema` do. */
import { hostname } from 'node:os';
import { describeEffective } from '../../config/effective.ts';
import { readConfiguration } from '../../config/load.ts';
import type { Loaded } from '../../config/load.ts';
import { formatProblem, formatWarning, keyOf, sortProblems } from '../../config/lib/problem.ts';
import type { Problem } from '../../config/lib/problem.ts';
import { configurationSchema } from '../../config/schema/schema.ts';
import { hostZone } from '../../config/lib/host-zone.ts';
import { PATH_DEFAULT } from '../../jobs/process/environment.ts';
import { createCalendar } from '../../system/calendar.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { checkJobsApart } from '../file-system/apart.ts';
import { jobNotes } from './job-notes.ts';
import { jsonText, print, printLine } from '../terminal/terminal.ts';
import type { Terminal } from '../terminal/terminal.ts';

export async function checkFile(file: string, terminal: Terminal): Promise<ExitCode> {
  const loaded = await loadOrComplain(file, terminal);
  if (loaded === undefined) return EXIT.badConfiguration;
  const { configuration } = loaded;
  const warnings = sortProblems([...loaded.warnings, ...(await jobProblems(loaded, terminal))]);
  for (const warning of warnings) print(terminal, formatWarning(file, warning));
  const zone = hostZone(terminal.environment['TZ']).zone ?? 'UTC';
  const notes = jobNotes(
    configuration,
    createCalendar(() => zone),
    zone,
    Date.now(),
  );
  for (const note of notes) print(terminal, note);
  const { length } = warnings;
  const count = length === 1 ? '1 warning' : `${length} warnings`;
  print(terminal, `${file}: ${length === 0 ? 'no problems' : `no errors, ${count}`}`);
  return EXIT.ok;
}

/** What this host lacks for the jobs. */
async function jobProblems(
  { configuration, placeOf }: LoadedOk,
  { environment }: Terminal,
): Promise<Problem[]> {
  const path = environment['PATH'] ?? PATH_DEFAULT;
  const found = await checkJobsApart(configuration.settings.jobs, { path, isOfShell: true });
  return found.map(({ job, keys, message, isFatal }) => {
    const path = ['jobs', job, ...keys];
    const what = isFatal ? `${message}: the job cannot start` : message;
    return { ...placeOf(path), key: keyOf(path), message: what };
  });
}

export async function showFile(
  file: string,
  asJson: boolean,
  terminal: Terminal,
): Promise<ExitCode> {
  const loaded = await loadOrComplain(file, terminal);
  if (loaded === undefined) return EXIT.badConfiguration;
  const rows = describeEffective(loaded.configuration);
  if (asJson) {
    terminal.stdout.write(`${jsonText({ file, keys: rows }, 2)}\n`);
    return EXIT.ok;
  }
  const keyWidth = Math.max(...rows.map(({ key }) => key.length));
  for (const { key, value, source } of rows) {
    printLine(terminal, `${source.padEnd(11)}  ${key.padEnd(keyWidth)}  ${value}`);
  }
  return EXIT.ok;
}

export function printSchema(terminal: Terminal): ExitCode {
  terminal.stdout.write(`${JSON.stringify(configurationSchema(), null, 2)}\n`);
  return EXIT.ok;
}

type LoadedOk = Extract<Loaded, { readonly ok: true }>;

async function loadOrComplain(file: string, terminal: Terminal): Promise<LoadedOk | undefined> {
  const loaded = await readConfiguration(file, terminal.environment, hostname());
  if (loaded.ok) return loaded;
  for (const problem of loaded.problems) print(terminal, formatProblem(file, problem));
  return undefined;
}
