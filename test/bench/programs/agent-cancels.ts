/** The real agent with the real job host, one worker group, and one job for its tasks. */
import { fileURLToPath } from 'node:url';
import { givenOptions, say } from '../program.ts';
import { startAgent } from '../real-agent.ts';
import { ampleSettings } from '../tracked-jobs.ts';
import { PIPELINE, definition } from '../../support/settings.ts';

const { url, directory } = givenOptions() as { readonly url: string; readonly directory: string };
const job = fileURLToPath(new URL('canceled-job.ts', import.meta.url));
const agent = startAgent({
  url,
  settings: ampleSettings({
    dataPipeline: {
      ...PIPELINE,
      concurrency: 1,
      // A cancel is learnt with the next report: how long that takes is configured, and not measured here.
      reportEveryMs: 100,
      activities: [{ match: { type: 'ShellCommandActivity' }, job: 'copy' }],
    },
    jobs: new Map([['copy', definition('copy', { command: [process.execPath, job, directory] })]]),
  }),
});

process.on('message', () => {
  agent.end().then(
    () => say({ ended: true }),
    (error: unknown) => {
      throw error;
    },
  );
});
say({ ready: true });
