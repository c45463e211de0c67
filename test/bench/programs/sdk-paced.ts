/** The bare SDK client, by a timer: the same report as the agent's, so many a second. */
import { MigrationHubClient, NotifyMigrationTaskStateCommand } from '@aws-sdk/client-migration-hub';
import { CpuWindow } from '../cpu-window.ts';
import type { PacedOptions } from '../paced.ts';
import { givenOptions, say } from '../program.ts';

const { url, perSecond, warm, count } = givenOptions() as PacedOptions;
const client = new MigrationHubClient({ region: 'eu-central-1', endpoint: url, maxAttempts: 1 });
const window = new CpuWindow({ warm, count });
const { promise: over, resolve: end } = Promise.withResolvers<undefined>();
let sent = 0;

const timer = setInterval(() => {
  if (sent === warm + count) return;
  const index = sent++;
  const command = new NotifyMigrationTaskStateCommand({
    ProgressUpdateStream: 'test-stream',
    MigrationTaskName: `migration-${index}`,
    Task: {
      Status: 'IN_PROGRESS',
      StatusDetail: `copying volume ${index}`,
      ProgressPercent: index % 99,
    },
    UpdateDateTime: new Date(Math.floor(Date.now() / 1000) * 1000),
    NextUpdateSeconds: 300,
  });
  client.send(command).then(() => {
    if (window.delivered()) end(undefined);
  }, fail);
}, 1_000 / perSecond);

function fail(error: unknown): void {
  throw error;
}

await over;
clearInterval(timer);
say(window.result());
