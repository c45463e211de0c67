/** A real redis-server on a port and in a directory of its own; it keeps nothing on disk. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** `REDIS_SERVER=valkey-server` tests with Valkey. */
const SERVER = process.env['REDIS_SERVER'] ?? 'redis-server';

/** The reason for the title of a skipped test; undefined if the server is installed. */
export const redisMissing: string | undefined =
  spawnSync(SERVER, ['--version'], { stdio: 'ignore' }).status === 0
    ? undefined
    : `${SERVER} is not installed`;

export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** Ends it as a power cut does. Another may be started on the same port: it comes back empty. */
  kill(): Promise<void>;
  freeze(): void;
  thaw(): void;
}

/** Resolves when it takes connections. `args`: more of its configuration. */
export async function startRedis(
  args: readonly string[] = [],
  port?: number,
): Promise<RedisServer> {
  const own = port ?? (await freePort());
  const directory = mkdtempSync(join(tmpdir(), 'migration-agent-redis-'));
  const server = spawn(
    SERVER,
    // A port of 0 in `args` (for TLS only) comes later and overrides this one.
    ['--port', `${own}`, '--bind', '127.0.0.1', '--save', '', '--dir', directory, ...args],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  // A test that failed half-way must not leave it running.
  process.once('exit', () => server.kill('SIGKILL'));
  const ended = once(server, 'exit').then(() => rmSync(directory, { recursive: true }));
  await ready(server);
  return {
    port: own,
    url: `redis://127.0.0.1:${own}`,
    async kill() {
      server.kill('SIGKILL');
      await ended;
    },
    freeze: () => server.kill('SIGSTOP'),
    thaw: () => server.kill('SIGCONT'),
  };
}

async function ready(server: ChildProcess): Promise<void> {
  let output = '';
  for await (const chunk of server.stdout ?? []) {
    output += String(chunk);
    if (output.includes('Ready to accept connections')) {
      server.stdout?.resume();
      return;
    }
  }
  throw new Error(`${SERVER} did not start: ${output}`);
}

/** redis-server takes no port 0; another process may take the port before it starts, which fails at once. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
