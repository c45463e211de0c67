/**
 * Keys that systemd passes to the agent (LoadCredential=, systemd.exec(5)): a file that only the running service can read, in
 * a directory of its own. Points the SDK's own variable to it, unless the operator has set that variable.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The name in the unit, and of the file in /etc/credstore. Its format is that of ~/.aws/credentials. */
const CREDENTIAL = 'aws-credentials';

export function useServiceCredentials(environment: NodeJS.ProcessEnv): void {
  const directory = environment['CREDENTIALS_DIRECTORY'];
  if (directory === undefined || environment['AWS_SHARED_CREDENTIALS_FILE'] !== undefined) return;
  const file = join(directory, CREDENTIAL);
  if (existsSync(file)) environment['AWS_SHARED_CREDENTIALS_FILE'] = file;
}
