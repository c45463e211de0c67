/** Which configuration file is meant. */

const DEFAULT_FILE = '/etc/migration-agent/config.yaml';

/** Which file to read: `--config`, else MIGRATION_AGENT_CONFIG, else the one under /etc. */
export function configFile(
  option: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const named = option ?? environment['MIGRATION_AGENT_CONFIG'];
  return named === undefined || named === '' ? DEFAULT_FILE : named;
}
