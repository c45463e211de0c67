/** What really happened to a simulated fleet, which every rule of the judge reads, and what the rules find. */
import type { Run } from '../../../src/core/model/job.ts';
import type { AgentWorld } from '../agent-world.ts';
import type { ServiceModel } from '../service-model.ts';
import type { VirtualTime } from '../virtual-time.ts';
import { MINUTE_MS, SECOND_MS, WINDOW_MS } from './durations.ts';

/** After an outage: the longest pause of an operation, and a call for each reporter that waits. */
const RECOVERY_MS = 5 * MINUTE_MS;
/** What an agent that is back needs to kill what must not live any more. */
const REACT_MS = 45 * SECOND_MS;
const FINDINGS_MAX = 20;

/** A run whose processes live. */
export interface Live {
  readonly host: AgentWorld;
  readonly run: Run;
  /** What it executes: a reload may give it another name. */
  readonly work: string;
  readonly hubTask: string | undefined;
  readonly instance: string | undefined;
  taskId: string | undefined;
  /** Its program has ended and its exit code is on record: by the rule of its job the run is over. */
  isOver: boolean;
}

/** What was on disk of an ended run. */
export interface KeptRun {
  readonly id: string;
  readonly job: string;
  readonly hubTask: string | undefined;
  readonly taskId: string | undefined;
  /** Its final report to the Hub is pending. */
  readonly isPending: boolean;
  /** True time. */
  readonly endedMs: number;
}

interface HostRecord {
  bornAtMs: number;
  diedAtMs: number;
  deaths: number;
  /** The last moment at which the agent was gone, asleep or could see nothing. */
  awayAtMs: number;
  /** An agent died with a full disk: what was accepted meanwhile is forgotten. */
  forgetfulUntilMs: number;
}

export class FleetRecord {
  readonly findings: string[] = [];
  readonly time: VirtualTime;
  readonly service: ServiceModel;
  readonly live = new Map<string, Live>();
  /** Ended runs that are on disk. */
  readonly kept = new Map<string, KeptRun>();
  /** Runs that somebody canceled, or that end for any other reason than their own. */
  readonly canceled = new Set<string>();
  readonly #hosts = new Map<AgentWorld, HostRecord>();
  readonly #excused: { readonly fromMs: number; readonly toMs: number }[] = [];

  constructor(time: VirtualTime, service: ServiceModel) {
    this.time = time;
    this.service = service;
  }

  get nowMs(): number {
    return this.time.now().bootMs;
  }

  get worlds(): Iterable<AgentWorld> {
    return this.#hosts.keys();
  }

  key({ name }: AgentWorld, run: string): string {
    return `${name} ${run}`;
  }

  add(world: AgentWorld): void {
    const never = { awayAtMs: -Infinity, forgetfulUntilMs: -Infinity };
    this.#hosts.set(world, { bornAtMs: 0, diedAtMs: 0, deaths: 0, ...never });
  }

  /** By the rule of its job the run is over, though processes of it may live. */
  over(world: AgentWorld, run: Run): void {
    const live = this.live.get(this.key(world, run.id));
    if (live !== undefined) live.isOver = true;
  }

  /** An agent that dies while its host sleeps is followed by the next one only after the sleep, and later than was meant. */
  born(world: AgentWorld): void {
    const host = this.#of(world);
    host.bornAtMs = this.nowMs;
    if (this.nowMs - host.diedAtMs < MINUTE_MS) return;
    this.#excused.push({ fromMs: host.diedAtMs, toMs: this.nowMs });
  }

  died(world: AgentWorld): void {
    const host = this.#of(world);
    host.deaths++;
    host.diedAtMs = this.nowMs;
    if (world.downMs >= MINUTE_MS) this.excuse(world.downMs);
    this.away(world, world.downMs);
    if (world.isBehind) host.forgetfulUntilMs = this.nowMs + world.downMs + WINDOW_MS;
  }

  deaths(world: AgentWorld): number {
    return this.#of(world).deaths;
  }

  /** Until when nobody knows what an agent had learned that died on a full disk. */
  forgetfulUntilMs(world: AgentWorld): number {
    return this.#of(world).forgetfulUntilMs;
  }

  /** Explains tasks that are stale or lost: an outage, an absence, refused credentials. */
  excuse(ms: number): void {
    this.#excused.push({ fromMs: this.nowMs, toMs: this.nowMs + ms });
  }

  /** Nothing of this host is seen, or nobody is there, for so long. */
  away(world: AgentWorld, ms: number): void {
    const host = this.#of(world);
    host.awayAtMs = Math.max(host.awayAtMs, this.nowMs + ms);
  }

  /** Every moment from one to the other has its reason. */
  isExcused(fromMs: number, toMs: number): boolean {
    let atMs = fromMs;
    for (const span of this.#excused.toSorted((a, b) => a.fromMs - b.fromMs)) {
      if (span.fromMs <= atMs) atMs = Math.max(atMs, span.toMs + RECOVERY_MS);
      if (atMs > toMs) return true;
    }
    return false;
  }

  /** Nobody there can stop anything now, or could until just before. */
  isHelpless(world: AgentWorld): boolean {
    if (world.isAway() || world.host.isBlind) return true;
    const { awayAtMs, bornAtMs } = this.#of(world);
    return this.nowMs < Math.max(awayAtMs, bornAtMs) + REACT_MS;
  }

  find(what: string): void {
    if (this.findings.length >= FINDINGS_MAX) return;
    this.findings.push(`${new Date(this.time.trueMs()).toISOString()} ${what}`);
  }

  #of(world: AgentWorld): HostRecord {
    const host = this.#hosts.get(world);
    if (host === undefined) throw new Error(`${world.name} is not judged`);
    return host;
  }
}
