/** The real pg_restore, from a real dump into a real database. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postgresPrograms, startPostgres } from '../../support/postgres.ts';
import type { Postgres } from '../../support/postgres.ts';
import { makeRun, withHosts } from '../support.ts';

const skipped = postgresPrograms === '' ? ' (skipped: PostgreSQL is not installed)' : '';

/** Thirty tables with keys, indices, comments and rows, and a large object. */
const SCHEMA = `
  do $$ begin for i in 1..30 loop
    execute format('create table t%s (id serial primary key, words text, at timestamptz default now())', i);
    execute format('create index on t%s (words)', i);
    execute format('comment on table t%s is ''table %s''', i, i);
    execute format('insert into t%s (words) select md5(n::text) from generate_series(1, 500) n', i);
  end loop; end $$;
  create view v as select * from t1;
  select lo_from_bytea(0, '\\x68756e74657232');`;

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
      const database = `target${options.length}`;
      postgres.run('createdb', database);
      const host = newHost();
      const archive = join(postgres.host, 'source.dump');
      const command = [
        join(postgresPrograms, 'pg_restore'),
        '-v',
        ...options,
        '-d',
        database,
        archive,
      ];
      const run = makeRun(command, {
        environment: { PGHOST: postgres.host, PGUSER: postgres.user, LC_ALL: 'C' },
        progress: { parser: 'pg_restore' },
      });
      host.host.start(run);
      expect(await host.event('run-exited')).toMatchObject({ exitCode: 0 });
      const reported = host.all('progress-read');
      const percents = reported
        .map(({ percent }) => percent)
        .filter((percent) => percent !== undefined);
      expect(percents).toEqual(percents.toSorted((a, b) => a - b));
      const entries = postgres
        .run('pg_restore', '-l', archive)
        .split('\n')
        .filter((line) => /^\d+;/.test(line)).length;
      expect(entries).toBeGreaterThan(150);
      expect(reported.at(-1)).toMatchObject({
        percent: 100,
        detail: `${entries} of ${entries} entries, all restored`,
      });
      const rows = postgres.run('psql', '-At', '-d', database, '-c', 'select count(*) from t30');
      expect(rows).toBe('500\n');
    }),
  );

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
