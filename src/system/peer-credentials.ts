/**
 * Who is at the other end of a Unix socket, as the kernel noted it when the connection was made: SO_PEERCRED,
 * unix(7). Through libc by koffi, an optional dependency; where it does not load nobody is known.
 */
import { readFileSync } from 'node:fs';
import { endianness } from 'node:os';

/** <asm-generic/socket.h>, x64 and arm64 alike. */
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
/** struct ucred: pid, uid and gid of 32 bits each. */
const UCRED_BYTES = 12;

export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  /** As /etc/passwd has it; absent where the user is known elsewhere (LDAP) or nowhere. */
  readonly user?: string;
}

export type ReadPeer = (fileDescriptor: number) => PeerCredentials | undefined;

/** Resolves to a function that knows nobody where libc cannot be called. */
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
    return { pid, uid, gid, ...(user === undefined ? {} : { user }) };
  };
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

/** Read anew each time: requests that change something are rare, and users come and go. */
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
