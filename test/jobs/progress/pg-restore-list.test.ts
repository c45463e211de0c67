/** Listing the entries of an archive, and a list that comes late: pg_restore itself is played here. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { createPgRestoreParser, listEntries } from '../../../src/jobs/progress/pg-restore.ts';
import { makeRun } from '../support.ts';
import { FakeHelper } from './fake-helper.ts';

let helpers: FakeHelper[] = [];
vi.mock(import('../../../src/jobs/process/helper.ts'), async (original) => ({
  ...(await original()),
  startHelper: (_launch, command, signal) => {
    const helper = new FakeHelper(command, signal);
    helpers.push(helper);
    return helper.asHelper;
  },
}));

let closing: AbortController;
beforeEach(() => {
  helpers = [];
  closing = new AbortController();
});

function list(...command: string[]): Promise<ReadonlySet<string> | undefined> {
  const progress = { parser: 'pg_restore' } as const;
  return listEntries(
    makeRun(command, { progress }).definition,
    { cwd: '/', env: {} },
    closing.signal,
  );
}

const LIST = `;
; Archive created at 2026-11-27
;
6; 2615 16385 SCHEMA - s postgres
217; 1259 16386 TABLE s t1 postgres
 3570; 0 0 COMMENT - looks like one
x7; 0 0 is none
`;

describe('the entries of an archive', () => {
  test('are listed by the program of the job, with its own selection', async () => {
    const found = list('/opt/pg/bin/pg_restore', '-v', '-n', 's', '-j', '3', 'a.dump');
    const [helper] = helpers;
    expect(helper?.command).toEqual(['/opt/pg/bin/pg_restore', '-l', '-n', 's', '--', 'a.dump']);
    helper?.stdout.write(LIST);
    await helper?.end(0);
    expect(await found).toEqual(new Set(['6', '217']));
  });

  test('are not known if the list ends otherwise than well, or cannot be made', async () => {
    const failed = list('pg_restore', '-v', 'a.dump');
    helpers[0]?.stdout.write(LIST);
    await helpers[0]?.end(1);
    expect(await failed).toBeUndefined();
    const missing = list('pg_restore', '-v', 'a.dump');
    helpers[1]?.emit('error', new Error('spawn pg_restore ENOENT'));
    helpers[1]?.stdout.end();
    expect(await missing).toBeUndefined();
  });

  test('are not asked for without an archive', async () => {
    expect(await list('pg_restore', '-v', '-d', 'a')).toBeUndefined();
    expect(helpers).toEqual([]);
  });

  test('are given up by an agent that stops', async () => {
    const given = list('pg_restore', '-v', 'a.dump');
    closing.abort();
    expect(helpers[0]?.signal.aborted).toBe(true);
    await helpers[0]?.end(null);
    expect(await given).toBeUndefined();
  });
});

describe('a list that comes late', () => {
  const archive: { entries?: ReadonlySet<string> } = {};
  beforeEach(() => {
    delete archive.entries;
  });
  const parser = () => createPgRestoreParser(() => archive.entries);

  test('takes those away that are not selected, once', () => {
    const read = parser();
    for (const item of ['1', '2', '3']) {
      expect(read(`pg_restore: finished item ${item} TABLE t`, 'stderr')).toEqual({
        detail: `${item} entries, finished TABLE t`,
      });
    }
    archive.entries = new Set(['1', '3', '4', '5']);
    expect(read('pg_restore: finished item 4 TABLE t', 'stderr')).toEqual({
      ...{ percent: 75, detail: '3 of 4 entries, finished TABLE t' },
    });
    expect(read('pg_restore: finished item 2 TABLE t', 'stderr')).toBeUndefined();
    expect(read('pg_restore: finished item 5 TABLE t', 'stderr')).toMatchObject({ percent: 100 });
  });

  test('takes away the one that had begun', () => {
    const read = parser();
    read('pg_restore: processing item 2 TABLE t', 'stderr');
    archive.entries = new Set(['1', '3']);
    expect(read('pg_restore: processing item 1 TABLE t', 'stderr')).toMatchObject({ percent: 0 });
    expect(read.ended?.()).toEqual({ percent: 50, detail: '1 of 2 entries, all restored' });
  });

  test('gives the entries of one connection their total', () => {
    const read = parser();
    read('pg_restore: creating TABLE "t"', 'stderr');
    archive.entries = new Set(['1', '2', '3', '4']);
    expect(read('pg_restore: creating TABLE "u"', 'stderr')).toEqual({
      ...{ percent: 25, detail: '1 of 4 entries, creating TABLE "u"' },
    });
    expect(read.ended?.()).toEqual({ percent: 50, detail: '2 of 4 entries, all restored' });
  });

  test('a command that printed nothing has restored nothing that is known', () => {
    const read = parser();
    archive.entries = new Set(['1']);
    expect(read.ended?.()).toBeUndefined();
  });
});
