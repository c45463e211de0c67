/**
 * Signals of the host: what ends the agent, what makes it read its configuration again. Installed before
 * anything else, so that a signal during the start is not the default death.
 */
import { constants } from 'node:os';

export interface SignalHandlers {
  /** SIGTERM or SIGINT, the first one. A second one ends the process at once with 128 + its number. */
  readonly stop: (signal: 'SIGTERM' | 'SIGINT') => void;
  /** SIGHUP. */
  readonly reload: () => void;
}

/** Returns a function that takes the handlers away again. */
export function onSignals(handlers: SignalHandlers): () => void {
  let stopping = false;
  const stop = (signal: 'SIGTERM' | 'SIGINT'): void => {
    if (stopping) process.exit(128 + constants.signals[signal]);
    stopping = true;
    handlers.stop(signal);
  };
  const reload = (): void => {
    handlers.reload();
  };
  // A reader of our output that went away is an error of that write, not the end of the agent.
  const ignore = (): void => undefined;

  process.on('SIGTERM', stop).on('SIGINT', stop).on('SIGHUP', reload).on('SIGPIPE', ignore);
  return () => {
    process.off('SIGTERM', stop).off('SIGINT', stop).off('SIGHUP', reload).off('SIGPIPE', ignore);
  };
}
