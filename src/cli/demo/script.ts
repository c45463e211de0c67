/**
 * What happens in the demo: what the operator, the owner of the pipelines and the network do, one after the other,
 * each when the jobs have come far enough for it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { JobStatus, Status } from '../../core/model/status.ts';
import type { Simulator } from '../../simulator/simulator.ts';
import { jobPath } from '../client/client.ts';
import type { Client } from '../client/client.ts';
import type { DemoScreen } from './screen.ts';
import { hasEnded, isSettled } from '../client/wait-for-run.ts';

export interface Played {
  /** The status at the end. */
  readonly status: Status;
  /** On the host's clock. */
  readonly canceledAtMs: number;
  readonly outage: { readonly fromMs: number; readonly toMs: number };
}

interface Stage {
  readonly client: Client;
  readonly simulator: Simulator;
  readonly screen: DemoScreen;
  readonly interrupted: AbortSignal;
}

const REDRAW_MS = 250;
/** Twice as long as the demo takes: if something hangs, the summary shows what was not reached. */
const DEMO_MS_MAX = 115_000;
const OUTAGE_MS_MIN = 12_000;

export async function play(stage: Stage): Promise<Played> {
  const { client, simulator, screen } = stage;
  const { until, pause } = createLookout(stage);
  const submit = (name: string): string =>
    simulator.submitShellActivity({ name, workerGroup: 'demo-host', command: 'see the host' })
      .pipelineId;

  screen.print('operator', 'starts photos');
  await client.post(jobPath('photos', '/start'));
  screen.print('pipeline', 'MoveArchive waits for a runner (here: job archive)');
  submit('MoveArchive');
  await pause(2_000);
  screen.print('pipeline', 'MoveMail waits for a runner (here: job mail)');
  const mail = submit('MoveMail');
  await pause(3_000);
  screen.print('operator', 'starts invoices, which verifies checksums; one file is damaged');
  await client.post(jobPath('invoices', '/start'));
  await until((jobs) => hasEnded(jobs('invoices')) && (jobs('mail').percent ?? 0) >= 15);

  screen.print('pipeline', 'the owner cancels MoveMail; the answer to the next report says so');
  const canceledAtMs = Date.now();
  simulator.cancel(mail);
  await until((jobs) => hasEnded(jobs('mail')) && (jobs('photos').percent ?? 0) >= 80);

  screen.print('network', 'AWS is out of reach; the jobs go on');
  const fromMs = Date.now();
  simulator.addFault({ operation: '*', fault: 'drop' });
  await until((jobs) => hasEnded(jobs('photos')) && Date.now() >= fromMs + OUTAGE_MS_MIN);
  simulator.clearFaults();
  const toMs = Date.now();
  screen.print('network', `AWS is back after ${Math.round((toMs - fromMs) / 1000)} s`);

  const status = await until((jobs) =>
    ['photos', 'archive', 'mail', 'invoices'].every(
      (name) => hasEnded(jobs(name)) && isSettled(jobs(name)),
    ),
  );
  return { status, canceledAtMs, outage: { fromMs, toMs } };
}

type Find = (name: string) => JobStatus;

interface Lookout {
  /** Shows the status until the jobs are as expected, or the demo has lasted too long. */
  readonly until: (isReached: (jobs: Find) => boolean) => Promise<Status>;
  readonly pause: (ms: number) => Promise<Status>;
}

function createLookout({ client, screen, interrupted }: Stage): Lookout {
  const endAt = performance.now() + DEMO_MS_MAX;
  const until: Lookout['until'] = async (isReached) => {
    for (;;) {
      const status = await client.get<Status>('/v1/status');
      screen.show(status);
      const find: Find = (name) =>
        status.jobs.find((job) => job.name === name) ?? { name, state: 'idle', destinations: {} };
      if (isReached(find) || performance.now() > endAt) return status;
      await sleep(REDRAW_MS, undefined, { signal: interrupted });
    }
  };
  return {
    until,
    pause: (ms) => {
      const isOverAt = performance.now() + ms;
      return until(() => performance.now() >= isOverAt);
    },
  };
}
