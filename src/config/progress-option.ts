/** How progress is named on the command line: `--progress rsync`, `regex:PATTERN`, `size:TARGET:TOTAL`. */
import { PLAIN_PARSERS } from '../core/model/job.ts';
import type { ProgressSource } from '../core/model/job.ts';
import { progressOf } from './build/build.ts';
import { parseSize } from './lib/size.ts';
import { progressSource } from './schema/job.ts';
import { nearest } from './lib/suggest.ts';

export type ProgressOption =
  | { readonly ok: true; readonly progress: ProgressSource }
  | { readonly ok: false; readonly problem: string };

const PLAIN = [...PLAIN_PARSERS, 'pg_restore', 'dd', 'tar'] as const;

const PROGRESS_SPELLINGS =
  'auto, rsync, pv, percent, json, pg_restore[:ARCHIVE], pg_basebackup, rclone, restic, qemu_img, aws_s3, dd[:TOTAL], tar[:TOTAL], regex:PATTERN, size:TARGET:TOTAL, size:TARGET:SOURCE or none';

/** Never throws; a problem says what to write instead. */
export function parseProgressOption(option: string): ProgressOption {
  const plain = PLAIN.find((parser) => parser === option);
  if (plain !== undefined) return { ok: true, progress: { parser: plain } };
  const [, parser = '', rest = ''] = /^(\w+):(.*)$/s.exec(option) ?? [];
  if (parser === 'regex') return checked({ parser, pattern: rest });
  if (parser === 'pg_restore' && rest !== '') return checked({ parser, archive: rest });
  if ((parser === 'dd' || parser === 'tar') && rest !== '') return checked({ parser, total: rest });
  if (parser === 'size') return parseSizeOption(rest);
  const meant = nearest(option, [...PLAIN, 'regex', 'size']);
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
  return { ok: false, problem: `expected ${PROGRESS_SPELLINGS}, found "${option}"${hint}` };
}

/** The total is what follows the last colon: a target may hold one. */
function parseSizeOption(rest: string): ProgressOption {
  const colon = rest.lastIndexOf(':');
  const target = rest.slice(0, Math.max(0, colon));
  const last = rest.slice(colon + 1);
  if (target === '' || last === '') {
    return { ok: false, problem: 'expected size:TARGET:TOTAL such as size:/srv/b:10GB' };
  }
  const total = last.startsWith('/') ? undefined : last;
  if (total !== undefined && parseSize(total) === undefined) {
    const problem = `expected a size such as 10GB, or the path of the source, found "${total}"`;
    return { ok: false, problem };
  }
  return checked(
    total === undefined
      ? { parser: 'size', target, source: last }
      : { parser: 'size', target, total },
  );
}

function checked(written: Readonly<Record<string, unknown>>): ProgressOption {
  const result = progressSource.safeParse(written);
  if (!result.success) {
    const [issue] = result.error.issues;
    const key = issue?.path.join('.') ?? '';
    return { ok: false, problem: `${key} ${issue?.message ?? 'is wrong'}`.trim() };
  }
  return { ok: true, progress: progressOf(result.data) };
}
