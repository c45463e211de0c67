/**
 * Keeps the processors of the machine awake. A virtual machine charges the waking of a processor that was halted to the process
 * that is woken, 1 to 8 ms each time on some: a timer of a second alone takes up to half a per cent of a core there. Loops that run
 * only while nothing else wants to (SCHED_IDLE) take nothing from what is measured.
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { endProcess } from './daemon.ts';

export async function withAwakeProcessors<Result>(use: () => Promise<Result>): Promise<Result> {
  const loops = Array.from({ length: availableParallelism() }, () =>
    spawn('chrt', ['--idle', '0', 'sh', '-c', 'while :; do :; done'], { stdio: 'ignore' }),
  );
  try {
    return await use();
  } finally {
    await Promise.all(loops.map(endProcess));
  }
}
