/** A MariaDB server of the test's own: in a directory of its own, on a Unix socket alone. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { until } from './until.ts';

const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin`;

/** What is missing here; undefined: nothing. */
export function mariadbMissing(): string | undefined {
  return ['mariadbd', 'mariadb-install-db', 'mysqldump', 'mysql'].find((program) => {
    try {
      execFileSync('sh', ['-c', 'command -v "$1"', 'sh', program], { env: { PATH } });
      return false;
    } catch {
      return true;
    }
  });
}

export interface Mariadb {
  /** Options of its clients. */
  readonly options: readonly string[];
  /** Runs SQL and returns the rows. */
  query(sql: string): string;
  stop(): Promise<void>;
}

export async function startMariadb(): Promise<Mariadb> {
  const directory = mkdtempSync(join(tmpdir(), 'migration-agent-my-'));
  const data = `--datadir=${join(directory, 'data')}`;
  const user = `--user=${userInfo().username}`;
  const env = { PATH, HOME: directory, LC_ALL: 'C' };
  const make = ['--no-defaults', data, user, '--auth-root-authentication-method=normal'];
  execFileSync('mariadb-install-db', [...make, '--skip-test-db'], { env, stdio: 'pipe' });
  const socket = join(directory, 'socket');
  const server = spawn(
    'mariadbd',
    ['--no-defaults', data, user, `--socket=${socket}`, '--skip-networking', '--skip-log-bin'],
    { env, stdio: 'ignore' },
  );
  const ended = once(server, 'exit');
  const options = ['--no-defaults', '-u', 'root', '-S', socket];
  const query = (sql: string): string =>
    execFileSync('mysql', [...options, '-N', '-B'], { env, input: sql, encoding: 'utf8' });
  await until('MariaDB answers', () => {
    try {
      return (
        execFileSync('mysql', [...options, '-e', 'select 1'], { env, stdio: 'pipe' }).length > 0
      );
    } catch {
      return false;
    }
  });
  return {
    options,
    query,
    async stop() {
      server.kill('SIGTERM');
      await ended;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
