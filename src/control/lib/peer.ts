/**
 * Who sends a request: the credentials that the kernel gives for the other end of the socket. The name that a client
 * gives itself is only shown beside them, or alone if the host cannot tell.
 */
import type { IncomingMessage } from 'node:http';

/** The process that made the connection. */
export interface Peer {
  readonly pid: number;
  readonly uid: number;
  readonly groups: readonly number[];
  readonly user?: string;
}

export type ReadPeer = (fileDescriptor: number) => Peer | undefined;

export function peerOf(request: IncomingMessage, read: ReadPeer | undefined): Peer | undefined {
  // Node has no public way to the descriptor of a socket.
  const { _handle: handle } = request.socket as { _handle?: { readonly fd?: number } };
  const fileDescriptor = handle?.fd;
  if (read === undefined || fileDescriptor === undefined || fileDescriptor < 0) return undefined;
  return read(fileDescriptor);
}

/** `alice (uid 1000, pid 4711)`; `root (uid 0, pid 4711) for alice` if root acts for another user, as with sudo. */
export function nameOf(peer: Peer | undefined, claimed: string | undefined): string {
  if (peer === undefined) return claimed ?? 'operator';
  const user = peer.user ?? 'user';
  const known = `${user} (uid ${peer.uid}, pid ${peer.pid})`;
  return claimed === undefined || claimed === peer.user ? known : `${known} for ${claimed}`;
}
