/**
 * The agent is killed (`kill -9`) at random moments, over and over, while jobs are asked for, start, run and end.
 * Afterwards the books are compared: what the jobs themselves wrote down, what the agent says, what the simulator was told.
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
/** Stops early after so long: the books are compared all the same. */
const MINUTES = Number(process.env['MINUTES'] ?? Infinity);
const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

/** Says that it began, works for a while, and ends as it was told to. */
const JOB = `echo "$1" >> "$2/begun"; sleep "$3"; echo "$1" >> "$2/ended"; exit "$4"`;

interface Asked {
  readonly name: string;
  readonly exitCode: number;
  /** The agent said yes. */
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
        // What the hub's budget is has tests of its own.
        limits: { NotifyMigrationTaskState: null, ImportMigrationTask: null },
      },
    );
    try {
      writeFileSync(join(site.directory, 'job.sh'), JOB);
      const asked: Asked[] = [];
      const firstMs = performance.now();
      const first = await site.start();
      // How long a start takes here, so that the kills fall into all of an agent's life.
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
        // A question that the kill cut off was either heard or not: both are right, half is not.
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
      // An agent that is dead most of the time is late, and says again what it did not live to keep the answer of:
      // the same words with the same stamp, which was looked at above.
      expect(violations.filter((message) => !/stale|after|again|not later/.test(message))).toEqual(
        [],
      );
      expect(processesWith(join(site.directory, 'job.sh'))).toEqual([]);
      const repeated = migrationHub.tasks.reduce((sum, task) => sum + task.repeated, 0);
      process.stdout.write(
        `${kills} kills, ${jobs.size} jobs ran (${asked.length} asked for), ${repeated} reports sent again because their answer was lost\n`,
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

/** As soon as the agent answers, asks for a job now and then, until it is killed. */
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

/** The last words of each task, in order; a word that was sent again exactly as it was counts once. */
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

/** What was said of a task later than its last word or with no later stamp, and was not the same words again. */
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

/** How often each line stands in a file that the jobs wrote. */
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
