/** What `config check|show|schema` do. */
import { hostname } from 'node:os';
import type { Configuration } from '../../config/build/configuration.ts';
import { describeEffective } from '../../config/effective.ts';
import { readConfiguration } from '../../config/load.ts';
import { formatProblem, formatWarning } from '../../config/lib/problem.ts';
import { configurationSchema } from '../../config/schema/schema.ts';
import { hostZone } from '../../config/lib/host-zone.ts';
import { createCalendar } from '../../system/calendar.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { jobNotes } from './job-notes.ts';
import { jsonText, print, printLine } from '../terminal/terminal.ts';
import type { Terminal } from '../terminal/terminal.ts';

export async function checkFile(file: string, terminal: Terminal): Promise<ExitCode> {
  const configuration = await loadOrComplain(file, terminal);
  if (configuration === undefined) return EXIT.badConfiguration;
  for (const warning of configuration.warnings) print(terminal, formatWarning(file, warning));
  const zone = hostZone(terminal.environment['TZ']).zone ?? 'UTC';
  const notes = jobNotes(configuration, createCalendar(zone), zone, Date.now());
  for (const note of notes) print(terminal, note);
  const { length } = configuration.warnings;
  const warnings = length === 1 ? '1 warning' : `${length} warnings`;
  print(terminal, `${file}: ${length === 0 ? 'no problems' : `no errors, ${warnings}`}`);
  return EXIT.ok;
}

export async function showFile(
  file: string,
  asJson: boolean,
  terminal: Terminal,
): Promise<ExitCode> {
  const configuration = await loadOrComplain(file, terminal);
  if (configuration === undefined) return EXIT.badConfiguration;
  const rows = describeEffective(configuration);
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

async function loadOrComplain(
  file: string,
  terminal: Terminal,
): Promise<Configuration | undefined> {
  const loaded = await readConfiguration(file, terminal.environment, hostname());
  if (loaded.ok) return loaded.configuration;
  for (const problem of loaded.problems) print(terminal, formatProblem(file, problem));
  return undefined;
}
