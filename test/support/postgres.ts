/** A PostgreSQL of the test's own: in a directory of its own, on a Unix socket alone, not as root. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './until.ts';

/** Where Debian keeps the programs of the newest version; empty: not installed. */
export const postgresPrograms: string = newest('/usr/lib/postgresql') ?? '';

export interface Postgres {
  /** Socket directory: PGHOST of its clients. */
  readonly host: string;
  readonly user: string;
  /** Runs a program of PostgreSQL as the database's owner. */
  run(program: string, ...args: readonly string[]): string;
  stop(): Promise<void>;
}

export async function startPostgres(): Promise<Postgres> {
  const directory = mkdtempSync(join(tmpdir(), 'migration-agent-pg-'));
  const isRoot = process.getuid?.() === 0;
  // PostgreSQL refuses to run as root.
  const user = isRoot ? idsOf('nobody') : undefined;
  if (user !== undefined) chownSync(directory, user.uid, user.gid);
  chmodSync(directory, 0o755);
  const as = {
    cwd: directory,
    env: { ...process.env, PGHOST: directory, PGUSER: 'tester', LC_ALL: 'C', HOME: directory },
    ...user,
  };
  const run = (program: string, ...args: readonly string[]): string =>
    execFileSync(join(postgresPrograms, program), args, {
      ...as,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const data = join(directory, 'data');
  run('initdb', '-D', data, '-U', 'tester', '-A', 'trust', '--no-sync');
  const settings = ['listen_addresses=', `unix_socket_directories=${directory}`, 'fsync=off'];
  const server = spawn(
    join(postgresPrograms, 'postgres'),
    ['-D', data, ...settings.flatMap((setting) => ['-c', setting])],
    { ...as, stdio: 'ignore' },
  );
  const ended = once(server, 'exit');
  await until('PostgreSQL answers', () => {
    try {
      run('psql', '-d', 'postgres', '-c', 'select 1');
      return true;
    } catch {
      return false;
    }
  });
  return {
    host: directory,
    user: 'tester',
    run,
    async stop() {
      // Fast shutdown: clients are thrown out.
      server.kill('SIGINT');
      await ended;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function newest(parent: string): string | undefined {
  if (!existsSync(parent)) return undefined;
  const versions = readdirSync(parent).sort((a, b) => Number(b) - Number(a));
  return versions
    .map((version) => join(parent, version, 'bin'))
    .find((bin) => existsSync(join(bin, 'initdb')));
}

function idsOf(user: string): { uid: number; gid: number } {
  const id = (flag: string): number =>
    Number(execFileSync('id', [flag, user], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}
