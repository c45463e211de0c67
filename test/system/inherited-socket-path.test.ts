/** Where the socket listens that systemd handed over, by what /proc shows. */
import type * as fs from 'node:fs';
import { beforeEach, expect, test, vi } from 'vitest';
import { inheritedSocket } from '../../src/system/inherited-socket.ts';

interface Proc {
  target: string | Error;
  unix: string;
}
const proc = vi.hoisted(() => ({}) as Proc);
vi.mock(import('node:fs'), async (original) => {
  const real: typeof fs = await original();
  return {
    ...real,
    readlinkSync: ((path: string, options: never) => {
      if (path !== '/proc/self/fd/3') return real.readlinkSync(path, options);
      if (proc.target instanceof Error) throw proc.target;
      return proc.target;
    }) as never,
    readFileSync: ((path: string, options: never) =>
      path === '/proc/net/unix' ? proc.unix : real.readFileSync(path, options)) as never,
  };
});

beforeEach(() => {
  proc.target = 'socket:[4712]';
  proc.unix = `Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01  4711 /run/other.sock
0000000000000000: 00000002 00000000 00010000 0001 01  4712 /run/a b/agent.sock
0000000000000000: 00000003 00000000 00000000 0001 03  4713
`;
});

const handed = (count = '1') =>
  inheritedSocket({ LISTEN_PID: String(process.pid), LISTEN_FDS: count });

test('is the path of its inode, with its spaces', () => {
  expect(handed()).toEqual({ fd: 3, path: '/run/a b/agent.sock' });
  expect(handed('2')).toEqual({ fd: 3, path: '/run/a b/agent.sock' });
});

test.each([
  ['no socket', '/dev/null'],
  ['a socket that is not listed', 'socket:[99]'],
  ['not shown', new Error('EACCES')],
])('is not known where the descriptor is %s', (_what, target) => {
  proc.target = target;
  expect(handed()).toEqual({ fd: 3 });
});
