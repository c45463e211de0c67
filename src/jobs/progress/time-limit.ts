/**
 * Runs users' patterns with a time limit. A pattern such as `(x+)+y` may search for years, and while it does, the agent
 * sends no heartbeat and sees no cancel.
 */
import { createContext, Script } from 'node:vm';

const CALL = new Script('work()');

/** How much longer than its CPU time the work may take on a host whose other programs take the processor. */
const WALL_TIMES_MAX = 8;

/**
 * The result of `work`; undefined: it took more CPU time. Only for work that may be done again: the limit of node:vm is one of wall
 * time, and on a busy host that passes before the work has had its share.
 */
export function withinTime<Result>(
  cpuMs: number,
  work: () => Result,
): { result: Result } | undefined {
  for (let wallMs = cpuMs; ; wallMs *= 2) {
    const before = process.threadCpuUsage();
    const made = withinWallTime(wallMs, work);
    const { user, system } = process.threadCpuUsage(before);
    const hadItsShare = (user + system) / 1000 >= cpuMs / 2;
    if (made !== undefined || hadItsShare || wallMs >= WALL_TIMES_MAX * cpuMs) return made;
  }
}

function withinWallTime<Result>(ms: number, work: () => Result): { result: Result } | undefined {
  let made: { result: Result } | undefined;
  const context = createContext({
    work: () => {
      made = { result: work() };
    },
  });
  try {
    CALL.runInContext(context, { timeout: ms });
  } catch (error) {
    // The error belongs to the other context, so it is not an instance of Error here.
    const { code } = error as { code?: unknown };
    if (code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return undefined;
    throw error;
  }
  return made;
}
