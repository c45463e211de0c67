/** Hosts of a fleet as processes, and the account that counts what they all do. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Rate } from '../../../src/core/model/settings.ts';
import type { HostOptions } from './fixtures/fleet-host.ts';

const PROGRAM = fileURLToPath(new URL('fixtures/fleet-host.ts', import.meta.url));

export interface SeenPart {
  readonly atMs: number;
  readonly host: string;
  readonly slots: number;
}

/** The account: every call of every host, at the moment at which it might be made. */
export class FleetHosts {
  readonly parts: SeenPart[] = [];
  readonly states = new Map<string, string>();
  /** What the hosts logged. */
  readonly printed: string[] = [];
  readonly #processes = new Map<string, ChildProcess>();

  start(options: HostOptions, environment: NodeJS.ProcessEnv = {}): void {
    const child = spawn(process.execPath, [PROGRAM, JSON.stringify(options)], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...environment },
    });
    this.#processes.set(options.host, child);
    createInterface({ input: child.stdout }).on('line', (line) => this.#take(options.host, line));
  }

  /** As in a crash: the host does not leave the pool. */
  async kill(host: string): Promise<void> {
    const child = this.#processes.get(host);
    this.#processes.delete(host);
    child?.kill('SIGKILL');
    if (child !== undefined) await once(child, 'exit');
  }

  /** Asks them all to leave. Rejects where one ends with a fault; waits for ever for one that does not end by itself. */
  async stop(): Promise<void> {
    const left = await Promise.allSettled(
      [...this.#processes.keys()].map((host) => this.leave(host)),
    );
    const failed = left.find((one) => one.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  async leave(host: string): Promise<void> {
    const child = this.#processes.get(host);
    this.#processes.delete(host);
    if (child === undefined) return;
    child.stdin?.end();
    if (child.exitCode === null) await once(child, 'exit');
    if (child.exitCode !== 0) throw new Error(`a host ended with ${child.exitCode}`);
  }

  /** They want nothing more, so that what they may have adds up; or as much as they can get again. */
  command(word: 'rest' | 'go'): void {
    for (const child of this.#processes.values()) child.stdin?.write(`${word}\n`);
  }

  allAre(state: string): boolean {
    return [...this.#processes.keys()].every((host) => this.states.get(host) === state);
  }

  count(host?: string): number {
    return this.parts
      .filter((part) => host === undefined || part.host === host)
      .reduce((sum, { slots }) => sum + slots, 0);
  }

  /** The most that any window of any length held beyond what the limit allows it. */
  excess({ perSecond, burst }: Rate): number {
    const seen = this.parts.toSorted((a, b) => a.atMs - b.atMs);
    // A strict bucket: where it falls below zero, the window since it was last full holds so much too much.
    let level = burst;
    let worst = -Infinity;
    seen.forEach(({ atMs, slots }, index) => {
      const sinceMs = atMs - (seen[index - 1]?.atMs ?? atMs);
      level = Math.min(burst, level + (sinceMs * perSecond) / 1000) - slots;
      worst = Math.max(worst, -level);
    });
    return worst;
  }

  #take(host: string, line: string): void {
    const [, stamp, message] = /^(\d+) (.*)$/u.exec(line) ?? [];
    const state = /^# state (\w+)/u.exec(message ?? '')?.[1];
    if (state !== undefined) this.states.set(host, state);
    else if (message?.startsWith('#')) this.printed.push(`${host} ${message}`);
    else {
      const atMs = Number(BigInt(stamp ?? 0) / 1000n) / 1000;
      this.parts.push({ atMs, host, slots: Number(message) });
    }
  }
}
