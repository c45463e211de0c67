/**
 * Names of migration tasks. The model forbids `:` and `|`, and IAM makes `* ? $ /` ambiguous in a resource. In a name
 * that has one of them, it is replaced by `_`, and a short hash of the original is appended: the name is then legal and
 * stable, and still differs from every other name.
 */
import type { Run } from '../model/job.ts';
import { iso } from '../lib/time.ts';

/** MODEL MigrationTaskName: 1..256 code points. */
const NAME_LENGTH_MAX = 256;
const HASH_LENGTH = 9;

/** The task name of a run by its template. `{date}` is the day on which the run was requested, in UTC. */
export function hubTaskName(template: string, run: Run, host: string): string {
  const values: Readonly<Record<string, string>> = {
    job: run.job,
    run: String(run.number),
    host,
    date: iso(run.requestedAt.wallMs).slice(0, 10),
  };
  return legalName(template.replaceAll(/\{(\w+)\}/g, (whole, key: string) => values[key] ?? whole));
}

export function legalName(name: string): string {
  const replaced = name.replaceAll(/[:|*?$/\\\u0000-\u001f\u007f\p{Cs}]/gu, '_');
  const points = Array.from(replaced);
  if (replaced === name && points.length > 0 && points.length <= NAME_LENGTH_MAX) return name;
  return `${points.slice(0, NAME_LENGTH_MAX - HASH_LENGTH).join('')}-${hash(name)}`;
}

/** FNV-1a, 32 bits, 8 hexadecimal digits: it makes names differ and hides nothing. */
function hash(text: string): string {
  let value = 0x811c9dc5;
  for (const point of text) {
    value = Math.imul(value ^ (point.codePointAt(0) ?? 0), 0x01000193);
  }
  return (value >>> 0).toString(16).padStart(8, '0');
}
