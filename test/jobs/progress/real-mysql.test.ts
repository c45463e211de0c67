/** mysqldump through pv into a file, and the file through pv into mysql, with a real MariaDB server. */
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mariadbMissing, startMariadb } from '../../support/mariadb.ts';
import type { Mariadb } from '../../support/mariadb.ts';
import { isInstalled, makeRun, sh, withHosts } from '../support.ts';
import type { Host } from '../support.ts';
import { readOf } from './tool-runs.ts';

const missing = isInstalled('pv') ? mariadbMissing() : 'pv';
const skipped = missing === undefined ? '' : ` (skipped: ${missing} is not installed)`;

/** 40,000 rows of some 130 bytes. */
const ROWS = 40_000;
const SCHEMA = `
  create database source; create database target; use source;
  create table files (id int primary key, path varchar(200) not null, at datetime not null);
  insert into files select seq, repeat(md5(seq), 3), now() from seq_1_to_${ROWS};`;

describe.skipIf(missing !== undefined)(`a database through pv${skipped}`, () => {
  let mariadb: Mariadb;
  beforeAll(async () => {
    mariadb = await startMariadb();
    mariadb.query(SCHEMA);
  }, 120_000);
  afterAll(() => mariadb.stop());

  /** Follows a job to its end; the percent is never more than five points above what is done. */
  async function follow(host: Host, script: string, truth: () => number): Promise<number[]> {
    host.host.start(makeRun(sh(script), { progress: { parser: 'auto' } }));
    while (!host.types().includes('run-exited')) {
      const percent = host.all('progress-read').at(-1)?.percent ?? 0;
      expect(percent).toBeLessThanOrEqual(truth() + 5);
      await sleep(200);
    }
    expect(host.all('run-exited')).toMatchObject([{ exitCode: 0 }]);
    const found = host.all('progress-read').flatMap(({ percent }) => percent ?? []);
    expect(found).toEqual(found.toSorted((a, b) => a - b));
    expect(found.some((percent) => percent > 5 && percent < 95)).toBe(true);
    expect(found.at(-1)).toBeGreaterThan(95);
    return found;
  }

  test('mysqldump | pv, and pv | mysql: percent as the bytes go by, and every row arrives', () =>
    withHosts(async (newHost, directory) => {
      const dump = join(directory, 'dump.sql');
      const client = mariadb.options.join(' ');
      const whole = execFileSync('mysqldump', [...mariadb.options, 'source'], {
        maxBuffer: 100_000_000,
      }).length;
      const limit = `-i 0.3 -L ${Math.round(whole / 6)}`;
      await follow(
        newHost(),
        `mysqldump ${client} source | pv -n ${limit} -s ${whole} > ${dump}`,
        () => (sizeOf(dump) / whole) * 100,
      );
      expect(Math.abs(sizeOf(dump) - whole)).toBeLessThan(200);
      await follow(
        newHost(),
        `pv -n ${limit} ${dump} | mysql ${client} target`,
        readOf(dump, whole),
      );
      expect(mariadb.query('select count(*) from target.files').trim()).toBe(String(ROWS));
    }));
});

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
