/** Queries to a running simulator: its journal, its audit, its switches. Each is a command below `simulate`. */
import { Command, InvalidArgumentError } from 'commander';
import * as z from 'zod';
import { showSwitches } from '../../simulator/lib/behaviour.ts';
import type { JournalEntry } from '../../simulator/audit/journal.ts';
import { journalRow } from '../../simulator/audit/journal-row.ts';
import { EXIT } from '../exit-codes.ts';
import { jsonText } from '../terminal/terminal.ts';
import { plain } from '../terminal/printable.ts';
import { defined } from '../../core/lib/defined.ts';

const DEFAULT_URL = 'http://127.0.0.1:4580';
/** Real time between two queries of --follow. */
const FOLLOW_MS = 500;

interface QueryOptions {
  readonly url: string;
  readonly json?: boolean;
}

export function simulatorQueries(): readonly Command[] {
  return [
    query('journal', 'list the calls that a running simulator received, and its answers')
      .option('--operation <name>', 'only calls of this operation')
      .option('--errors', 'only calls that failed')
      .option('--last <n>', 'only so many calls, the newest', parseCount, 50)
      .option('-f, --follow', 'keep running and print new calls')
      .action(journal),
    query(
      'audit',
      'list the rules of the AWS documents that clients broke; exit code 1 if there are any',
    ).action(audit),
    query('switches', 'list the switches and their values; those of a running simulator with --url')
      .addHelpText('after', '\nExample: migration-agent simulate switches --json')
      .action(switches),
    query('set', 'change switches of a running simulator')
      .argument('<name=value...>', 'such as reportAfterLapse=canceled progressMs=5m')
      .action(set),
  ];
}

function parseCount(text: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) {
    throw new InvalidArgumentError('expected a whole number of at least 1.');
  }
  return Number(text);
}

function query(name: string, description: string): Command {
  const command = new Command(name)
    .description(description)
    .option(
      '--url <url>',
      `URL of the simulator (default: AWS_ENDPOINT_URL, otherwise ${DEFAULT_URL})`,
    );
  return name === 'set' ? command : command.option('--json', 'print JSON');
}

interface JournalOptions extends Partial<QueryOptions> {
  readonly operation?: string;
  readonly errors?: boolean;
  readonly last: number;
  readonly follow?: boolean;
}

async function journal(options: JournalOptions): Promise<void> {
  const query = new URLSearchParams({
    last: String(options.last),
    ...defined({ operation: options.operation }),
    ...(options.errors === true ? { errors: '' } : {}),
  });
  for (;;) {
    const entries = await get<readonly JournalEntry[]>(options, `journal?${query.toString()}`);
    if (entries === undefined) return;
    for (const entry of entries) {
      process.stdout.write(
        options.json === true ? `${jsonText(entry)}\n` : `${journalLine(entry)}\n`,
      );
    }
    if (options.follow !== true) return;
    const newest = entries.at(-1)?.number;
    if (newest !== undefined) query.set('after', String(newest));
    query.delete('last');
    await new Promise((resolve) => setTimeout(resolve, FOLLOW_MS));
  }
}

function journalLine(entry: JournalEntry): string {
  const { at, by, operation, request, answer, tookMs, isGood } = journalRow(entry);
  const took = tookMs === undefined ? '' : ` (${tookMs} ms)`;
  const asked = request === '' ? '' : ` ${request}`;
  return plain(`${at} ${isGood ? ' ' : '!'} ${operation}${asked} -> ${answer}${took} [${by}]`);
}

const auditSchema = z.looseObject({ calls: z.number(), violations: z.array(z.string()) });

async function audit(options: Partial<QueryOptions>): Promise<void> {
  const answer = await get<unknown>(options, 'audit');
  if (answer === undefined) return;
  const { calls, violations } = auditSchema.parse(answer);
  if (options.json === true) process.stdout.write(`${jsonText(answer, 2)}\n`);
  else if (violations.length === 0) {
    process.stdout.write(`${calls} calls; no violations\n`);
  } else process.stdout.write(`${violations.map(plain).join('\n')}\n`);
  if (violations.length > 0) process.exitCode = 1;
}

async function switches(options: Partial<QueryOptions>): Promise<void> {
  const isOfRunning = options.url !== undefined;
  const shown = isOfRunning
    ? await get<ReturnType<typeof showSwitches>>(options, 'switches')
    : showSwitches();
  if (shown === undefined) return;
  if (options.json === true) {
    process.stdout.write(`${jsonText(shown, 2)}\n`);
    return;
  }
  for (const { name, value, accepts, description: says } of shown) {
    process.stdout.write(`${plain(`${name}=${value}  (${accepts})`)}\n    ${plain(says)}\n`);
  }
}

async function set(changes: readonly string[], options: Partial<QueryOptions>): Promise<void> {
  const body = Object.fromEntries(
    changes.map((each) => {
      const [name = '', ...rest] = each.split('=');
      return [name, rest.join('=')];
    }),
  );
  await get<unknown>(options, 'switches', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
}

/** Undefined after an error, which is printed; the exit code is set. */
async function get<T>(
  { url }: Partial<QueryOptions>,
  path: string,
  request?: RequestInit,
): Promise<T | undefined> {
  const base = url ?? process.env['AWS_ENDPOINT_URL'] ?? DEFAULT_URL;
  try {
    const response = await fetch(new URL(`/_simulator/${path}`, base), request);
    const answer = (await response.json()) as T;
    if (response.ok) return answer;
    const { message = response.statusText } = answer as { readonly message?: string };
    process.stderr.write(`simulate: ${plain(message)}\n`);
    process.exitCode = EXIT.usage;
  } catch {
    process.stderr.write(
      `simulate: no simulator answers at ${base}. Start one with: migration-agent simulate\n`,
    );
    process.exitCode = EXIT.noDaemon;
  }
  return undefined;
}
