/** For the simulator's own tests: a clock that moves only when the test moves it, and calls over real HTTP. */
import { onTestFinished } from 'vitest';
import type { SimulatorClock } from '../../src/simulator/lib/clock.ts';
import { createSimulator } from '../../src/simulator/simulator.ts';
import type { Simulator, SimulatorOptions } from '../../src/simulator/simulator.ts';

export interface ManualClock extends SimulatorClock {
  /** Moves from timer to timer, so that each fires at its own time. */
  advance(ms: number): void;
}

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

export function createManualClock(start = Date.UTC(2026, 0, 1)): ManualClock {
  let now = start;
  const sleepers = new Set<{ readonly at: number; readonly wake: () => void }>();
  return {
    now: () => now,
    after(delayMs, wake) {
      const sleeper = { at: now + Math.max(delayMs, 0), wake };
      sleepers.add(sleeper);
      return () => sleepers.delete(sleeper);
    },
    advance(ms) {
      const end = now + ms;
      for (;;) {
        const next = [...sleepers].toSorted((a, b) => a.at - b.at)[0];
        if (next === undefined || next.at > end) break;
        now = Math.max(now, next.at);
        sleepers.delete(next);
        next.wake();
      }
      now = end;
    },
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
  /** The error's name without its namespace. */
  readonly error: string | undefined;
}

export interface Rig {
  readonly simulator: Simulator;
  readonly clock: ManualClock;
  readonly url: string;
  readonly call: (
    target: string,
    body?: unknown,
    region?: string,
    signal?: AbortSignal,
  ) => Promise<Answer>;
  readonly hub: (operation: string, body?: unknown, region?: string) => Promise<Answer>;
  readonly config: (operation: string, body?: unknown, region?: string) => Promise<Answer>;
  readonly pipeline: (operation: string, body?: unknown) => Promise<Answer>;
}

const open: Simulator[] = [];

/** For a test that removes files which its simulators still write. */
export async function closeRigs(): Promise<void> {
  await Promise.all(open.splice(0).map((simulator) => simulator.close()));
}

/** A listening simulator with a clock that the test moves. It is closed after the test. */
export async function rig(options: SimulatorOptions = {}): Promise<Rig> {
  const clock = createManualClock();
  const simulator = createSimulator({ clock, ...options });
  open.push(simulator);
  onTestFinished(closeRigs);
  const { url } = await simulator.listen(0);
  const call: Rig['call'] = async (target, body = {}, region = '', signal) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': target,
        ...(region === ''
          ? {}
          : {
              authorization: `AWS4-HMAC-SHA256 Credential=x/20260101/${region}/mgh/aws4_request, SignedHeaders=host, Signature=0`,
            }),
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
      ...(signal === undefined ? {} : { signal }),
    });
    const text = await response.text();
    const parsed = JSON.parse(text === '' ? '{}' : text) as Readonly<Record<string, unknown>>;
    const type = parsed['__type'];
    return {
      status: response.status,
      headers: response.headers,
      body: parsed,
      error: typeof type === 'string' ? type.split('#').at(-1) : undefined,
    };
  };
  return {
    simulator,
    clock,
    url,
    call,
    hub: (operation, body, region) => call(`AWSMigrationHub.${operation}`, body, region),
    config: (operation, body, region) =>
      call(`AWSMigrationHubMultiAccountService.${operation}`, body, region),
    pipeline: (operation, body) => call(`DataPipeline.${operation}`, body),
  };
}

/** Below the limit of a test (vitest.config.ts), so that a failure shows where it waited. */
const WAIT_MS_MAX = 100_000;

/** Calls `look` until it returns something other than undefined or false. */
export async function until<T>(look: () => T | undefined | false): Promise<T> {
  const deadline = Date.now() + WAIT_MS_MAX;
  for (;;) {
    const seen = look();
    if (seen !== undefined && seen !== false) return seen;
    if (Date.now() > deadline) throw new Error(`waited in vain until ${String(look)}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

export const SEEN = Date.UTC(2026, 0, 1) / 1_000;

/** Creates a stream `S` with a task `T`, ready for notifications. */
export async function withTask(made: Rig): Promise<Rig> {
  await made.hub('CreateProgressUpdateStream', { ProgressUpdateStreamName: 'S' });
  await made.hub('ImportMigrationTask', TASK);
  return made;
}

export const TASK = { ProgressUpdateStream: 'S', MigrationTaskName: 'T' } as const;

export function notification(
  status: string,
  updateDateTime: number,
  nextUpdateSeconds: number,
  percent?: number,
): Readonly<Record<string, unknown>> {
  return {
    ...TASK,
    Task: { Status: status, ...(percent === undefined ? {} : { ProgressPercent: percent }) },
    UpdateDateTime: updateDateTime,
    NextUpdateSeconds: nextUpdateSeconds,
  };
}
