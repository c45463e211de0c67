/**
 * Runs users' patterns with a time limit. A pattern such as `(x+)+y` may search for years, and while it does, the agent
 * sends no heartbeat and sees no cancel.
 */
import { createContext, Script } from 'node:vm';

const CALL = new Script('work()');

/** The result of `work`; undefined: it took longer. Only for work without side effects. */
export function withinTime<Result>(ms: number, work: () => Result): { result: Result } | undefined {
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
