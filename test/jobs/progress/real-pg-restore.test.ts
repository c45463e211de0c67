/** The real pg_restore, from a real dump into a real database. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postgresPrograms, startPostgres } from '../../support/postgres.ts';
import type { Event } from '../../../src/core/model/event.ts';
import type { Postgres } from '../../support/postgres.ts';
import { makeRun, withHosts } from '../support.ts';
import { IS_LONG } from '../../support/long-run.ts';

const skipped = postgresPrograms === '' ? ' (skipped: PostgreSQL is not installed)' : '';

/** Sixteen tables with keys, indices, comments and rows, and a large object. */
const SCHEMA = `
  do $$ begin for i in 1..16 loop
    execute format('create table t%s (id serial primary key, words text, at timestamptz default now())', i);
    execute format('create index on t%s (words)', i);
    execute format('comment on table t%s is ''table %s''', i, i);
    execute format('insert into t%s (words) select md5(n::text) from generate_series(1, 500) n', i);
  end loop; end $$;
  create view v as select * from t1;
  create schema other;
  create table other.o1 (id int primary key, words text);
  insert into other.o1 select n, md5(n::text) from generate_series(1, 100) n;
  create index o1_words on other.o1 (words);
  select lo_from_bytea(0, '\\x68756e74657232');`;

type Progress = Extract<Event, { type: 'progress-read' }>;

let databases = 0;

describe.skipIf(postgresPrograms === '')(`pg_restore${skipped}`, () => {
  let postgres: Postgres;
  beforeAll(async () => {
    postgres = await startPostgres();
    postgres.run('createdb', 'source');
    postgres.run('psql', '-q', '-d', 'source', '-v', 'ON_ERROR_STOP=1', '-c', SCHEMA);
    postgres.run('pg_dump', '-Fc', '-f', join(postgres.host, 'source.dump'), 'source');
  }, 120_000);
  afterAll(() => postgres.stop());

  test.each([
    ['with one connection', []],
    ['with three', ['-j', '3']],
  ])('%s: rises to its end, and the end is all of the entries', (_how, options) =>
    withHosts(async (newHost) => {
      const archive = join(postgres.host, 'source.dump');
      const restored = async (database: string): Promise<Progress[]> => {
        postgres.run('createdb', database);
        const program = join(postgresPrograms, 'pg_restore');
        const run = makeRun([program, '-v', ...options, '-d', database, archive], {
          environment: { PGHOST: postgres.host, PGUSER: postgres.user, LC_ALL: 'C' },
          progress: { parser: 'pg_restore' },
        });
        const host = newHost();
        host.host.start(run);
        expect(await host.event('run-exited')).toMatchObject({ exitCode: 0 });
        return host.all('progress-read');
      };
      let database = '';
      let reported: Progress[] = [];
      // On a busy machine a restore may end before its entries have been listed.
      for (let attempt = 0; reported.at(-1)?.percent === undefined && attempt < 20; attempt++) {
        database = `target${options.length}_${attempt}`;
        reported = await restored(database);
      }
      const percents = reported
        .map(({ percent }) => percent)
        .filter((percent) => percent !== undefined);
      expect(percents).toEqual(percents.toSorted((a, b) => a - b));
      const entries = postgres
        .run('pg_restore', '-l', archive)
        .split('\n')
        .filter((line) => /^\d+;/.test(line)).length;
      expect(entries).toBeGreaterThan(100);
      expect(reported.at(-1)).toMatchObject({
        percent: 100,
        detail: `${entries} of ${entries} entries, all restored`,
      });
      const rows = postgres.run('psql', '-At', '-d', database, '-c', 'select count(*) from t16');
      expect(rows).toBe('500\n');
    }),
  );

  describe('with a selection', () => {
    let list = '';
    beforeAll(() => {
      list = join(postgres.host, 'list');
      const archive = join(postgres.host, 'source.dump');
      const lines = postgres.run('pg_restore', '-l', archive).split('\n');
      // Without the rows and indices of half of the tables, as an operator comments entries out with `;`.
      const kept = lines.map((line) =>
        /(DATA|INDEX) public t\d?[13579]\b/.test(line) ? `;${line}` : line,
      );
      writeFileSync(list, kept.join('\n'));
    });

    type Selection = [name: string, options: (list: string) => string[], needsSchema?: boolean];
    const selections: Selection[] = [
      ['a schema', () => ['-n', 'public']],
      ['a schema, four connections', () => ['-j', '4', '--schema=public']],
      ['a table in one word', () => ['-tt7']],
      ['rows of a table of another schema', () => ['-an', 'other', '-t', 'o1'], true],
      ['definitions', () => ['--section=pre-data']],
      ['rows', () => ['--section', 'data', '-n', 'public', '--no-comments'], true],
      ['rows, three connections', () => ['-j3', '-an', 'public'], true],
      ['definitions and rows', () => ['--section=pre-data', '--section=data']],
      ['a list', (file) => ['-L', file]],
      ['a list, two connections', (file) => ['--jobs', '2', '--use-list', file]],
      ['no rows', () => ['-sx']],
    ];

    /** Those that select in different ways. */
    const some = selections.filter(([name]) => / schema$|four|two/.test(name));
    test.each<Selection>(IS_LONG ? selections : some)(
      '%s: ends at all of its entries',
      (_name, optionsFor, needsSchema) =>
        withHosts(async (newHost) => {
          const database = `selected${(databases += 1)}`;
          const archive = join(postgres.host, 'source.dump');
          postgres.run('createdb', database);
          if (needsSchema === true) postgres.run('pg_restore', '-s', '-d', database, archive);
          const options = optionsFor(list);
          const command = [
            join(postgresPrograms, 'pg_restore'),
            '-v',
            '-d',
            database,
            archive,
            ...options,
          ];
          const environment = { PGHOST: postgres.host, PGUSER: postgres.user, LC_ALL: 'C' };
          const host = newHost();
          const run = makeRun(command, { environment, progress: { parser: 'auto' } });
          host.host.start(run);
          const { exitCode } = await host.event('run-exited');
          const selected = postgres
            .run(
              'pg_restore',
              '-l',
              ...options.filter((option) => !/^(-j\d?|\d|--jobs)$/.test(option)),
              archive,
            )
            .split('\n')
            .filter((line) => /^\d+;/.test(line)).length;
          const reported = host.all('progress-read');
          const percents = reported.flatMap(({ percent }) => percent ?? []);
          expect(percents).toEqual(percents.toSorted((a, b) => a - b));
          const last = reported.at(-1)?.detail;
          // A restore of some milliseconds may have ended before the list of what it takes was read; no number may be wrong.
          const all = [`${selected} of ${selected} entries`, `${selected} entries`];
          expect(all.map((entries) => `${entries}, all restored`)).toContain(last);
          expect(exitCode).toBe(0);
        }),
    );
  });

  test('that ends in an error does not say that all was restored', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const archive = join(postgres.host, 'source.dump');
      const command = [join(postgresPrograms, 'pg_restore'), '-v', '-d', 'nowhere', archive];
      const run = makeRun(command, {
        environment: { PGHOST: postgres.host, PGUSER: postgres.user, LC_ALL: 'C' },
        progress: { parser: 'pg_restore' },
      });
      host.host.start(run);
      const { exitCode, errorTail } = await host.event('run-exited');
      expect(exitCode).toBe(1);
      expect(errorTail).toContain('database "nowhere" does not exist');
      expect(host.all('progress-read')).toEqual([]);
    }));
});
