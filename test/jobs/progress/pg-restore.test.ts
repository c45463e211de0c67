/** pg_restore's messages, as captured from pg_restore 15.18 with one connection and with -j 2. */
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { archiveOf, createPgRestoreParser } from '../../../src/jobs/progress/pg-restore.ts';
import { pgRestoreArguments } from '../../../src/jobs/progress/pg-restore-options.ts';
import { fixtures, makeRun, withHosts } from '../support.ts';
import { readFileSync } from 'node:fs';

function captured(name: string): string[] {
  return readFileSync(join(fixtures, name), 'utf8').split('\n').slice(0, -1);
}

/** The numbers of the entries that pg_restore -l lists. */
const LISTED = new Set(
  captured('pg-restore-list.txt').flatMap((line) => /^(\d+);/.exec(line)?.[1] ?? []),
);

test('one connection: the entry that has begun is not done yet', () => {
  const read = createPgRestoreParser(() => LISTED);
  const reported = captured('pg-restore-serial.txt').map((line) => read(line, 'stderr'));
  expect(reported[0]).toBeUndefined();
  expect(reported[1]).toEqual({ percent: 0, detail: '0 of 18 entries, creating SCHEMA "s"' });
  expect(reported[11]).toEqual({
    percent: 55,
    detail: '10 of 18 entries, processing data for table "public.t1"',
  });
  // restoring and restored large objects are parts of an entry.
  expect(reported.filter(Boolean)).toHaveLength(18);
  expect(reported.at(-1)?.percent).toBe(94);
});

test('parallel: entries count by their numbers, each once', () => {
  const read = createPgRestoreParser(() => LISTED);
  const reported = captured('pg-restore-parallel.txt')
    .map((line) => read(line, 'stderr'))
    .filter((progress) => progress !== undefined);
  // `processing` is printed before the work, `finished` after it.
  expect(reported[0]).toEqual({ percent: 0, detail: '0 of 18 entries, SCHEMA s' });
  expect(reported.at(-1)).toEqual({
    percent: 100,
    detail: '18 of 18 entries, finished FK CONSTRAINT t2 t2_id_fkey',
  });
  const percents = reported.map(({ percent }) => percent!);
  expect(percents).toEqual([...percents].sort((a, b) => a - b));
});

test('parallel: an entry counts also where two processes have written into one line', () => {
  const read = createPgRestoreParser(() => new Set(['3785', '3787', '3789']));
  const reported = [
    'pg_restore: finished item 3785 TABLE t1',
    'pg_restore:pg_restore:  executing SEQUENCE SET t2_id_seq',
    'finished item 3787 SEQUENCE SET t29_id_seq',
    'pg_restore: pg_restore: finished item 3789 TABLE DATA t1',
  ].flatMap((line) => read(line, 'stderr')?.percent ?? []);
  expect(reported).toEqual([33, 66, 100]);
});

test('parallel: the list that comes after the last entry counts at the end', () => {
  const archive: { entries?: ReadonlySet<string> } = {};
  const read = createPgRestoreParser(() => archive.entries);
  for (const item of ['1', '2', '3']) {
    expect(read(`pg_restore: finished item ${item} TABLE t`, 'stderr')).toEqual({
      detail: `${item} entries, finished TABLE t`,
    });
  }
  archive.entries = new Set(['1', '3']);
  expect(read.ended?.()).toEqual({ percent: 100, detail: '2 of 2 entries, all restored' });
});

test('parallel: entries that are not selected are printed, too, and do not count', () => {
  const archive: { entries?: ReadonlySet<string> } = {};
  const read = createPgRestoreParser(() => archive.entries);
  const percentAfter = (line: string): number | undefined => read(line, 'stderr')?.percent;
  percentAfter('pg_restore: processing item 6 SCHEMA sales');
  percentAfter('pg_restore: processing item 216 TABLE t1');
  archive.entries = new Set(['216', '3569', '3572', '3575']);
  expect(percentAfter('pg_restore: processing item 877 TYPE mood')).toBeUndefined();
  percentAfter('pg_restore: entering main parallel loop');
  expect(percentAfter('pg_restore: skipping item 3344 CONSTRAINT t2 t2_pkey')).toBeUndefined();
  expect(percentAfter('pg_restore: finished item 3569 TABLE DATA t1')).toBe(50);
  expect(percentAfter('pg_restore: finished item 3344 CONSTRAINT t2 t2_pkey')).toBeUndefined();
  expect(percentAfter('pg_restore: processing missed item 3572 TABLE DATA t2')).toBe(50);
  expect(percentAfter('pg_restore: finished item 3575 TABLE DATA t3')).toBe(100);
  expect(read.ended?.()).toEqual({ percent: 100, detail: '4 of 4 entries, all restored' });
});

test('without a total entries are reported, and no percent', () => {
  const read = createPgRestoreParser(() => undefined);
  expect(read('pg_restore: creating TABLE "public.t1"', 'stderr')).toEqual({
    detail: '0 entries, creating TABLE "public.t1"',
  });
});

test('the archive is the one that is named, or the last argument', () => {
  const archive = (command: string[], named?: string): string | undefined =>
    archiveOf(
      makeRun(command, {
        progress: { parser: 'pg_restore', ...(named === undefined ? {} : { archive: named }) },
      }).definition,
    );
  expect(archive(['/usr/bin/pg_restore', '-v', '-d', 'a', '/srv/a.dump'])).toBe('/srv/a.dump');
  expect(archive(['pg_restore', '-v', '/srv/a.dump', '-d', 'a'])).toBe('/srv/a.dump');
  expect(archive(['pg_restore', '-vd', 'a', '--jobs', '3', '--', '/srv/a.dump'])).toBe(
    '/srv/a.dump',
  );
  expect(archive(['pg_restore', '-v', '-d', 'a'])).toBeUndefined();
  expect(archive(['restore.sh', '/srv/a.dump'])).toBeUndefined();
  expect(archive(['restore.sh'], '/srv/b.dump')).toBe('/srv/b.dump');
  expect(archive(['pg_restore'])).toBeUndefined();
});

test.each([
  ['-v -n sales -d a x.dump', '-n sales'],
  ['-avn sales -j4 x.dump', '-a -n sales'],
  ['-vnsales -tp1 -t p2 x.dump', '-n sales -t p1 -t p2'],
  ['--schema=sales --exclude-schema public -v x.dump', '--schema=sales --exclude-schema=public'],
  ['--sect=data --section pre-data -d=x x.dump', '--section=data --section=pre-data'],
  ['-vL list -h /run -p 5432 -U me x.dump', '-L list'],
  ['-csx --no-comments --role me --no-owner x.dump', '-s -x --no-comments'],
  ['-C -v -I t_idx -P f(int) -T tr x.dump', '-C -I t_idx -P f(int) -T tr'],
  ['-v x.dump -f - -F c -S super -X all', ''],
])('of pg_restore %s, these select entries: %s', (args, selection) => {
  const read = pgRestoreArguments(args.split(' '));
  expect(read.selection.join(' ')).toBe(selection);
  expect(read.operands).toEqual(['x.dump']);
});

test('a run counts the table of contents as its own pg_restore lists it', () =>
  withHosts(async (newHost, directory) => {
    const program = join(directory, 'pg_restore');
    // Lists like the real one; restores once somebody has asked for the list.
    await writeFile(
      program,
      `#!/bin/sh
       if [ "$1" = -l ]; then cat ${join(fixtures, 'pg-restore-list.txt')}; : > listed; exit; fi
       until [ -e listed ]; do sleep 0.02; done
       head -n 12 ${join(fixtures, 'pg-restore-serial.txt')} >&2; sleep 0.3; echo end >&2; sleep 600`,
    );
    await chmod(program, 0o755);
    const host = newHost();
    const definition = {
      workingDirectory: directory,
      progress: { parser: 'pg_restore' },
    } as const;
    host.host.start(makeRun([program, '-v', 'a.dump'], definition));
    const { percent, detail } = await host.event('progress-read');
    expect(detail).toContain('10 of 18 entries');
    expect(percent).toBe(55);
  }));
