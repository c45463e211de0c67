/** How long this thread's event loop was held at once, in CPU time: what other processes take does not count. */

export interface LoopHold {
  /** Milliseconds, the longest so far. */
  stop(): number;
}

const TICK_MS = 5;

export function watchLoop(): LoopHold {
  let longestMs = 0;
  let last = cpuMs();
  const timer = setInterval(() => {
    const now = cpuMs();
    longestMs = Math.max(longestMs, now - last);
    last = now;
  }, TICK_MS);
  return {
    stop() {
      clearInterval(timer);
      return longestMs;
    },
  };
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
