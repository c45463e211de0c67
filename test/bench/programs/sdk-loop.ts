/** The bare SDK client in a loop: the same report as the agent's, the same number of calls at a time. */
import { MigrationHubClient, NotifyMigrationTaskStateCommand } from '@aws-sdk/client-migration-hub';
import { givenOptions, say } from '../program.ts';
import { CpuWindow } from '../cpu-window.ts';
import type { DeliveryOptions } from '../cpu-window.ts';

const options = givenOptions() as DeliveryOptions;
const client = new MigrationHubClient({
  region: 'eu-central-1',
  endpoint: options.url,
  maxAttempts: 1,
});
const window = new CpuWindow(options);
let begun = 0;

async function sendInTurn(): Promise<void> {
  while (begun < options.warm + options.count) {
    const index = begun++;
    await client.send(
      new NotifyMigrationTaskStateCommand({
        ProgressUpdateStream: 'test-stream',
        MigrationTaskName: `migration-${index}`,
        Task: {
          Status: 'IN_PROGRESS',
          StatusDetail: `copying volume ${index}`,
          ProgressPercent: index % 99,
        },
        UpdateDateTime: new Date(Math.floor(Date.now() / 1000) * 1000),
        NextUpdateSeconds: 300,
      }),
    );
    window.delivered();
  }
}

await Promise.all(Array.from({ length: options.concurrency }, sendInTurn));
say(window.result());
