/**
 * Who sends a request. What the kernel says of the other end of the socket counts; what the client says of itself is
 * told beside it, and alone where the host cannot tell.
 */
import type { IncomingMessage } from 'node:http';

/** The process that made the connection. */
export interface Peer {
  readonly pid: number;
  readonly uid: number;
  readonly user?: string;
}

export type ReadPeer = (fileDescriptor: number) => Peer | undefined;

export function peerOf(request: IncomingMessage, read: ReadPeer | undefined): Peer | undefined {
  // Node shows the descriptor of a socket nowhere else.
  const { _handle: handle } = request.socket as { _handle?: { readonly fd?: number } };
  const fileDescriptor = handle?.fd;
  if (read === undefined || fileDescriptor === undefined || fileDescriptor < 0) return undefined;
  return read(fileDescriptor);
}

/** `alice (uid 1000, pid 4711)`; `root (uid 0, pid 4711) for alice` where root acts for another, as sudo has it. */
export function nameOf(peer: Peer | undefined, said: string | undefined): string {
  if (peer === undefined) return said ?? 'operator';
  const user = peer.user ?? 'user';
  const known = `${user} (uid ${peer.uid}, pid ${peer.pid})`;
  return said === undefined || said === peer.user ? known : `${known} for ${said}`;
}
