/**
 * Two faults at once, each pair in both orders, and some of three, while jobs of an operator and of a pipeline run, end and are started. The whole
 * agent on its own store, judged as hostile days are (hostile-days.ts). Chance brings most pairs about too seldom.
 */
import { HostileDays } from './hostile-days.ts';
import {
  CANCELED,
  FENCED,
  KEEP_RUNS_MS,
  OPERATED,
  PIPED,
  PIPED_RENAMED,
  REMAPPED,
  SHARING,
  TRACKED,
  newJob,
} from './hostile-fleet.ts';
import type { AgentWorld } from '../support/agent-world.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const YEAR_MS = 365 * 24 * HOUR_MS;
const FIRST_MS = 12 * MINUTE_MS;
const REST_MS_MAX = 24 * HOUR_MS;
/** Idle until a fault wants it. */
const IDLE = 'copy-3';
/** Only SIGKILL ends them, and a reload maps the second to another job. */
const DEAF_PIPED = [FENCED, REMAPPED];

/** What goes wrong, from now on. */
type Fault = (days: HostileDays, world: AgentWorld) => void;

export const FAULTS: Readonly<Record<string, Fault>> = {
  'the disk is full': (days, world) => fillDisk(days, world, 9 * MINUTE_MS),
  'the disk is full for a moment': (days, world) => fillDisk(days, world, 20 * SECOND_MS),
  'a start is wanted': (days, world) => days.startOnce(world, IDLE),
  'processes cannot be seen': (days, world) => {
    world.host.goBlind(4 * MINUTE_MS);
    world.tracked.goBlind(4 * MINUTE_MS);
    days.judge.away(world, 4 * MINUTE_MS);
  },
  'the shims die': (_days, { host }) => host.live().forEach((run) => host.killShim(run)),
  'the programs end': (_days, { host }) => host.live().forEach((run) => host.endProgram(run)),
  'the agent is killed': (_days, world) => world.kill(7, SECOND_MS),
  'the agent is away': (_days, world) => world.kill(3, 10 * MINUTE_MS),
  'the agent is restarted': (_days, world) => world.stop(SECOND_MS),
  'the host reboots': (_days, world) => world.reboot(20 * SECOND_MS),
  'the host boots in 1970': (days, world) => {
    world.reboot(20 * SECOND_MS);
    days.wrongClock(world, -(Date.UTC(2026, 0, 1) + days.time.now().bootMs));
  },
  'the clock is 30 years ahead': (days, world) => days.wrongClock(world, 30 * YEAR_MS),
  'the host sleeps': (days, world) => {
    days.judge.excuse(6 * MINUTE_MS);
    days.judge.away(world, 6 * MINUTE_MS);
    world.suspend(6 * MINUTE_MS);
  },
  'an operator cancels': (days, world) => cancelAll(days, world, 5 * SECOND_MS),
  'an operator cancels with a long grace': (days, world) => cancelAll(days, world, 2 * HOUR_MS),
  'AWS cancels': ({ attempts, service }) => attempts.forEach((attempt) => service.cancel(attempt)),
  'the pipeline is deleted': ({ attempts, service }) =>
    attempts.forEach((attempt) => service.forget(attempt)),
  'AWS gives the next attempts out': ({ attempts, service }) =>
    [...attempts.values()].forEach((attempt) => service.rerun(attempt)),
  'AWS does not answer': (days, world) => cutOff(days, world, 18 * MINUTE_MS),
  'AWS wants the agent to end, an operator wants it to go on': (days, world) => {
    world.downMs = 10 * SECOND_MS;
    days.service.terminate(world.name);
    for (let minute = 1; minute <= 20; minute += 3) {
      days.time.in(minute * MINUTE_MS, () => world.ask({ type: 'resume' }, () => undefined));
    }
  },
  'the home region is lost': ({ judge, service, time }) => {
    judge.excuse(5 * MINUTE_MS);
    service.setHomeRegion(undefined);
    time.in(5 * MINUTE_MS, () => service.setHomeRegion('us-west-2'));
  },
  'a reload renames, removes and adds jobs': (days, world) => days.reload(world),
  'a task wants a job that a reload may have renamed': (days) => days.offerOnce(PIPED_RENAMED),
};

/** Lives through the faults, each `delayMs` after the one before. Returns what the judge finds. */
export async function liveThroughFaults(
  faults: readonly string[],
  delayMs: number,
  seed: number,
  directory: string,
): Promise<readonly string[]> {
  const days = new HostileDays(seed, 0, 1, directory, false);
  const [world] = days.worlds as readonly [AgentWorld];
  world.begin();
  for (const job of [...OPERATED.filter((name) => name !== IDLE), ...SHARING, CANCELED]) {
    days.startOnce(world, job);
  }
  for (const job of [...PIPED, ...DEAF_PIPED]) days.offerOnce(job);
  for (const [name, source] of TRACKED) {
    world.tracked.begin(name, HOUR_MS, 'completed');
    const job = newJob(world.name, name, { command: [], tracked: source });
    world.ask({ type: 'track', definitions: [job] }, () => undefined);
  }
  faults.forEach((name, i) => {
    days.time.in(FIRST_MS + i * delayMs, () => FAULTS[name]?.(days, world));
  });
  for (let ms = FIRST_MS; ms < FIRST_MS + HOUR_MS; ms += MINUTE_MS) {
    days.time.in(ms, () => world.look());
  }
  let atMs = FIRST_MS + HOUR_MS;
  await days.runUntil(atMs);
  days.endSchedules();
  do await days.runUntil((atMs += HOUR_MS));
  while (!days.judge.isAtRest() && atMs < REST_MS_MAX);
  await days.runUntil(atMs + 2 * HOUR_MS + KEEP_RUNS_MS);
  world.close();
  return days.judge.close();
}

function fillDisk(days: HostileDays, world: AgentWorld, ms: number): void {
  const untilMs = days.time.now().bootMs + ms;
  world.isDiskFull = true;
  // A second time may begin during the first.
  days.time.in(ms, () => {
    if (days.time.now().bootMs >= untilMs) world.isDiskFull = false;
  });
}

function cancelAll(days: HostileDays, world: AgentWorld, graceMs: number): void {
  for (const job of [...OPERATED, ...SHARING, ...PIPED, ...DEAF_PIPED, CANCELED]) {
    days.cancelOnce(world, job, graceMs);
  }
}

function cutOff(days: HostileDays, world: AgentWorld, ms: number): void {
  days.judge.excuse(ms);
  days.cutOffUntilMs.set(world.name, days.time.now().bootMs + ms);
}
