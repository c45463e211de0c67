/** pg_restore's messages, as captured from pg_restore 15.18 with one connection and with -j 2. */
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { archiveOf, createPgRestoreParser } from '../../../src/jobs/progress/pg-restore.ts';
import { fixtures, makeRun, withHosts } from '../support.ts';
import { readFileSync } from 'node:fs';

function captured(name: string): string[] {
  return readFileSync(join(fixtures, name), 'utf8').split('\n').slice(0, -1);
}

test('one connection: the entry that has begun is not done yet', () => {
  const read = createPgRestoreParser(() => 18);
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
  const read = createPgRestoreParser(() => 18);
  const reported = captured('pg-restore-parallel.txt')
    .map((line) => read(line, 'stderr'))
    .filter((progress) => progress !== undefined);
  expect(reported[0]).toEqual({ percent: 5, detail: '1 of 18 entries, SCHEMA s' });
  expect(reported.at(-1)).toEqual({
    percent: 100,
    detail: '18 of 18 entries, finished FK CONSTRAINT t2 t2_id_fkey',
  });
  const percents = reported.map(({ percent }) => percent!);
  expect(percents).toEqual([...percents].sort((a, b) => a - b));
});

test('parallel: an entry counts also where two processes have written into one line', () => {
  const read = createPgRestoreParser(() => 3);
  const reported = [
    'pg_restore: finished item 3785 TABLE t1',
    'pg_restore:pg_restore:  executing SEQUENCE SET t2_id_seq',
    'finished item 3787 SEQUENCE SET t29_id_seq',
    'pg_restore: pg_restore: finished item 3789 TABLE DATA t1',
  ].flatMap((line) => read(line, 'stderr')?.percent ?? []);
  expect(reported).toEqual([33, 66, 100]);
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
  expect(archive(['restore.sh', '/srv/a.dump'])).toBeUndefined();
  expect(archive(['restore.sh'], '/srv/b.dump')).toBe('/srv/b.dump');
  expect(archive(['pg_restore'])).toBeUndefined();
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
