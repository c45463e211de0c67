/** The interface of both ways to notify the service manager; service-notifier.ts chooses one. */

/** Sends one datagram of `NAME=VALUE` lines. Never throws: the agent works without a service manager. */
export type SendState = (lines: readonly string[]) => void;
