/** What each way to the service manager offers; see service-notifier.ts for the choice between them. */

/** Sends one datagram of `NAME=VALUE` lines. Never throws: a deaf service manager is no reason to stop. */
export type SendState = (lines: readonly string[]) => void;
