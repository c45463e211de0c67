/** Kills a process and what it has started, without waiting for any of them. */
import { readdirSync, readFileSync } from 'node:fs';

/** Only this process itself, which is not stopped, may go on and start more. */
const LOOKS_MAX = 10;

/** Of this process itself, only what it has started. */
export function killTree(pid: number | undefined): void {
  if (pid !== undefined) kill(pid, new Set());
}

function kill(pid: number, seen: Set<number>): void {
  seen.add(pid);
  const isOwn = pid === process.pid;
  // While a process is stopped it starts nothing, and the list of its children is whole.
  if (!isOwn) send(pid, 'SIGSTOP');
  // Children before their parent: those of a process that has ended are no longer found. Another look, since it may just
  // have started one; those that were killed stay in its list.
  for (let looks = 0; looks < LOOKS_MAX; looks++) {
    const children = childrenOf(pid).filter((child) => !seen.has(child));
    if (children.length === 0) break;
    for (const child of children) kill(child, seen);
  }
  if (!isOwn) send(pid, 'SIGKILL');
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}

function childrenOf(pid: number): number[] {
  return threadsOf(pid).flatMap((thread) => childrenOfThread(pid, thread));
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** None if the thread has ended meanwhile: its process keeps what it started, in the list of another thread. */
function childrenOfThread(pid: number, thread: string): number[] {
  try {
    const list = readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8');
    return list
      .split(' ')
      .filter((text) => text !== '')
      .map(Number);
  } catch {
    return [];
  }
}
