/**
 * A separate process that reads status files for the agent (status-file-reader.ts). On a file system that does not
 * answer, such as that of a dead NFS server, a thread sleeps in the kernel. Here that neither uses up the few threads
 * of the agent nor keeps the agent from exiting.
 */
import type { ReadResponse, ReadRequest } from './status-file-reader.ts';
import { readStatusFile } from './status-file.ts';

process.on('message', ({ id, path, version, reader }: ReadRequest) => {
  readStatusFile(path, version, reader).then(
    (result) => process.send?.({ id, result } satisfies ReadResponse),
    // It never rejects. If it does all the same, the exit answers what is still open.
    () => process.exit(1),
  );
});

// The agent has ended. process.exit() would wait for the threads.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
