/**
 * Notifies systemd if koffi does not load: by the program `systemd-notify`, one at a time so that messages keep their order.
 * 10 ms each (measured), off the loop.
 */
import { execFile } from 'node:child_process';

import type { SendState } from './send-state.ts';

/** A message that was not accepted within this time is obsolete. */
const MESSAGE_MS_MAX = 5_000;
/** Bounds memory if the service manager hangs: a new message replaces the oldest one. */
const WAITING_MAX = 16;

export function createNotifyCommand(environment: NodeJS.ProcessEnv): SendState {
  const waiting: (readonly string[])[] = [];
  let busy = false;
  const next = (): void => {
    const lines = waiting.shift();
    busy = lines !== undefined;
    if (lines === undefined) return;
    const options = { env: environment, timeout: MESSAGE_MS_MAX };
    // The result does not matter: without the program nothing can be notified.
    execFile('systemd-notify', [...lines], options, next);
  };
  return (lines) => {
    if (waiting.length === WAITING_MAX) waiting.shift();
    waiting.push(lines);
    if (!busy) next();
  };
}
