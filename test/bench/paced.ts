/** What a report costs the agent at the pace at which a host lives: a few reports a second, not a flood. */
import { daemonFlags, runProgram, startProgram } from './program.ts';
import { amount } from './figure.ts';
import type { Benchmark, Figure } from './figure.ts';
import type { Delivery } from './cpu-window.ts';
import { median } from './rounds.ts';

export interface PacedOptions {
  readonly url: string;
  readonly perSecond: number;
  readonly warm: number;
  readonly count: number;
  /** What the budget holds when it is full, in seconds of its rate. Default: ten, as the default and the published limits. */
  readonly burstS?: number;
  /** Live jobs of the agent, which somebody else runs. Default: as many as are reported, and the agent's own. */
  readonly tracked?: number;
}

/** Reports a second, how many of them are not counted and count, and how much more CPU than the bare client the agent may take. */
const PACES = [
  // V8 collects the garbage of the start some fifteen seconds after it, once: that belongs to no report.
  { perSecond: 1, warm: 40, count: 40, target: 2 },
  { perSecond: 10, warm: 120, count: 150, target: 1.5 },
  { perSecond: 50, warm: 550, count: 500, target: 1.2 },
  { perSecond: 200, warm: 2_200, count: 2_000, target: 1.2 },
];
const ROUNDS = 3;

/** Ten thousand jobs with promises of five minutes, each renewed after half of that. */
const TRACKED = 10_000;
const RENEWED = { perSecond: Math.ceil(TRACKED / 150), warm: 1_500, count: 1_000 };

export const paced: Benchmark = {
  name: 'paced',
  method: `CPU time (user and system, all threads) of a process for each accepted NotifyMigrationTaskState, at ${PACES.map(({ perSecond }) => perSecond).join(', ')}
reports a second, against a stub server in a process of its own. The agent is the real one (loop, SQLite store on a real disk, gates,
services, log) with Node's flags as in its launcher; its budget sets the pace, and its jobs always have a report due. The bare
SDK client sends the same reports by a timer, at the same time. The budget has a burst of ten seconds, as the default and the published
limits have; the first reports, which are not counted, use it up. What a process costs while it waits is in the figure: at one report a second it is most of it. The last row has ${TRACKED.toLocaleString('en-US')} tracked jobs,
whose promises of five minutes take ${RENEWED.perSecond} reports a second; its baseline is an agent at the same pace that has no more jobs than are reported.`,
  async run() {
    const stub = startProgram('stub', {});
    try {
      const { url } = await stub.next<{ readonly url: string }>();
      const figures: Figure[] = [];
      const [slow, fast] = [PACES.slice(0, -1), PACES.slice(-1)];
      // The slow ones leave most of a core free: at the same time they take a third of the time.
      for (const paces of [slow, fast]) {
        figures.push(...(await Promise.all(paces.map((pace) => figureAt({ ...pace, url })))));
      }
      return [...figures, await trackedFigure(url)];
    } finally {
      await stub.end();
    }
  },
};

/** As far as a region on another continent. */
const FAR_MS = 100;
/** A small burst: an agent that is twice as quick as its budget needs 2,000 reports to use it up. */
const FAST = { perSecond: 1_000, burstS: 1, warm: 4_000, count: 10_000 };

export const throughput: Benchmark = {
  name: 'throughput',
  method: `The real agent as in paced, with a budget of ${FAST.perSecond} reports a second and more due than that, against a stub that answers
after ${FAR_MS} ms. The figure is the part of the budget that was used, in wall time, after the burst.`,
  async run() {
    const stub = startProgram('stub', { delayMs: FAR_MS });
    try {
      const { url } = await stub.next<{ readonly url: string }>();
      const used: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const { wallUs } = await runProgram<Delivery>(
          'agent-paced',
          { ...FAST, url },
          daemonFlags(),
        );
        used.push(1e6 / wallUs / FAST.perSecond);
      }
      const part = median(used);
      return [
        {
          name: `budget used, ${FAST.perSecond} a second, answers after ${FAR_MS} ms`,
          measured: amount(part * 100, '%'),
          baseline: `${FAST.perSecond} reports a second (budget)`,
          target: '≥ 95 %',
          isMet: part >= 0.95,
        },
      ];
    } finally {
      await stub.end();
    }
  },
};

/** What many jobs cost beside their reports. */
async function trackedFigure(url: string): Promise<Figure> {
  const rounds: { readonly ms: number; readonly fewMs: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const { warm, count, perSecond } = RENEWED;
    const [many, few] = await Promise.all(
      [TRACKED, warm + count + 100].map((tracked) =>
        runProgram<Delivery>('agent-paced', { ...RENEWED, url, tracked }, daemonFlags()),
      ),
    );
    const aSecond = (one = NaN): number => (one * perSecond) / 1000;
    rounds.push({ ms: aSecond(many?.cpuUs), fewMs: aSecond(few?.cpuUs) });
  }
  const ratio = median(rounds.map(({ ms, fewMs }) => ms / fewMs));
  return {
    name: `CPU a second, ${TRACKED.toLocaleString('en-US')} tracked jobs, ${RENEWED.perSecond} reports`,
    measured: amount(median(rounds.map(({ ms }) => ms)), 'ms'),
    baseline: `${amount(median(rounds.map(({ fewMs }) => fewMs)), 'ms')} (as many reports of ${(RENEWED.warm + RENEWED.count + 100).toLocaleString('en-US')} jobs)`,
    ratio,
    target: '≤ 1.2×',
    isMet: ratio <= 1.2,
  };
}

async function figureAt({
  target,
  ...options
}: PacedOptions & { readonly target: number }): Promise<Figure> {
  const rounds: { readonly agentUs: number; readonly sdkUs: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const [agent, sdk] = await Promise.all([
      runProgram<Delivery>('agent-paced', options, daemonFlags()),
      runProgram<Delivery>('sdk-paced', options),
    ]);
    rounds.push({ agentUs: agent.cpuUs, sdkUs: sdk.cpuUs });
  }
  const ratio = median(rounds.map(({ agentUs, sdkUs }) => agentUs / sdkUs));
  return {
    name: `CPU a report, ${options.perSecond} a second`,
    measured: amount(median(rounds.map(({ agentUs }) => agentUs)) / 1000, 'ms'),
    baseline: `${amount(median(rounds.map(({ sdkUs }) => sdkUs)) / 1000, 'ms')} (bare SDK client, paced)`,
    ratio,
    target: `≤ ${target}×`,
    isMet: ratio <= target,
  };
}
