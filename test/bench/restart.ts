/** What it costs to take over the state of an earlier agent. */
import { startDaemon } from './daemon.ts';
import type { Daemon } from './daemon.ts';
import { amount } from './figure.ts';
import type { Benchmark } from './figure.ts';
import { withBundle } from './packaged.ts';
import { runProgram } from './program.ts';
import type { Reported } from './programs/watching-stub.ts';
import { median } from './rounds.ts';
import { defined } from '../../src/core/lib/defined.ts';

const JOBS = 100_000;
const ROUNDS = 3;
/** It stands in no way: what is measured is the agent, not the waiting. */
const AMPLE = ', rate: { perSecond: 10000, burst: 100000 }';

type Restarted = Daemon['answered'];

export const restart: Benchmark = {
  name: 'restart',
  method: `A store with ${JOBS.toLocaleString('en-US')} tracked jobs, each with a Hub task whose promise is half over. The daemon is started on it, the bundle of
the packages with Node and the flags of the launcher, and the sources: CPU time of all threads (schedstat) from the spawn to its first report at a
stub server, and the most memory that was resident until then. Baseline: the same on a store with one job. What is compiled is kept from
an earlier start. Medians of ${ROUNDS} by turns.`,
  async run() {
    return await withBundle(async (packaged) => {
      const kinds = {
        one: { command: packaged, jobs: 1 },
        many: { command: packaged, jobs: JOBS },
        sources: { command: undefined, jobs: JOBS },
      };
      const measured: Record<keyof typeof kinds, Restarted[]> = { one: [], many: [], sources: [] };
      // What was compiled is kept when the agent ends by itself.
      for (const command of [packaged, undefined]) await (await restarted(1, command)).stop();
      for (let round = 0; round < ROUNDS; round++) {
        for (const [name, { command, jobs }] of Object.entries(kinds)) {
          const daemon = await restarted(jobs, command);
          await daemon.end();
          measured[name as keyof typeof kinds].push(daemon.answered);
        }
      }
      const of = (name: keyof typeof kinds, key: keyof Restarted): number =>
        median(measured[name].map((one) => one[key]));
      const jobs = `${JOBS.toLocaleString('en-US')} jobs`;
      return [
        {
          name: `CPU from a restart to the first report, ${jobs}, packaged`,
          measured: amount(of('many', 'cpuMs') / 1000, 's'),
          baseline: `${amount(of('one', 'cpuMs') / 1000, 's')} (1 job)`,
          target: '≤ 3 s',
          isMet: of('many', 'cpuMs') <= 3000,
        },
        {
          name: `CPU from a restart to the first report, ${jobs}, sources`,
          measured: amount(of('sources', 'cpuMs') / 1000, 's'),
          baseline: `${amount(of('many', 'cpuMs') / 1000, 's')} (packaged)`,
        },
        {
          name: `memory until then, ${jobs}, packaged`,
          measured: amount(of('many', 'peakMb'), 'MB'),
          baseline: `${amount(of('one', 'peakMb'), 'MB')} (1 job)`,
          target: '≤ 400 MB',
          isMet: of('many', 'peakMb') <= 400,
        },
      ];
    });
  },
};

/** `command`: undefined for the launcher of the checkout. The agent changes what it finds: each begins with what was left. */
function restarted(jobs: number, command: readonly string[] | undefined): Promise<Daemon> {
  return startDaemon({
    ...defined({ command }),
    hub: AMPLE,
    leave: (directory) => runProgram('leave-jobs', { directory, jobs }),
    begun: (stub) => stub.next<Partial<Reported>>(({ reported }) => reported !== undefined),
  });
}
