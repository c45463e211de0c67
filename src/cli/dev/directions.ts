/** The lines that `dev` prints: where to look, a line that another terminal needs, and commands to try there. */
import { dirname } from 'node:path';
import { posixQuoted } from '../terminal/shell-quote.ts';
import { checkoutLauncher } from '../launcher.ts';

interface Addresses {
  readonly page: string;
  readonly simulator: string;
  readonly socket: string;
  readonly configuration: string;
}

export function directions({ page, simulator, socket, configuration }: Addresses): string[] {
  const launcher = checkoutLauncher();
  const path = launcher === undefined ? '' : `PATH=${posixQuoted(dirname(launcher))}:"$PATH" `;
  const variables = Object.entries({
    MIGRATION_AGENT_SOCKET: socket,
    MIGRATION_AGENT_CONFIG: configuration,
    AWS_ENDPOINT_URL: simulator,
    ...devCredentials(),
  }).map(([name, value]) => `${name}=${/^[\w.:/-]+$/.test(value) ? value : posixQuoted(value)}`);
  return [
    'An agent with simulated AWS. Ctrl-C ends both and leaves nothing.',
    '',
    `  status page    ${page}`,
    `  simulated AWS  ${simulator}/_simulator/`,
    `  configuration  ${configuration}`,
    '',
    'In another terminal, paste this line first:',
    '',
    `export ${path}${variables.join(' ')}`,
    '',
    'Then try:',
    '',
    "  migration-agent run --name copy --progress percent --wait -- sh -c 'for i in 20 40 60 80; do echo $i%; sleep 1; done'",
    '  migration-agent status copy',
    '  migration-agent history copy',
    '',
  ];
}

/** Any credentials do for the simulator; the region of the aws command is Migration Hub's. */
export function devCredentials(): Readonly<Record<string, string>> {
  return {
    AWS_ACCESS_KEY_ID: 'dev',
    AWS_SECRET_ACCESS_KEY: 'dev',
    AWS_DEFAULT_REGION: DEV_HOME_REGION,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}

/** Not the region of Data Pipeline: the agent has to ask for the home region. */
export const DEV_HOME_REGION = 'eu-central-1';
