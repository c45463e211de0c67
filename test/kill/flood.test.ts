/**
 * What gigabytes of output and many jobs at once cost the real daemon.
 *
 * `npm run test:long` takes a short form; `npm run test:kill` takes FLOOD_GB=5 and JOBS=200. Less than that shows only that
 * it runs: test/jobs/files has how logs are moved, and test/simulation how late a report may come.
 */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { createSite, isDelivered } from '../support/daemon.ts';
import type { Site } from '../support/daemon.ts';
import { IS_LONG, ONLY_LONG } from '../support/long-run.ts';

const FLOOD_GB = Number(process.env['FLOOD_GB'] ?? 0.06);
const JOBS = Number(process.env['JOBS'] ?? 8);
const MB = 1_000_000;

const { FLOOD_GB: asked } = process.env;
const longTest = test.skipIf(!IS_LONG && asked === undefined);

async function siteOf(...given: Parameters<typeof createSite>): Promise<Site> {
  const site = await createSite(...given);
  onTestFinished(() => site.close());
  return site;
}

const HUB = `migrationHub: { progressUpdateStream: flood, createStream: true, nextUpdate: 60s, rate: { perSecond: 200, burst: 1000 } }
dataPipeline: { workerGroups: [wg], reportEvery: 1s, activities: [{ match: { name: Flood }, job: flood }] }`;

longTest(
  `a flood of ${FLOOD_GB} GB: bounded memory, and no heartbeat is late${ONLY_LONG}`,
  async () => {
    const site = await siteOf(`${HUB}
jobs:
  flood:
    command: [sh, -c, 'yes "a line of output that says next to nothing 42%" | head -c ${FLOOD_GB * 1e9}; yes 43% | head -c 10000']
    progress: { parser: percent }
    log: { size: 2 MB, files: 3 }
`);
    const { process: agent } = await site.start();
    await sleep(1500);
    const before = memoryOf(agent.pid!);
    let [most, disk] = [0, 0];
    site.simulator.submitShellActivity({ name: 'Flood', workerGroup: 'wg', command: 'unused' });
    await site.untilJob('flood', (job) => job.state === 'running');
    const begin = performance.now();
    for (;;) {
      const job = await site.job('flood');
      most = Math.max(most, memoryOf(agent.pid!));
      disk = Math.max(disk, diskOf(join(site.directory, 'state', 'runs')));
      if (isDelivered(job)) break;
      await sleep(100);
    }
    const seconds = (performance.now() - begin) / 1000;
    expect(await site.job('flood')).toMatchObject({ state: 'succeeded', percent: 100 });
    expect(site.simulator.audit().violations).toEqual([]);
    const beats = site.simulator
      .journal()
      .filter(({ operation }) => operation === 'ReportTaskProgress')
      .map(({ at }) => at);
    const gaps = beats.slice(1).map((at, index) => at - beats[index]!);
    process.stdout.write(
      `${FLOOD_GB} GB in ${seconds.toFixed(1)} s: memory of the agent ${megabytes(before)}, at most ${megabytes(most)}; disk at most ${megabytes(disk)}; longest time between two heartbeats of 1 s: ${(Math.max(0, ...gaps) / 1000).toFixed(2)} s (${beats.length} beats)\n`,
    );
    expect(most - before).toBeLessThan(20 * MB);
    expect(Math.max(0, ...gaps)).toBeLessThan(10_000);
  },
  400_000,
);

/** What each job prints, one after the other. */
const STEPS = [10, 30, 50, 70, 90];

longTest(
  `${JOBS} jobs at once start, progress and end${ONLY_LONG}`,
  async () => {
    // None goes on before its percent was seen, and none ends before all have run together for some seconds.
    const wait = JOBS < 100 ? 0.5 : 1;
    const job = `for p in ${STEPS.join(' ')}; do echo $p%; until [ -e DIRECTORY/seen-$p ]; do sleep ${wait}; done; done; until [ -e DIRECTORY/go ]; do sleep ${wait}; done; exit $1`;
    const jobs = Array.from(
      { length: JOBS },
      (_, index) =>
        `  job-${index}: { command: [sh, -c, '${job}', sh, '${index % 3}'], progress: { parser: percent } }`,
    );
    const site = await siteOf(
      `${HUB.split('\n')[0]!}
jobs:
${jobs.join('\n')}
`,
      // Other tests cover the Hub's budget.
      { limits: { NotifyMigrationTaskState: null, ImportMigrationTask: null } },
    );
    const { process: agent } = await site.start();
    await sleep(1500);
    await Promise.all(jobs.map((_, index) => site.client.post(`/v1/jobs/job-${index}/start`)));
    let cpu: { at: number; ms: number } | undefined;
    let [perJob, together] = [0, 0];
    const seen = new Map(jobs.map((_, index) => [`job-${index}`, new Set<number>()]));
    for (;;) {
      const status = await site.status();
      for (const { name, percent } of status.jobs) seen.get(name)!.add(percent ?? 0);
      for (const step of STEPS) {
        const all = [...seen.values()];
        if (all.every((percents) => percents.has(step))) {
          writeFileSync(join(site.directory, `seen-${step}`), '');
        }
      }
      const running = status.jobs.filter(({ state }) => state === 'running').length;
      if (running === JOBS && cpu === undefined)
        cpu = { at: performance.now(), ms: cpuMsOf(agent.pid!) };
      if (running === JOBS && cpu !== undefined) {
        together = (performance.now() - cpu.at) / 1000;
        if (together > 2) writeFileSync(join(site.directory, 'go'), '');
        if (together > 0) perJob = (cpuMsOf(agent.pid!) - cpu.ms) / together / JOBS;
      }
      if (status.jobs.every(isDelivered)) break;
      await sleep(250);
    }
    for (const { exitCode, state, percent } of (await site.status()).jobs) {
      expect(state).toBe(exitCode === 0 ? 'succeeded' : 'failed');
      expect(percent).toBe(exitCode === 0 ? 100 : 90);
    }
    expect(together).toBeGreaterThan(0);
    // Progress of each job was reported too, not only its end.
    for (const [name, percents] of seen)
      expect({ name, percents: [...percents] }).toEqual({
        name,
        percents: expect.arrayContaining(STEPS) as unknown,
      });
    const codes = (await site.status()).jobs.map(({ name, exitCode }) => [name, exitCode]);
    expect(codes.toSorted()).toEqual(
      jobs.map((_, index) => [`job-${index}`, index % 3]).toSorted(),
    );
    expect(site.simulator.audit().violations).toEqual([]);
    process.stdout.write(
      `${JOBS} jobs at once: ${perJob.toFixed(2)} ms of CPU a second for each, over the ${together.toFixed(1)} s in which all of them ran\n`,
    );
  },
  200_000,
);

/** Resident memory, in bytes. */
function memoryOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) * 1024;
}

/** User and system time in milliseconds: clock ticks of 10 ms. */
function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function diskOf(directory: string): number {
  if (!existsSync(directory)) return 0;
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + sizeOf(join(entry.parentPath, entry.name)), 0);
}

/** A file may be moved during the check. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function megabytes(bytes: number): string {
  return `${(bytes / MB).toFixed(1)} MB`;
}
