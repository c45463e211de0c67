/**
 * The way to systemd where koffi does not load: the program `systemd-notify`, one at a time so that messages
 * keep their order. 10 ms each (measured), off the loop.
 */
import { execFile } from 'node:child_process';

import type { SendState } from './send-state.ts';

/** A message nobody took in that time is old. */
const MESSAGE_MS_MAX = 5_000;
/** A service manager that hangs must not fill our memory; the next message says more than the oldest. */
const WAITING_MAX = 16;

export function createNotifyCommand(environment: NodeJS.ProcessEnv): SendState {
  const waiting: (readonly string[])[] = [];
  let busy = false;
  const next = (): void => {
    const lines = waiting.shift();
    busy = lines !== undefined;
    if (lines === undefined) return;
    const options = { env: environment, timeout: MESSAGE_MS_MAX };
    // What it answers changes nothing: without the program, there is nobody to tell.
    execFile('systemd-notify', [...lines], options, next);
  };
  return (lines) => {
    if (waiting.length === WAITING_MAX) waiting.shift();
    waiting.push(lines);
    if (!busy) next();
  };
}
