/**
 * The agent is killed (`kill -9`) at random moments, over and over, while jobs are asked for, start, run and end.
 * Afterwards three records are compared: what the jobs wrote, what the agent shows, and what the simulator received.
 *
 * `npm test` does it a few times; `npm run test:kill` does it a thousand times (KILLS, SEED; MINUTES ends
 * it early).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createSite, isDelivered, LAUNCHER } from '../support/daemon.ts';
import type { Site } from '../support/daemon.ts';
import { processesWith } from '../jobs/support.ts';

const KILLS = Number(process.env['KILLS'] ?? 5);
/** Stops early after so long. The records are compared all the same. */
const MINUTES = Number(process.env['MINUTES'] ?? Infinity);
const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

/** Records its start, works for a while, and ends with the given exit code. */
const JOB = `echo "$1" >> "$2/begun"; sleep "$3"; echo "$1" >> "$2/ended"; exit "$4"`;

interface Asked {
  readonly name: string;
  readonly exitCode: number;
  /** The agent accepted the request. */
  isAccepted: boolean;
}

test(
  `the agent is killed ${KILLS} times (seed ${SEED})`,
  async () => {
    const random = dice(SEED);
    const site = await createSite(
      `migrationHub: { progressUpdateStream: kill, createStream: true, rate: { perSecond: 200, burst: 400 } }`,
      {
        journalSize: 500_000,
        // Other tests cover the Hub's budget.
        limits: { NotifyMigrationTaskState: null, ImportMigrationTask: null },
      },
    );
    try {
      writeFileSync(join(site.directory, 'job.sh'), JOB);
      const asked: Asked[] = [];
      const firstMs = performance.now();
      const first = await site.start();
      // How long a start takes on this machine, so that kills fall into every phase of an agent.
      let answersAfterMs = performance.now() - firstMs;
      await first.end('SIGKILL');
      let kills = 0;
      for (
        const end = performance.now() + MINUTES * 60_000;
        kills < KILLS && performance.now() < end;
        kills += 1
      ) {
        const begin = performance.now();
        const agent = startAgent(site);
        const killAt = begin + (0.2 + 2 * random()) * answersAfterMs;
        const asking = askForJobs(site, asked, random, killAt, () => {
          answersAfterMs += (performance.now() - begin - answersAfterMs) / 4;
        });
        await sleep(Math.max(0, killAt - performance.now()));
        agent.kill('SIGKILL');
        await Promise.all([once(agent, 'exit'), asking]);
        if (kills % 100 === 99)
          process.stdout.write(`${kills + 1} kills, ${asked.length} jobs asked for\n`);
      }
      await site.start();
      const jobs = await ended(site);
      const reported = finalReports(site);
      for (const { name, exitCode, isAccepted } of asked) {
        const job = jobs.get(name);
        // A request that the kill interrupted was carried out completely or not at all.
        if (job === undefined) expect({ name, isAccepted }).toEqual({ name, isAccepted: false });
        expect({ name, begun: lines(site, 'begun').get(name) ?? 0 }).toEqual({
          name,
          begun: job ? 1 : 0,
        });
        expect({ name, ended: lines(site, 'ended').get(name) ?? 0 }).toEqual({
          name,
          ended: job ? 1 : 0,
        });
        if (job === undefined) continue;
        expect(job).toMatchObject({ state: exitCode === 0 ? 'succeeded' : 'failed', exitCode });
        expect({ name, reported: reported.get(name) }).toEqual({
          name,
          reported: [exitCode === 0 ? 'COMPLETED' : 'FAILED'],
        });
      }
      if (kills >= 100) expect(jobs.size).toBeGreaterThan(kills);
      const { migrationHub, violations } = site.simulator.audit();
      expect(reportsOutOfOrder(site)).toEqual([]);
      // An agent that is killed before it stored an answer sends the same report again, with the same stamp. The audit counts
      // that as two violations if the answer was sent; nothing else is allowed, and no other report may be counted there.
      const { afterFinal, notIncreasing, tasks } = migrationHub;
      const unanswered = tasks.reduce((sum, task) => sum + task.repeated, 0);
      expect(notIncreasing + unanswered).toBe(repeatedReports(site));
      expect(afterFinal).toBeLessThanOrEqual(notIncreasing);
      const ofRepeats = /whose UpdateDateTime was not later|after a final state/;
      expect(violations.filter((sentence) => !ofRepeats.test(sentence))).toEqual([]);
      expect(processesWith(join(site.directory, 'job.sh'))).toEqual([]);
      process.stdout.write(
        `${kills} kills, ${jobs.size} jobs ran (${asked.length} asked for), ${unanswered + notIncreasing} reports sent again because their answer was lost\n`,
      );
    } finally {
      await site.close();
    }
  },
  60_000 + KILLS * 10_000,
);

function startAgent(site: Site): ReturnType<typeof spawn> {
  const output = openSync(join(site.directory, 'agent.log'), 'a');
  const agent = spawn(LAUNCHER, ['daemon', '--config', site.configuration], {
    stdio: ['ignore', output, output],
    env: {
      ...process.env,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_EC2_METADATA_DISABLED: 'true',
    },
  });
  closeSync(output);
  return agent;
}

/** Requests jobs from the moment the agent answers until it is killed. */
async function askForJobs(
  site: Site,
  asked: Asked[],
  random: () => number,
  untilMs: number,
  answers: () => void,
): Promise<void> {
  let hasAnswered = false;
  while (performance.now() < untilMs) {
    const job: Asked = {
      name: `job-${asked.length}`,
      exitCode: Math.floor(random() * 4),
      isAccepted: false,
    };
    const seconds = (random() * 2).toFixed(2);
    const command = [
      'sh',
      join(site.directory, 'job.sh'),
      job.name,
      site.directory,
      seconds,
      String(job.exitCode),
    ];
    try {
      if (hasAnswered) asked.push(job);
      else await site.status();
      if (!hasAnswered) answers();
      else await site.client.post('/v1/jobs', { name: job.name, command });
      job.isAccepted = hasAnswered;
      hasAnswered = true;
    } catch {
      // No answer: not up yet, or killed in the middle of it.
    }
    await sleep(hasAnswered ? random() * 100 : 20);
  }
}

type Job = Awaited<ReturnType<Site['job']>>;

async function ended(site: Site): Promise<Map<string, Job>> {
  for (;;) {
    const { jobs } = await site.status();
    if (jobs.every(isDelivered)) return new Map(jobs.map((job) => [job.name, job]));
    await sleep(200);
  }
}

/** The final reports of each task, in order. A report that was repeated unchanged counts once. */
function finalReports(site: Site): Map<string, string[]> {
  const reported = new Map<string, Map<string, string>>();
  for (const { operation, outcome, request } of site.simulator.journal()) {
    if (operation !== 'NotifyMigrationTaskState' || outcome !== 'ok') continue;
    const { MigrationTaskName: name, Task: task } = request as {
      MigrationTaskName: string;
      Task: { Status: string };
    };
    if (task.Status !== 'COMPLETED' && task.Status !== 'FAILED') continue;
    if (!reported.has(name)) reported.set(name, new Map());
    reported.get(name)!.set(JSON.stringify(request), task.Status);
  }
  return new Map([...reported].map(([name, message]) => [name, [...message.values()]]));
}

/** Reports after the final one, or without a later stamp, that are not exact repetitions. */
function reportsOutOfOrder(site: Site): unknown[] {
  const before = new Map<string, { message: string; stamp: number; isLast: boolean }>();
  const wrong: unknown[] = [];
  for (const { operation, outcome, request } of site.simulator.journal()) {
    if (operation !== 'NotifyMigrationTaskState' || outcome !== 'ok') continue;
    const {
      MigrationTaskName: name,
      Task: task,
      UpdateDateTime: stamp,
    } = request as {
      MigrationTaskName: string;
      Task: { Status: string };
      UpdateDateTime: number;
    };
    expect(stamp).toBeTypeOf('number');
    const message = JSON.stringify(request);
    const last = before.get(name);
    const isAgain = last?.message === message;
    if (last !== undefined && !isAgain && (last.isLast || stamp <= last.stamp)) {
      wrong.push({ last, report: request });
    }
    const isLast = task.Status === 'COMPLETED' || task.Status === 'FAILED';
    before.set(name, { message, stamp, isLast });
  }
  return wrong;
}

/** How many accepted reports are the one before of their task, sent again unchanged. */
function repeatedReports(site: Site): number {
  const before = new Map<unknown, string>();
  let repeated = 0;
  for (const { operation, outcome, request } of site.simulator.journal()) {
    if (operation !== 'NotifyMigrationTaskState' || outcome !== 'ok') continue;
    const { MigrationTaskName: name } = request as { MigrationTaskName: string };
    const message = JSON.stringify(request);
    if (before.get(name) === message) repeated += 1;
    before.set(name, message);
  }
  return repeated;
}

/** How many times each line is in a file that the jobs wrote. */
function lines(site: Site, file: string): Map<string, number> {
  const path = join(site.directory, file);
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const names = Map.groupBy(text.split('\n'), (name) => name);
  return new Map([...names].map(([name, times]) => [name, times.length]));
}

/** mulberry32 */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
