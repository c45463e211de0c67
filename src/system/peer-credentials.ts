/**
 * The process at the other end of a Unix socket, as the kernel recorded it at connect: SO_PEERCRED, unix(7). Calls libc
 * through koffi, an optional dependency; if that does not load, no peer is known.
 */
import { defined } from '../core/lib/defined.ts';
import { readFileSync } from 'node:fs';
import { endianness } from 'node:os';

/** <asm-generic/socket.h>, x64 and arm64 alike. */
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
/** Supplementary groups, since Linux 4.13. */
const SO_PEERGROUPS = 59;
/** NGROUPS_MAX of the kernel. */
const GROUPS_MAX = 65_536;
const GID_BYTES = 4;
/** struct ucred: pid, uid and gid of 32 bits each. */
const UCRED_BYTES = 12;

export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  /** All of its groups, `gid` among them. */
  readonly groups: readonly number[];
  /** From /etc/passwd; absent if the user is defined elsewhere (LDAP) or not at all. */
  readonly user?: string;
}

export type ReadPeer = (fileDescriptor: number) => PeerCredentials | undefined;

/** If libc cannot be called, resolves to a function that returns `undefined`. */
export async function createPeerReader(passwdFile = '/etc/passwd'): Promise<ReadPeer> {
  let getsockopt: GetSocketOption;
  try {
    getsockopt = await loadGetSocketOption();
  } catch {
    return () => undefined;
  }
  return (fileDescriptor) => {
    const ucred = Buffer.alloc(UCRED_BYTES);
    const length = [UCRED_BYTES];
    const failed = getsockopt(fileDescriptor, SOL_SOCKET, SO_PEERCRED, ucred, length) !== 0;
    if (failed || length[0] !== UCRED_BYTES) return undefined;
    const isLittle = endianness() === 'LE';
    const view = new DataView(ucred.buffer, ucred.byteOffset, UCRED_BYTES);
    const pid = view.getInt32(0, isLittle);
    const uid = view.getUint32(4, isLittle);
    const gid = view.getUint32(8, isLittle);
    // A process of another pid namespace has no number here.
    if (pid === 0) return undefined;
    const user = userName(uid, passwdFile);
    const groups = [gid, ...supplementaryGroups(getsockopt, fileDescriptor)];
    return { pid, uid, gid, groups, ...defined({ user }) };
  };
}

/** Empty if the kernel does not report them: the caller then has the rights of its main group only. */
function supplementaryGroups(getsockopt: GetSocketOption, fileDescriptor: number): number[] {
  const isLittle = endianness() === 'LE';
  // Most users have few; who has more than fit gets the largest buffer.
  for (const count of [64, GROUPS_MAX]) {
    const bytes = Buffer.alloc(count * GID_BYTES);
    const length = [bytes.length];
    if (getsockopt(fileDescriptor, SOL_SOCKET, SO_PEERGROUPS, bytes, length) !== 0) continue;
    const groups = Math.floor((length[0] ?? 0) / GID_BYTES);
    return Array.from({ length: groups }, (_, index) =>
      isLittle ? bytes.readUInt32LE(index * GID_BYTES) : bytes.readUInt32BE(index * GID_BYTES),
    );
  }
  return [];
}

type GetSocketOption = (
  fileDescriptor: number,
  level: number,
  option: number,
  value: Buffer,
  length: number[],
) => number;

async function loadGetSocketOption(): Promise<GetSocketOption> {
  const { default: koffi } = await import('koffi');
  const libc = koffi.load(null);
  return libc.func(
    'int getsockopt(int, int, int, _Out_ void *, _Inout_ uint32_t *)',
  ) as GetSocketOption;
}

/** Reads the file each time: requests that change something are rare, and users are added and removed. */
function userName(uid: number, passwdFile: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(passwdFile, 'utf8');
  } catch {
    return undefined;
  }
  const entry = text.split('\n').find((line) => line.split(':')[2] === String(uid));
  return entry?.split(':')[0];
}
