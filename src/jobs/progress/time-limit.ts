/**
 * Runs foreign patterns with an end in sight. A pattern of a user may take longer than the host exists
 * (`(x+)+y`), and while it searches nothing else of the agent goes on: no heartbeat, no cancel.
 */
import { createContext, Script } from 'node:vm';

const CALL = new Script('work()');

/** Resolves synchronously to what `work` makes; absent where it took longer. Only for work without side effects. */
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
    // An error of the other context: no instance of our Error.
    const { code } = error as { code?: unknown };
    if (code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return undefined;
    throw error;
  }
  return made;
}
