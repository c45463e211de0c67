/**
 * Signals: SIGTERM and SIGINT stop the agent, SIGHUP reloads its configuration. Installed before anything else, so that a
 * signal during the start does not kill the process.
 */
import { constants } from 'node:os';

export interface SignalHandlers {
  /** The first SIGTERM or SIGINT. A second one ends the process at once with 128 + its number. */
  readonly stop: (signal: 'SIGTERM' | 'SIGINT') => void;
  /** SIGHUP. */
  readonly reload: () => void;
}

/** Returns a function that removes the handlers. */
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
  // A closed reader of our output is an error of that write; it must not end the agent.
  const ignore = (): void => undefined;

  process.on('SIGTERM', stop).on('SIGINT', stop).on('SIGHUP', reload).on('SIGPIPE', ignore);
  return () => {
    process.off('SIGTERM', stop).off('SIGINT', stop).off('SIGHUP', reload).off('SIGPIPE', ignore);
  };
}
