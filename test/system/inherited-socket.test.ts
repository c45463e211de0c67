/** Socket activation by systemd's own tool: it listens, and hands the socket to the process that it starts. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { inheritedSocket } from '../../src/system/inherited-socket.ts';
import { until } from '../support/until.ts';

const ACTIVATE = 'systemd-socket-activate';
const hasActivate = spawnSync(ACTIVATE, ['--version']).status === 0;
const SOURCES = new URL('../../src', import.meta.url).pathname;

/** Answers one request with what it was handed, and says what a child of it inherits; the file must survive it. */
const SERVER = `
import { spawnSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import { inheritedSocket } from '${SOURCES}/system/inherited-socket.ts';
const socket = inheritedSocket(process.env);
const ofChild = spawnSync('sh', ['-c', 'ls -l /proc/self/fd'], { encoding: 'utf8' }).stdout;
const server = createServer((_request, response) => {
  response.end(JSON.stringify({ ...socket, leaks: ofChild.includes(readlinkSync('/proc/self/fd/3')) }));
  server.close();
});
server.listen({ fd: socket.fd });
`;

function ask(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path: '/' }, (response) => resolve(text(response)))
      .on('error', reject)
      .end();
  });
}

test.skipIf(!hasActivate)(
  'the socket is found, its path known, no child sees it, and its file outlives the process (skipped without systemd)',
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'activated-'));
    const path = join(directory, 'agent.sock');
    const program = ['--input-type=module', '-e', SERVER];
    const activator = spawn(ACTIVATE, ['-l', path, process.execPath, ...program], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ended = once(activator, 'exit');
    let printed = '';
    activator.stderr.on('data', (bytes: Buffer) => (printed += bytes.toString()));
    onTestFinished(() => {
      activator.kill('SIGKILL');
      rmSync(directory, { recursive: true });
    });
    await until(
      'somebody listens',
      () => printed.includes('Listening on'),
      () => printed,
    );
    // It waits in the queue while the process starts.
    expect(JSON.parse(await ask(path))).toEqual({ fd: 3, path, leaks: false });
    await ended;
    expect(existsSync(path)).toBe(true);
  },
);

test('what was meant for another process is left alone', () => {
  expect(inheritedSocket({})).toBeUndefined();
  expect(inheritedSocket({ LISTEN_PID: '1', LISTEN_FDS: '1' })).toBeUndefined();
  const own = { LISTEN_PID: String(process.pid) };
  expect(inheritedSocket({ ...own, LISTEN_FDS: '0' })).toBeUndefined();
  expect(inheritedSocket({ ...own, LISTEN_FDS: '1' })).toMatchObject({ fd: 3 });
});
