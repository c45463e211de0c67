/** Kills a process and what it has started, without waiting for any of them. */
import { readdirSync, readFileSync } from 'node:fs';

export function killTree(pid: number | undefined): void {
  if (pid === undefined) return;
  // Children first: those of a process that has ended are no longer found.
  for (const child of childrenOf(pid)) killTree(child);
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8')
        .split(' ')
        .filter((text) => text !== '')
        .map(Number),
    );
  } catch {
    return [];
  }
}
