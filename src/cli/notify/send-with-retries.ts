/** A call of a command, with a few retries if the network or the service fails: a person or a script waits. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { Call, Outcome } from '../../core/model/call.ts';
import type { Services } from '../../ports.ts';
import { print } from '../terminal/terminal.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** As many as the SDKs make by default. */
const ATTEMPTS_MAX = 3;
const PAUSE_MS = 1_000;
/** If the service asks for a longer pause, the command gives up. */
const PAUSE_MS_MAX = 20_000;

export async function sendWithRetries(
  services: Services,
  call: Call,
  terminal: Terminal,
): Promise<Outcome> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await services.send(call);
    if (outcome.kind !== 'unavailable' && outcome.kind !== 'throttled') return outcome;
    const wantedMs = outcome.kind === 'throttled' ? (outcome.retryAfterMs ?? 0) : 0;
    const pauseMs = Math.max(PAUSE_MS * 2 ** (attempt - 1), wantedMs);
    if (attempt === ATTEMPTS_MAX || pauseMs > PAUSE_MS_MAX) return outcome;
    print(terminal, `${call.operation}: ${outcome.reason}; retry in ${pauseMs / 1000} s`);
    await sleep(pauseMs);
  }
}
