/**
 * The socket's file. It is refused if somebody listens on it. A file that a killed agent left behind is removed;
 * anything that is not a socket is left alone.
 */
import { lstat, mkdir, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';

/** sockaddr_un holds 108 bytes, the closing NUL included (unix(7)). */
const PATH_BYTES_MAX = 107;

/** Makes the path free to listen on, or throws an error that says why it cannot be. */
export async function claimSocketFile(path: string): Promise<void> {
  if (Buffer.byteLength(path) > PATH_BYTES_MAX) {
    throw new Error(`the socket's path is longer than ${PATH_BYTES_MAX} bytes: ${path}`);
  }
  await mkdir(dirname(path), { recursive: true, mode: 0o750 });
  const found = await lstat(path).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (found === undefined) return;
  if (!found.isSocket()) throw new Error(`${path} exists and is not a socket; it was left alone`);
  if (await answers(path)) {
    throw new Error(`another agent answers on ${path}; stop it first, or configure agent.socket`);
  }
  await unlink(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error) => {
      const code = codeOf(error);
      if (code === 'ECONNREFUSED' || code === 'ENOENT') resolve(false);
      // A full backlog is an agent that is busy, not one that is gone.
      else if (code === 'EAGAIN') resolve(true);
      else reject(error);
    });
  });
}

function codeOf(error: unknown): unknown {
  return (error as NodeJS.ErrnoException).code;
}
