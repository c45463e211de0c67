/**
 * A process of its own that reads status files for the agent (status-questions.ts). On a file system that gives no
 * answer, such as that of a dead NFS server, a thread sleeps in the kernel: here that costs the agent none of its few
 * threads, and does not keep it from ending.
 */
import type { Answer, Question } from './status-file-reader.ts';
import { lookAtStatusFile } from './status-file.ts';

process.on('message', ({ id, path, version }: Question) => {
  lookAtStatusFile(path, version).then(
    (look) => process.send?.({ id, look } satisfies Answer),
    // A look never rejects; if it does, whoever asks must not wait for it.
    () => process.exit(1),
  );
});

// The agent has ended. An exit would wait for the threads.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
