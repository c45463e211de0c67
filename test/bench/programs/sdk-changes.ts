/** The bare SDK client: sends a final report on request, and prints when it started. */
import { MigrationHubClient, NotifyMigrationTaskStateCommand } from '@aws-sdk/client-migration-hub';
import { monotonicMs } from '../monotonic.ts';
import { givenOptions, say } from '../program.ts';

const { url } = givenOptions() as { readonly url: string };
const client = new MigrationHubClient({ region: 'eu-central-1', endpoint: url, maxAttempts: 1 });

process.on('message', ({ change }: { readonly change: string }) => {
  const changedMs = monotonicMs();
  const sending = client.send(
    new NotifyMigrationTaskStateCommand({
      ProgressUpdateStream: 'test-stream',
      MigrationTaskName: change,
      Task: { Status: 'COMPLETED', StatusDetail: 'completed', ProgressPercent: 100 },
      UpdateDateTime: new Date(),
      NextUpdateSeconds: 31_536_000,
    }),
  );
  say({ changedMs });
  sending.catch((error: unknown) => {
    throw error;
  });
});
say({ ready: true });
