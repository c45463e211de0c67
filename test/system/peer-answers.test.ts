/** What is made of the answers of getsockopt(2), which this test makes up. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { endianness, tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { createPeerReader } from '../../src/system/peer-credentials.ts';

const SO_PEERCRED = 17;
const SO_PEERGROUPS = 59;

interface Kernel {
  ucred: readonly number[] | undefined;
  ucredBytes: number;
  groups: readonly number[] | undefined;
  asked: number[][];
}
const kernel = vi.hoisted(() => ({}) as Kernel);
vi.mock('koffi', () => ({
  default: {
    load: (library: unknown) => ({
      func: (signature: string) => {
        expect([library, signature]).toEqual([
          null,
          'int getsockopt(int, int, int, _Out_ void *, _Inout_ uint32_t *)',
        ]);
        return getsockopt;
      },
    }),
  },
}));

function getsockopt(fd: number, level: number, option: number, value: Buffer, length: number[]) {
  kernel.asked.push([fd, level, option, value.length]);
  const numbers = option === SO_PEERCRED ? kernel.ucred : kernel.groups;
  if (numbers === undefined || numbers.length * 4 > value.length) return -1;
  for (const [index, number] of numbers.entries()) {
    if (endianness() === 'LE') value.writeUInt32LE(number, index * 4);
    else value.writeUInt32BE(number, index * 4);
  }
  length[0] = option === SO_PEERCRED ? kernel.ucredBytes : numbers.length * 4;
  return 0;
}

let passwd: string;
beforeEach(() => {
  const directory = mkdtempSync(join(tmpdir(), 'peer-answers-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  passwd = join(directory, 'passwd');
  writeFileSync(passwd, 'root:x:0:0::/:/bin/sh\nanna:x:1001:1002::/:/bin/sh\nbert:x:1:1001::/:/\n');
  Object.assign(kernel, { ucred: [4711, 1001, 1002], ucredBytes: 12, groups: [5, 7], asked: [] });
});

const read = async () => (await createPeerReader(passwd))(9);

test('process, user and every group, the main one first', async () => {
  expect(await read()).toEqual({
    ...{ pid: 4711, uid: 1001, gid: 1002, groups: [1002, 5, 7], user: 'anna' },
  });
  expect(kernel.asked).toEqual([
    [9, 1, SO_PEERCRED, 12],
    [9, 1, SO_PEERGROUPS, 256],
  ]);
});

test('ids are not negative, and a user without an entry has no name', async () => {
  kernel.ucred = [1, 4_294_967_294, 4_294_967_293];
  const peer = await read();
  expect(peer).toMatchObject({ uid: 4_294_967_294, gid: 4_294_967_293 });
  expect(peer).not.toHaveProperty('user');
  passwd = '/nowhere/passwd';
  kernel.ucred = [1, 1001, 1002];
  expect(await read()).not.toHaveProperty('user');
});

test('more than 64 groups have more room; without an answer the main one is all', async () => {
  const many = Array.from({ length: 65 }, (_, index) => 100 + index);
  kernel.groups = many.slice(0, 64);
  expect((await read())?.groups).toEqual([1002, ...kernel.groups]);
  expect(kernel.asked).toHaveLength(2);
  kernel.groups = many;
  expect((await read())?.groups).toEqual([1002, ...many]);
  expect(kernel.asked.at(-1)).toEqual([9, 1, SO_PEERGROUPS, 262_144]);
  kernel.groups = undefined;
  expect((await read())?.groups).toEqual([1002]);
});

test.each<[string, Partial<Kernel>]>([
  ['fails', { ucred: undefined }],
  ['is too short', { ucredBytes: 8 }],
  ['is of another pid namespace', { ucred: [0, 1001, 1002] }],
])('an answer that %s names nobody', async (_what, answer) => {
  Object.assign(kernel, answer);
  expect(await read()).toBeUndefined();
});
