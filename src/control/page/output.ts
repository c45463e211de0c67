/** `/jobs/NAME/output.json`: the end of a run's output, then what is written from there on. */
import { stripVTControlCharacters } from 'node:util';
import { defined } from '../../core/lib/defined.ts';
import { maskSecrets } from '../../core/lib/secrets.ts';
import type { Operator } from '../../ports.ts';
import { readLog } from '../lib/output-tail.ts';
import type { LogReader } from '../lib/log-reader.ts';
import type { OutputDocument } from './documents.ts';

/** At first the last lines, as many as a screen holds. */
const FIRST_LINES = 200;
/** In one answer. */
const BYTES_MAX = 64 * 1024;

export interface OutputOptions {
  readonly operator: Operator;
  readonly openLog: (job: string, run: number, stream: 'stdout' | 'stderr') => LogReader;
}

/** `undefined` if there is no such job. */
export async function outputDocument(
  { operator, openLog }: OutputOptions,
  name: string,
  query: URLSearchParams,
): Promise<OutputDocument | undefined> {
  const job = operator.job(name);
  if (job === undefined) return undefined;
  const { run, endedAt } = job;
  if (run === undefined) return nothing('This job has never run.', run);
  if (job.origin === 'tracked') return nothing('The agent only tracks this job.', run);
  const stream = query.get('stream') === 'stderr' ? 'stderr' : 'stdout';
  const log = openLog(name, run, stream);
  const from = Number(query.get('from') ?? NaN);
  const isSameRun = query.get('run') === String(run) && Number.isSafeInteger(from) && from >= 0;
  const end = await log.end();
  if (end === undefined) return nothing(`Nothing was written to ${stream}.`, run);
  const begin = isSameRun ? from : Math.max(await log.begin(FIRST_LINES), end - BYTES_MAX);
  const { bytes, position } = await readLog(log, begin, BYTES_MAX);
  // A line that is not complete yet comes with the next piece: half a secret would not be recognised.
  const length =
    endedAt === undefined && bytes.length < BYTES_MAX ? bytes.lastIndexOf(0x0a) + 1 : bytes.length;
  const text = stripVTControlCharacters(bytes.subarray(0, length).toString('utf8'));
  return {
    schema: 1,
    run,
    text: maskSecrets(text.replaceAll('\r', '\n')),
    next: position + length,
  };
}

function nothing(remark: string, run: number | undefined): OutputDocument {
  return { schema: 1, ...defined({ run }), text: '', next: 0, remark };
}
