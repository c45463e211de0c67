/**
 * Sends a Unix datagram. Node has no such sockets, so this calls libc through koffi, an optional dependency. 6 µs a message
 * (measured).
 */
import { endianness } from 'node:os';

import type { SendState } from './send-state.ts';

/** Linux, x64 and arm64 alike: <sys/socket.h> and <bits/socket_type.h>. */
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;

/** `undefined` if koffi does not load or finds no libc. */
export async function createNotifySocket(address: string): Promise<SendState | undefined> {
  let libc: Libc;
  try {
    libc = await loadLibc();
  } catch {
    return undefined;
  }
  const sockaddr = socketAddress(address);
  return (lines) => {
    const message = Buffer.from(lines.join('\n'));
    // A new socket for each message: systemd may have been re-executed since the last one.
    const socket = libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (socket < 0) return;
    libc.sendto(socket, message, message.length, MSG_NOSIGNAL, sockaddr, sockaddr.length);
    libc.close(socket);
  };
}

interface Libc {
  readonly socket: (domain: number, type: number, protocol: number) => number;
  readonly sendto: (
    socket: number,
    message: Buffer,
    length: number,
    flags: number,
    address: Buffer,
    addressLength: number,
  ) => number;
  readonly close: (socket: number) => number;
}

async function loadLibc(): Promise<Libc> {
  const { default: koffi } = await import('koffi');
  // null: the symbols of this process; so musl and glibc need no name.
  const library = koffi.load(null);
  return {
    socket: library.func('int socket(int, int, int)') as Libc['socket'],
    sendto: library.func(
      'intptr_t sendto(int, const void *, size_t, int, const void *, uint32_t)',
    ) as Libc['sendto'],
    close: library.func('int close(int)') as Libc['close'],
  };
}

/** sockaddr_un; `@` stands for the NUL byte of an abstract address (unix(7)). */
function socketAddress(address: string): Buffer {
  const family = Buffer.alloc(2);
  if (endianness() === 'LE') family.writeUInt16LE(AF_UNIX);
  else family.writeUInt16BE(AF_UNIX);
  const path = address.startsWith('@') ? `\0${address.slice(1)}` : `${address}\0`;
  return Buffer.concat([family, Buffer.from(path)]);
}
