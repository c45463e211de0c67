/** Hosts of a fleet as processes, and the account that counts what they all do. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Rate } from '../../src/core/settings.ts';
import type { HostOptions } from './fixtures/fleet-host.ts';

const PROGRAM = fileURLToPath(new URL('fixtures/fleet-host.ts', import.meta.url));

export interface SeenCall {
  readonly atMs: number;
  readonly host: string;
}

/** The account: every call of every host, at the moment at which it might be made. */
export class FleetHosts {
  readonly calls: SeenCall[] = [];
  readonly states = new Map<string, string>();
  /** What the hosts logged. */
  readonly said: string[] = [];
  readonly #processes = new Map<string, ChildProcess>();

  start(options: HostOptions): void {
    const child = spawn(process.execPath, [PROGRAM, JSON.stringify(options)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#processes.set(options.host, child);
    createInterface({ input: child.stdout }).on('line', (line) => this.#take(options.host, line));
  }

  /** As a crash does: nobody is told. */
  async kill(host: string): Promise<void> {
    const child = this.#processes.get(host);
    this.#processes.delete(host);
    child?.kill('SIGKILL');
    if (child !== undefined) await once(child, 'exit');
  }

  async stop(): Promise<void> {
    await Promise.all(
      [...this.#processes.values()].map(async (child) => {
        child.stdin?.end();
        await once(child, 'exit');
      }),
    );
    this.#processes.clear();
  }

  allAre(state: string): boolean {
    return [...this.#processes.keys()].every((host) => this.states.get(host) === state);
  }

  count(host?: string): number {
    return this.calls.filter((call) => host === undefined || call.host === host).length;
  }

  /** The most that any window of any length held beyond what the limit allows it. */
  excess({ perSecond, burst }: Rate): number {
    const seen = this.calls.map(({ atMs }) => atMs).sort((a, b) => a - b);
    // A strict bucket sees the worst window: it is full wherever the limit has been kept so far.
    let level = burst;
    let worst = -Infinity;
    seen.forEach((atMs, index) => {
      const sinceMs = atMs - (seen[index - 1] ?? atMs);
      level = Math.min(burst, level + (sinceMs * perSecond) / 1000) - 1;
      worst = Math.max(worst, -level);
    });
    return worst;
  }

  #take(host: string, line: string): void {
    const [, stamp, words] = /^(\d+) (.*)$/u.exec(line) ?? [];
    const state = /^# state (\w+)/u.exec(words ?? '')?.[1];
    if (state !== undefined) this.states.set(host, state);
    else if (words?.startsWith('#')) this.said.push(`${host} ${words}`);
    else {
      const atMs = Number(BigInt(stamp ?? 0) / 1000n) / 1000;
      for (let slots = Number(words); slots > 0; slots--) this.calls.push({ atMs, host });
    }
  }
}
