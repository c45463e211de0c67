/** Who canceled a job is what the kernel reports, not only the name that a client gives itself. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { userInfo } from 'node:os';

import { expect, test } from 'vitest';

import { nameOf } from '../../../src/control/lib/peer.ts';
import { createPeerReader } from '../../../src/system/peer-credentials.ts';
import { call, serve } from '../control-server-fixture.ts';

const readPeer = await createPeerReader();
const isRoot = process.getuid?.() === 0;

/** Posts from a process of its own. Resolves to its pid. */
async function postFromElsewhere(
  socketPath: string,
  path: string,
  body: string,
  uid?: number,
): Promise<number> {
  const program = `
    const { request } = require('node:http');
    const headers = { 'content-type': 'application/json' };
    request({ socketPath: process.argv[1], method: 'POST', path: process.argv[2], headers })
      .on('response', (response) => response.resume())
      .end(process.argv[3]);`;
  const message = ['-e', program, socketPath, path, body];
  const child = spawn(process.execPath, message, {
    stdio: 'ignore',
    ...(uid === undefined ? {} : { uid }),
  });
  await once(child, 'exit');
  return child.pid ?? 0;
}

test('the process and the user that cancel are named, whatever they call themselves', async () => {
  const lines: unknown[][] = [];
  const { operator, socketPath } = await serve({
    readPeer,
    log: { write: (...line) => lines.push(line) },
  });
  const pid = await postFromElsewhere(socketPath, '/v1/jobs/copy/cancel', '{"by":"the.boss"}');
  const { uid, username } = userInfo();
  expect(operator.asked).toEqual([
    {
      type: 'cancel',
      job: 'copy',
      by: `${username} (uid ${uid}, pid ${pid}) for the.boss`,
    },
  ]);
  expect(lines).toEqual([
    [
      'info',
      'control.requested',
      'an operator requested a change',
      { request: 'POST /v1/jobs/{name}/cancel', job: 'copy', uid, pid, user: username },
    ],
  ]);
});

test.runIf(isRoot)('another user is recognised (skipped unless tests are root)', async () => {
  const { chmod } = await import('node:fs/promises');
  const { operator, socketPath, directory } = await serve({ readPeer });
  await chmod(directory, 0o755);
  await chmod(socketPath, 0o666);
  const pid = await postFromElsewhere(socketPath, '/v1/jobs/copy/cancel', '{}', 54_321);
  expect(operator.asked).toMatchObject([{ by: `user (uid 54321, pid ${pid})` }]);
});

test('if the host cannot tell, the name that the client gives is taken; reads are not logged', async () => {
  const lines: unknown[][] = [];
  const { operator, socketPath } = await serve({ log: { write: (...line) => lines.push(line) } });
  await call(socketPath, 'POST', '/v1/jobs/copy/cancel', '{"by":"anna"}');
  await call(socketPath, 'GET', '/v1/status');
  expect(operator.asked).toMatchObject([{ by: 'anna' }]);
  expect(lines.map(([, event]) => event)).toEqual(['control.requested']);
});

test('a descriptor that is no socket has no peer', () => {
  expect(readPeer(1_000_000)).toBeUndefined();
});

test('a user who acts for another is shown with both names', () => {
  const root = { uid: 0, pid: 9, groups: [0], user: 'root' };
  expect(nameOf(root, 'anna')).toBe('root (uid 0, pid 9) for anna');
  expect(nameOf(root, 'root')).toBe('root (uid 0, pid 9)');
  expect(nameOf(undefined, undefined)).toBe('operator');
});
